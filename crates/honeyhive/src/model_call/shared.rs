//! [`Inner`] is shared by a call and its recorder, and writes the attributes in the end.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue, Value};

use super::attributes::Writer;
use super::operation::Operation;
use crate::attributes::ERROR;
use crate::log;
use crate::model_span::{self, By};
use crate::outbox::Outbox;
use crate::panics::guarded;
use crate::span::late;
use crate::stream::{Assembler, Cause, Content, Ending, Usage};

/// The error of a call whose texts are not captured has this text.
pub(super) const UNTOLD: &str = "the call failed; its error is not captured, as its content is not";

/// The call goes to one of these spans.
pub(super) enum Place {
    /// The context has the call's own span.
    Own(Context),
    /// The call fills a span that exists, and runs in a scope.
    Filled {
        span: Context,
        scope: Context,
    },
    Nowhere(Context),
}

/// The call and its recorder share this state.
pub(super) struct Inner {
    outbox: Arc<Outbox>,
    place: Place,
    by: By,
    /// The flag tells whether the span is recorded.
    is_recording: bool,
    hides_content: bool,
    /// The model is asked to write down a recording.
    is_transcription: bool,
    /// The request is sent in this context; most calls by hand need none.
    scope: OnceLock<Context>,
    sent: Instant,
    /// A recorder ends the call.
    is_recorded: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    assembler: Option<Box<Assembler>>,
    /// The answer gave these attributes, for a call that has a span of its own.
    read: Vec<KeyValue>,
    /// The program has set these attributes itself; they win over those that were read.
    said: Vec<KeyValue>,
    has_tokens: bool,
    has_reply: bool,
    status_code: Option<u16>,
    ended_at: Option<SystemTime>,
    /// The flag tells whether the program has let go of the call.
    is_let_go: bool,
}

impl Place {
    /// Returns the context with the span of the call.
    const fn span(&self) -> Option<&Context> {
        match self {
            Self::Own(span) | Self::Filled { span, .. } => Some(span),
            Self::Nowhere(_) => None,
        }
    }
}

impl Inner {
    pub(super) fn new(
        outbox: Arc<Outbox>,
        place: Place,
        by: By,
        operation: Operation,
        hides_content: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            outbox,
            is_recording: place.span().is_some_and(|cx| cx.span().is_recording()),
            place,
            by,
            hides_content,
            is_transcription: operation == Operation::Transcription,
            scope: OnceLock::new(),
            sent: Instant::now(),
            is_recorded: AtomicBool::new(false),
            state: Mutex::default(),
        })
    }

    pub(super) const fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Returns the context with the span of the call; `None` where the call is not recorded.
    pub(super) fn span(&self) -> Option<&Context> {
        self.place.span().filter(|_| self.is_recording)
    }

    pub(super) fn scope(&self) -> &Context {
        self.scope.get_or_init(|| match (&self.place, self.by) {
            (Place::Own(span), by) => model_span::scope_of(span, by),
            (Place::Filled { scope, .. }, By::Middleware) => model_span::at_work(scope),
            (Place::Filled { scope, .. }, By::Program) | (Place::Nowhere(scope), _) => {
                scope.clone()
            }
        })
    }

    pub(super) const fn hides_content(&self) -> bool {
        self.hides_content
    }

    pub(super) const fn is_transcription(&self) -> bool {
        self.is_transcription
    }

    /// Returns the time since the request was sent.
    pub(super) fn elapsed(&self) -> Duration {
        self.sent.elapsed()
    }

    /// Begins to record: a recorder ends the call from now on.
    pub(super) fn record(&self, status_code: Option<u16>, content: Content) -> Option<Assembler> {
        self.is_recorded.store(true, Ordering::Relaxed);
        let mut state = self.state();
        state.status_code = status_code;
        let records = self.is_recording && state.ended_at.is_none();
        records.then(|| Assembler::new(content, self.hides_content))
    }

    pub(super) fn note_reply(&self) {
        self.state().has_reply = true;
    }

    pub(super) fn note_tokens(&self, usage: &Usage) {
        self.state().has_tokens |= usage.input.is_some();
    }

    /// Lets go of the call: the program adds nothing more.
    pub(super) fn let_go(&self) {
        let (mut assembler, has_ended) = {
            let mut state = self.state();
            state.is_let_go = true;
            (state.assembler.take(), state.ended_at.is_some())
        };
        if !self.is_recorded.load(Ordering::Relaxed) {
            self.finish(assembler.as_deref_mut(), Cause::Dropped, None);
        } else if has_ended {
            self.close();
        }
    }

    /// Locks the state, under which nothing of the program's runs.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_open(&self) -> bool {
        self.is_recording && self.state().ended_at.is_none()
    }

    pub(super) fn say(&self, attributes: impl IntoIterator<Item = KeyValue>) {
        if self.is_recording {
            self.state().said.extend(attributes);
        }
    }

    pub(super) fn take_event(&self, json: &[u8]) {
        if !self.is_open() {
            return;
        }
        let at = self.elapsed();
        let mut state = self.state();
        let begin = || Box::new(Assembler::new(Content::Lines, self.hides_content));
        let mut assembler = state.assembler.take().unwrap_or_else(begin);
        state.assembler = self.guarded(|| {
            assembler.take_event(json, at);
            assembler
        });
    }

    /// Runs the assembler: a panic in it is a fault of ours, and does not reach the program.
    pub(super) fn guarded<T>(&self, piece: impl FnOnce() -> T) -> Option<T> {
        guarded(&self.outbox, piece)
    }

    /// Writes the attributes that were read, once. The event has ended now, though the program may still add to it.
    pub(super) fn finish(
        &self,
        assembler: Option<&mut Assembler>,
        cause: Cause,
        broken: Option<String>,
    ) {
        let (is_let_go, lacks_usage) = {
            let mut state = self.state();
            if state.ended_at.is_some() {
                return;
            }
            state.ended_at = Some(SystemTime::now());
            // A panic of the library's own must not reach the caller.
            let lacks_usage = self.span().and_then(|cx| {
                guarded(&self.outbox, || {
                    self.write(cx, &mut state, assembler, cause, broken)
                })
            });
            (state.is_let_go, lacks_usage)
        };
        if lacks_usage == Some(true) {
            hint_at_usage();
        }
        if is_let_go {
            self.close();
        }
    }

    /// Writes the program's own attributes, which win, and releases the span.
    fn close(&self) {
        let (said, mut read, ended_at) = {
            let mut state = self.state();
            let said = mem::take(&mut state.said);
            (said, mem::take(&mut state.read), state.ended_at)
        };
        let Some(cx) = self.span() else { return };
        let span = cx.span();
        if !said.is_empty() {
            let error = said.iter().rfind(|it| it.key.as_str() == ERROR);
            if let Some(Value::String(text)) = error.map(|it| &it.value) {
                span.set_status(Status::error(text.as_str().to_owned()));
            }
        }
        if let (Place::Own(_), Some(at)) = (&self.place, ended_at) {
            read.extend(said);
            late::end_with(&span, at, read);
        } else {
            span.set_attributes(said);
        }
    }

    /// Writes the answer's attributes; returns whether the answer came without its usage.
    fn write(
        &self,
        cx: &Context,
        state: &mut State,
        mut assembler: Option<&mut Assembler>,
        cause: Cause,
        broken: Option<String>,
    ) -> bool {
        let span = cx.span();
        let mut error = broken.map(|text| (text, None));
        let mut writer = Writer(late::room());
        if let Some(status) = state.status_code {
            writer.put("honeyhive_metadata.status_code", i64::from(status));
        }
        let ending = assembler.as_mut().map(|it| it.finish(cause));
        let mut lacks_usage = false;
        if let Some(assembler) = assembler {
            lacks_usage = ending == Some(Ending::Complete) && is_usage_missing(assembler, state);
            error = error.or_else(|| failure_of(assembler));
            let (chunk, token) = (assembler.first_chunk(), assembler.first_token());
            writer.said(assembler.reply_mut());
            // A whole answer that the program hands over came when it was handed over.
            if !state.has_reply {
                writer.first(chunk, token);
            }
        }
        if lacks_usage {
            writer.put("honeyhive_metadata.usage", "not sent");
        }
        let error = error.or_else(|| state.status_error());
        let outcome = state.outcome(ending, cause, error.is_some());
        writer.put("honeyhive_metadata.outcome", outcome.name());
        let fills = matches!(self.place, Place::Filled { .. });
        if let Some((text, kind)) = error {
            if !fills {
                span.set_status(Status::error(text.clone()));
            }
            writer.failed(text, kind);
        }
        match fills {
            true => span.set_attributes(writer.0.into_iter().map(model_span::filled)),
            false => state.read = writer.0,
        }
        lacks_usage
    }
}

/// An error has a text, and a kind where the provider or the status tells one.
type CallError = (String, Option<String>);

impl State {
    /// Returns the error that the status of the answer means.
    fn status_error(&self) -> Option<CallError> {
        let status = self.status_code.filter(|status| *status >= 400)?;
        Some((format!("HTTP status {status}"), Some(status.to_string())))
    }

    fn outcome(&self, ending: Option<Ending>, cause: Cause, has_error: bool) -> Ending {
        let says_error = has_error || self.said.iter().any(|it| it.key.as_str() == ERROR);
        match ending {
            _ if says_error => Ending::Error,
            Some(ending) if !self.has_reply => ending,
            None if cause == Cause::Dropped && self.said.is_empty() => Ending::Dropped,
            _ => Ending::Complete,
        }
    }
}

/// Returns the error that the provider has reported.
fn failure_of(assembler: &Assembler) -> Option<CallError> {
    let failure = assembler.reply().failure.clone()?;
    let text = match (&failure.kind, failure.message) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (None, Some(message)) => message,
        (Some(kind), None) => kind.clone(),
        (None, None) => "the provider answered with an error".to_owned(),
    };
    Some((text, failure.kind))
}

/// Returns whether a chat stream that ended well lacks its usage, which comes last, and only on request.
fn is_usage_missing(assembler: &Assembler, state: &State) -> bool {
    let reply = assembler.reply();
    assembler.is_chat()
        && !state.has_reply
        && reply.usage.is_empty()
        && !state.has_tokens
        && assembler.first_token().is_some()
        && reply.failure.is_none()
}

fn hint_at_usage() {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        log::info(
            "a streamed answer came without token counts, because its request did not ask for them: send \
             `\"stream_options\": {\"include_usage\": true}`, or set `ask_for_usage(true)` on HoneyHive's layer",
        );
    }
}
