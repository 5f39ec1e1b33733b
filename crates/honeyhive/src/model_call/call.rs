//! [`ModelCall`]: a call that is under way.

use std::fmt;
use std::future::Future;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use futures_core::Stream;
use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue, Value};
use serde::Serialize;

use super::attributes::Writer;
use super::recorder::{RecordedStream, Recorder};
use crate::attributes::ERROR;
use crate::enrichment::Enrichment;
use crate::model::id::EventId;
use crate::model_span::{self, By};
use crate::outbox::Outbox;
use crate::panics::guarded;
use crate::span::{self, Span, attributes_of};
use crate::stream::{Assembler, Cause, Content, Ending, Usage};

/// A call of a model that is under way, from [`ModelCallBuilder::start`](super::ModelCallBuilder::start).
///
/// The event ends when this is dropped; with a [recorded stream](Self::record_bytes) or a [`Recorder`], when that has
/// ended. What is said of it before this is dropped counts still.
#[must_use = "the call ends when this is dropped"]
pub struct ModelCall {
    inner: Arc<Inner>,
}

impl fmt::Debug for ModelCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ModelCall").finish_non_exhaustive()
    }
}

/// Whose span takes the call.
pub(super) enum Place {
    Own(Span),
    /// The span that is filled, and where the call runs.
    Filled {
        span: Context,
        scope: Context,
    },
    Nowhere(Context),
}

/// What the call and its recorder share.
pub(super) struct Inner {
    outbox: Arc<Outbox>,
    /// With the span that takes what is known; `None` where nobody does.
    span: Option<Context>,
    /// What the request is sent in.
    scope: Context,
    fills: bool,
    pub(super) hides_content: bool,
    pub(super) sent: Instant,
    /// A recorder ends the call.
    is_recorded: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    own: Option<Span>,
    assembler: Option<Assembler>,
    /// What the program has said itself, which counts more than what was read.
    said: Vec<KeyValue>,
    has_tokens: bool,
    has_reply: bool,
    status_code: Option<u16>,
    ended_at: Option<SystemTime>,
    /// The program may say more.
    is_held: bool,
}

impl ModelCall {
    pub(super) fn new(
        outbox: Arc<Outbox>,
        place: Place,
        by: By,
        hides_content: bool,
        sent: Instant,
    ) -> Self {
        let (own, span, scope, fills) = match place {
            Place::Own(own) => {
                let cx = own.context();
                // It is this call's.
                let _ = model_span::take(&cx, by);
                (Some(own), Some(cx.clone()), cx, false)
            }
            Place::Filled { span, scope } => (None, Some(span), scope, true),
            Place::Nowhere(scope) => (None, None, scope, false),
        };
        let span = span.filter(|cx| cx.span().is_recording());
        let scope = match by {
            By::Seam => model_span::at_work(&scope),
            By::Hand => scope,
        };
        let state = State {
            own,
            is_held: true,
            ..State::default()
        };
        Self {
            inner: Arc::new(Inner {
                outbox,
                span,
                scope,
                fills,
                hides_content,
                sent,
                is_recorded: AtomicBool::new(false),
                state: Mutex::new(state),
            }),
        }
    }

    /// The future, in the context of the call: a client that HoneyHive knows fills this event then, and makes none of
    /// its own.
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.with_context(self.inner.scope.clone())
    }

    /// Runs `f` in the context of the call.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _guard = self.inner.scope.clone().attach();
        f()
    }

    /// The id of the event that this call becomes, for what may be added to it later; `None` where nothing records it.
    #[must_use]
    pub fn event_id(&self) -> Option<EventId> {
        self.inner.span.as_ref().map(span::name_event)
    }

    /// Nobody records this call here: no tracer, or somebody further out does.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.inner.span.is_some()
    }

    /// The bytes of the response, as they are: the same items, the same errors, nothing read ahead. What they say in
    /// the words of OpenAI, Anthropic, Gemini and others becomes the outputs.
    pub fn record_bytes<S, B, E>(&self, stream: S) -> RecordedStream<S>
    where
        S: Stream<Item = Result<B, E>>,
        B: AsRef<[u8]>,
        E: fmt::Display,
    {
        RecordedStream::new(stream, self.recorder(None, None, None))
    }

    /// What takes the bytes of the response one by one, for what is no stream. `content_type` and `content_encoding`
    /// are headers of the response.
    pub fn recorder(
        &self,
        status_code: Option<u16>,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> Recorder {
        let inner = &self.inner;
        inner.is_recorded.store(true, Ordering::Relaxed);
        inner.state().status_code = status_code;
        let content = Content::of(content_type, content_encoding);
        let assembler = inner
            .is_open()
            .then(|| Assembler::new(content, inner.hides_content));
        Recorder::new(Arc::clone(inner), assembler)
    }

    /// An event of a stream that your client has read already: the chunk, as JSON, or what serialises to it.
    pub fn record_json(&self, chunk: impl Serialize) {
        if let Ok(json) = serde_json::to_vec(&chunk) {
            self.inner.take_event(&json);
        }
    }

    /// The whole answer of the provider: the response that your client has read, or what serialises to its JSON.
    pub fn reply(&self, body: impl Serialize) {
        if let Ok(json) = serde_json::to_vec(&body) {
            self.reply_bytes(json);
        }
    }

    /// The whole answer of the provider, as the JSON text that came.
    pub fn reply_bytes(&self, body: impl AsRef<[u8]>) {
        self.inner.take_event(body.as_ref());
        self.inner.state().has_reply = true;
    }

    /// What the model has said, in your own words.
    pub fn answer(&self, text: impl Into<String>) -> &Self {
        let text = text.into();
        if self.inner.hides_content {
            let bytes = text.len() as i64;
            self.inner
                .say([KeyValue::new("honeyhive_outputs.content_bytes", bytes)]);
        } else {
            self.inner
                .say([KeyValue::new("honeyhive_outputs.content", text)]);
        }
        self.inner
            .say([KeyValue::new("honeyhive_outputs.role", "assistant")]);
        self
    }

    /// How many tokens went in, cache included, and came out, reasoning included.
    pub fn tokens(&self, input: u64, output: u64) -> &Self {
        let mut usage = Usage::default();
        usage.input = Some(input);
        usage.output = Some(output);
        self.say_usage(&usage)
    }

    /// How many of the tokens that went in came from the cache, and how many were written into it.
    pub fn cached_tokens(&self, read: u64, written: u64) -> &Self {
        let mut usage = Usage::default();
        usage.cache_read = Some(read);
        usage.cache_write = Some(written);
        self.say_usage(&usage)
    }

    fn say_usage(&self, usage: &Usage) -> &Self {
        let mut said = Vec::new();
        let put = &mut |attribute| said.push(attribute);
        Writer { fills: false, put }.usage(usage);
        self.inner.say(said);
        self.inner.state().has_tokens |= usage.input.is_some();
        self
    }

    /// Why the model has ended: `stop`, `length`, `tool_calls`, ….
    pub fn finish_reason(&self, reason: impl Into<String>) -> &Self {
        let reason = reason.into();
        self.inner.say([
            KeyValue::new("honeyhive_outputs.finish_reason", reason.clone()),
            KeyValue::new("honeyhive_metadata.finish_reason", reason),
        ]);
        self
    }

    /// What the call has cost, in US dollars, as your provider or you say: HoneyHive keeps no prices here.
    pub fn cost(&self, dollars: f64) -> &Self {
        self.inner
            .say([KeyValue::new("honeyhive_metadata.cost", dollars)]);
        self
    }

    /// The call has failed.
    pub fn error(&self, text: impl Into<String>) -> &Self {
        self.inner.say([KeyValue::new(ERROR, text.into())]);
        self
    }

    /// Adds to the event.
    pub fn enrich(&self, enrichment: Enrichment) -> &Self {
        self.inner.outbox.count_refused(enrichment.refused_count());
        let mut said = Vec::new();
        attributes_of(enrichment, &mut |attribute| said.push(attribute));
        self.inner.say(said);
        self
    }
}

impl Drop for ModelCall {
    fn drop(&mut self) {
        let assembler = {
            let mut state = self.inner.state();
            state.is_held = false;
            state.assembler.take()
        };
        if !self.inner.is_recorded.load(Ordering::Relaxed) {
            self.inner.finish(assembler, Cause::Dropped, None);
        } else if self.inner.state().ended_at.is_some() {
            self.inner.close();
        }
    }
}

impl Inner {
    /// Nothing of the program's runs under this lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_open(&self) -> bool {
        self.span.is_some() && self.state().ended_at.is_none()
    }

    fn say(&self, attributes: impl IntoIterator<Item = KeyValue>) {
        if self.span.is_some() {
            self.state().said.extend(attributes);
        }
    }

    fn take_event(&self, json: &[u8]) {
        if !self.is_open() {
            return;
        }
        let at = self.sent.elapsed();
        let mut state = self.state();
        let mut assembler = match state.assembler.take() {
            Some(assembler) => assembler,
            None => Assembler::new(Content::Lines, self.hides_content),
        };
        state.assembler = self.guarded(|| {
            assembler.take_event(json, at);
            assembler
        });
    }

    /// Runs the assembler: a panic in there is a fault of ours, and nobody else's matter.
    pub(super) fn guarded<T>(&self, piece: impl FnOnce() -> T) -> Option<T> {
        guarded(&self.outbox, piece)
    }

    /// Writes what was read, once. The event has ended now, though the program may have more to say of it.
    pub(super) fn finish(
        &self,
        assembler: Option<Assembler>,
        cause: Cause,
        broken: Option<String>,
    ) {
        let (is_held, lacks_usage) = {
            let mut state = self.state();
            if state.ended_at.is_some() {
                return;
            }
            state.ended_at = Some(SystemTime::now());
            // A fault of ours is nobody else's matter.
            let lacks_usage = self.span.as_ref().and_then(|cx| {
                guarded(&self.outbox, || {
                    self.write(cx, &state, assembler, cause, broken)
                })
            });
            (state.is_held, lacks_usage)
        };
        if lacks_usage == Some(true) {
            hint_at_usage();
        }
        if !is_held {
            self.close();
        }
    }

    /// Writes what the program has said, which counts more, and lets the span go.
    fn close(&self) {
        let ended = mem::take(&mut *self.state());
        let Some(cx) = &self.span else { return };
        let span = cx.span();
        let error = ended.said.iter().rfind(|it| it.key.as_str() == ERROR);
        if let Some(Value::String(text)) = error.map(|it| &it.value) {
            span.set_status(Status::error(text.as_str().to_owned()));
        }
        span.set_attributes(ended.said);
        if let (Some(_), Some(at)) = (&ended.own, ended.ended_at) {
            span.end_with_timestamp(at);
        }
    }

    /// Says whether the answer came without its usage.
    fn write(
        &self,
        cx: &Context,
        state: &State,
        mut assembler: Option<Assembler>,
        cause: Cause,
        broken: Option<String>,
    ) -> bool {
        let span = cx.span();
        let mut error = broken.map(|text| (text, None));
        let put = &mut |attribute: KeyValue| span.set_attribute(attribute);
        let mut writer = Writer {
            fills: self.fills,
            put,
        };
        if let Some(status) = state.status_code {
            writer.put("honeyhive_metadata.status_code", i64::from(status));
        }
        let ending = assembler.as_mut().map(|it| it.finish(cause));
        if let Some(assembler) = &assembler {
            let reply = assembler.reply();
            writer.said(reply, self.hides_content);
            writer.first(assembler.first_chunk(), assembler.first_token());
            error = error.or_else(|| failure_of(assembler));
        }
        let lacks_usage = assembler
            .as_ref()
            .is_some_and(|it| is_usage_missing(it, state));
        if lacks_usage {
            writer.put("honeyhive_metadata.usage", "not sent");
        }
        if let (None, Some(status @ 400..)) = (&error, state.status_code) {
            error = Some((format!("HTTP status {status}"), Some(status.to_string())));
        }
        let says_error = error.is_some() || state.said.iter().any(|it| it.key.as_str() == ERROR);
        let outcome = match ending {
            _ if says_error => Ending::Error,
            Some(ending) if !state.has_reply => ending,
            None if cause == Cause::Dropped && state.said.is_empty() => Ending::Dropped,
            _ => Ending::Complete,
        };
        writer.put("honeyhive_metadata.outcome", outcome.name());
        if let Some((text, kind)) = error {
            if !self.fills {
                span.set_status(Status::error(text.clone()));
            }
            writer.failed(text, kind);
        }
        lacks_usage
    }
}

/// The error that the provider has told of.
fn failure_of(assembler: &Assembler) -> Option<(String, Option<String>)> {
    let failure = assembler.reply().failure.clone()?;
    let text = match (&failure.kind, failure.message) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (None, Some(message)) => message,
        (Some(kind), None) => kind.clone(),
        (None, None) => "the provider answered with an error".to_owned(),
    };
    Some((text, failure.kind))
}

/// A stream of chat that has ended well says its usage only where it was asked to.
fn is_usage_missing(assembler: &Assembler, state: &State) -> bool {
    let reply = assembler.reply();
    reply.usage.is_empty()
        && !state.has_tokens
        && assembler.first_token().is_some()
        && reply.failure.is_none()
}

fn hint_at_usage() {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        tracing::info!(
            target: "honeyhive",
            "a streamed answer came without token counts, because its request did not ask for them: send \
             `stream_options: {{\"include_usage\": true}}`, or set `ask_for_usage(true)` on HoneyHive's layer"
        );
    }
}
