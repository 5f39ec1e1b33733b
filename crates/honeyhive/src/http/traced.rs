//! [`Handling`] accompanies a request from its beginning to the end of its body.

use std::any::Any;
use std::borrow::Cow;
use std::panic::resume_unwind;
use std::str::FromStr;
use std::task::{self, Poll, ready};
use std::time::{Instant, SystemTime};

use opentelemetry::trace::{SpanRef, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::Headers;
use super::held_end::HeldEnd;
#[cfg(feature = "model-calls")]
use super::streamed::Streamed;
use crate::attributes::ERROR;
use crate::incoming::{panic_text, run_in};
use crate::model::milliseconds::milliseconds;
use crate::outbox::{Outcome, SessionEnd};
use crate::owners::MemberId;
#[cfg(feature = "signed-ids")]
use crate::session::SigningKeys;
use crate::session::suppression::Suppression;
use crate::session::{CreateSession, Session};
#[cfg(feature = "model-calls")]
use crate::span;

/// An answer that failed before its head has this status.
pub(super) const INTERNAL_SERVER_ERROR: u16 = 500;
/// An answer to a client that has gone has this status (nginx's "client closed request").
const CLIENT_CLOSED_REQUEST: u16 = 499;

const GRPC_STATUS_HEADER: &str = "grpc-status";
const CONTENT_LENGTH_HEADER: &str = "content-length";

/// A request is handled in one of two ways.
///
/// `Handling` goes from the request's future into the body, and frameworks move both a dozen times, so it is two words
/// long and what belongs to a session stays where it is.
pub(super) enum Handling {
    /// The layer begins no session. The tracer that is named records nothing meanwhile; where none is, a layer
    /// further out has seen to the request.
    LeftAlone(Option<MemberId>),
    /// The request has a session.
    Traced(Box<Traced>),
}

/// The moment at which a request came in is read from both clocks once: session and span begin at the same time.
#[derive(Clone, Copy)]
pub(super) struct Began {
    instant: Instant,
    pub(super) time: SystemTime,
}

impl Began {
    #[inline]
    pub(super) fn now() -> Self {
        Self {
            instant: Instant::now(),
            time: SystemTime::now(),
        }
    }
}

/// A traced request has a session until its body has ended.
pub(super) struct Traced {
    pub(super) session: Session,
    /// The pieces of the handler and of the body run in this context.
    pub(super) cx: Context,
    pub(super) began: Began,
    /// The request has a span of its own, the one of `cx`.
    pub(super) has_span: bool,
    pub(super) ending: Ending,
    pub(super) is_head: bool,
    pub(super) has_ended: bool,
    #[cfg(feature = "model-calls")]
    pub(super) captures_stream: bool,
    #[cfg(feature = "model-calls")]
    pub(super) streamed: Option<Box<Streamed>>,
    /// The keys sign the id in the response, where ids are signed.
    #[cfg(feature = "signed-ids")]
    pub(super) signing: Option<Box<SigningKeys>>,
    /// The request waits for the confirmation, boxed since few do.
    pub(super) confirmation: Option<Box<CreateSession>>,
    /// The held end is boxed, since few responses have one.
    pub(super) held: Option<Box<HeldEnd>>,
    /// The answer is known from the response's head on.
    pub(super) answer: Option<Answer>,
    /// The framework has made the answer of this error, which the handler returned.
    pub(super) handler_error: Option<String>,
}

/// The end of the request is recorded here, besides its span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The end is an update of the session.
    Update,
    /// The span says all, so the end is recorded nowhere else.
    Span,
    /// The session goes on, since the request is part of a unit of work: the end is recorded nowhere else.
    Joined,
}

/// An answer has a head, and so much of its body has come.
pub(super) struct Answer {
    pub(super) status_code: u16,
    grpc_status: Option<i32>,
    first_byte: Option<Instant>,
    pub(super) bytes: u64,
    /// A server that has all bytes of this length may never poll for the body's end.
    length: Option<u64>,
}

impl Handling {
    /// Runs a piece of the handler or of the body. A panic is recorded and goes on.
    #[inline]
    pub(super) fn run<T>(&mut self, piece: impl FnOnce() -> T) -> T {
        match self {
            // A panic passes untouched, since nothing is recorded.
            Self::LeftAlone(tracer) => {
                let _suppression = tracer.map(Suppression::of);
                piece()
            }
            Self::Traced(traced) => match run_in(&traced.cx, piece) {
                Ok(done) => done,
                Err(panic) => traced.panicked(panic),
            },
        }
    }

    /// Returns the request's session, until it has ended.
    #[inline]
    pub(super) fn open(&self) -> Option<&Traced> {
        match self {
            Self::Traced(traced) if !traced.has_ended => Some(traced),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn open_mut(&mut self) -> Option<&mut Traced> {
        match self {
            Self::Traced(traced) if !traced.has_ended => Some(traced),
            _ => None,
        }
    }

    /// Returns true while the end is held back.
    #[inline]
    pub(super) fn is_held(&self) -> bool {
        matches!(self, Self::Traced(traced) if traced.has_ended && traced.held.is_some())
    }

    /// Polls for the delivery: ready where the end is not held back.
    pub(super) fn poll_delivered(&mut self, cx: &mut task::Context<'_>) -> Poll<()> {
        if let Self::Traced(traced) = self
            && traced.has_ended
            && let Some(held) = &mut traced.held
        {
            ready!(held.poll(&traced.session.outbox, cx));
            traced.held = None;
        }
        Poll::Ready(())
    }

    /// Records that the owner has let go of the request: where the session has not ended, the client went away.
    #[inline]
    pub(super) fn let_go(&mut self) {
        if let Some(traced) = self.open_mut() {
            traced.abandoned();
        }
    }
}

impl Traced {
    /// Begins a request that came in at a time, without a span; it is under way until its [`end`](Self::end).
    #[inline]
    pub(super) fn begin(began: Began, session: Session, cx: Context, is_head: bool) -> Self {
        session.outbox.request_begins();
        Self {
            session,
            cx,
            began,
            has_span: false,
            ending: Ending::Update,
            is_head,
            has_ended: false,
            #[cfg(feature = "model-calls")]
            captures_stream: false,
            #[cfg(feature = "model-calls")]
            streamed: None,
            #[cfg(feature = "signed-ids")]
            signing: None,
            confirmation: None,
            held: None,
            answer: None,
            handler_error: None,
        }
    }

    /// Records that the response's head is ready.
    pub(super) fn answer(
        &mut self,
        status_code: u16,
        headers: &dyn Headers,
        body_length: Option<u64>,
    ) {
        let has_no_body =
            self.is_head || matches!(status_code, 100..=199 | 204 | 304) || body_length == Some(0);
        let found = match body_length {
            // A body with a declared length is neither gRPC nor a stream.
            Some(1..) => BodyHeaders::default(),
            _ => BodyHeaders::of(headers),
        };
        self.answer = Some(Answer {
            status_code,
            grpc_status: found.grpc_status,
            first_byte: None,
            bytes: 0,
            length: body_length.or(found.content_length),
        });
        #[cfg(feature = "model-calls")]
        if self.captures_stream && !has_no_body {
            self.streamed = Streamed::begin(&self.session.outbox, headers);
        }
        if has_no_body {
            self.complete();
        }
    }

    /// Reads the bytes of a stream that are about to pass.
    #[cfg(feature = "model-calls")]
    pub(super) fn listen(&mut self, bytes: &[u8]) {
        if let Some(streamed) = &mut self.streamed {
            streamed.take(&self.session.outbox, bytes);
        }
    }

    /// Leaves out bytes of a stream that are about to pass and cannot be read.
    #[cfg(feature = "model-calls")]
    pub(super) fn skip(&mut self, bytes: usize) {
        if let Some(streamed) = &mut self.streamed {
            streamed.skip(bytes);
        }
    }

    /// Records the streamed text as the outputs.
    #[cfg(feature = "model-calls")]
    fn say_streamed(&mut self, outcome: Outcome) {
        let Some(streamed) = self.streamed.take() else {
            return;
        };
        if let Some(outputs) = streamed.finish(&self.session.outbox, outcome) {
            if self.has_span {
                span::enrich(&self.cx.span(), outputs.clone());
            }
            if matches!(self.ending, Ending::Update) {
                self.session.enrich(outputs);
            }
        }
    }

    /// Counts bytes of the body that are about to pass.
    pub(super) fn data(&mut self, bytes: usize) {
        let Some(answer) = &mut self.answer else {
            return;
        };
        answer.bytes += bytes as u64;
        let is_first = answer.first_byte.is_none() && bytes > 0;
        let is_last = answer.length.is_some_and(|length| answer.bytes >= length);
        if !(is_first || is_last) {
            return;
        }
        let now = Instant::now();
        if is_first {
            answer.first_byte = Some(now);
        }
        if is_last {
            self.complete_at(now);
        }
    }

    pub(super) fn trailers(&mut self, trailers: &dyn Headers) {
        if let Some(answer) = &mut self.answer {
            answer.grpc_status = BodyHeaders::of(trailers).grpc_status.or(answer.grpc_status);
        }
        self.complete();
    }

    /// Ends an answer that is complete.
    pub(super) fn complete(&mut self) {
        self.complete_at(Instant::now());
    }

    fn complete_at(&mut self, now: Instant) {
        let error = self.handler_error.clone().map(Cow::Owned);
        let error = error.or_else(|| self.answer.as_ref()?.error());
        self.end(now, Outcome::Complete, INTERNAL_SERVER_ERROR, error);
    }

    /// Ends a complete answer whose head an outer layer makes.
    pub(super) fn complete_with(&mut self, status_code: u16) {
        self.end(Instant::now(), Outcome::Complete, status_code, None);
    }

    /// Ends the request in another way. The status is that of the response's head, where there was one.
    #[cold]
    pub(super) fn fail(&mut self, outcome: Outcome, status_before_head: u16, error: String) {
        self.end(
            Instant::now(),
            outcome,
            status_before_head,
            Some(error.into()),
        );
    }

    #[cold]
    fn abandoned(&mut self) {
        let outcome = Outcome::ClientDisconnected;
        self.end(Instant::now(), outcome, CLIENT_CLOSED_REQUEST, None);
        self.hurry();
    }

    /// Makes delivery begin, without waiting: nothing is left to be held back.
    fn hurry(&mut self) {
        if let Some(held) = self.held.take() {
            held.hurry(&self.session.outbox);
        }
    }

    #[cold]
    fn panicked(&mut self, panic: Box<dyn Any + Send>) -> ! {
        if !self.has_ended {
            let text = panic_text(&*panic);
            self.fail(Outcome::Panicked, INTERNAL_SERVER_ERROR, text);
            self.hurry();
        }
        resume_unwind(panic)
    }

    /// Sends one update of the session, and ends the request's span where it has one. The context stays: a framework
    /// may poll a body whose bytes nobody gets, as actix-web does for `HEAD`, and spans of that body still belong to
    /// this session.
    fn end(
        &mut self,
        now: Instant,
        outcome: Outcome,
        status_before_head: u16,
        error: Option<Cow<'static, str>>,
    ) {
        self.has_ended = true;
        #[cfg(feature = "model-calls")]
        self.say_streamed(outcome);
        let mut end = self.session_end(now, outcome, status_before_head, error);
        if self.has_span {
            self.end_span(&end);
        }
        if end.error.is_some() && self.error_is_a_status(outcome) && self.session.start.has_error()
        {
            end.error = None;
        }
        match self.ending {
            Ending::Update => self.session.end(end),
            Ending::Span => self.session.has_ended(),
            Ending::Joined => {}
        }
        self.session.outbox.request_ends();
    }

    /// Returns true where the error of the end is made of the answer's status, which says less than the program has said.
    fn error_is_a_status(&self, outcome: Outcome) -> bool {
        outcome == Outcome::Complete && self.handler_error.is_none()
    }

    #[inline]
    fn session_end(
        &self,
        now: Instant,
        outcome: Outcome,
        status_before_head: u16,
        error: Option<Cow<'static, str>>,
    ) -> SessionEnd {
        let answer = self.answer.as_ref();
        let duration = now.saturating_duration_since(self.began.instant);
        SessionEnd {
            ended_at: self.began.time + duration,
            duration,
            outcome,
            status_code: Some(answer.map_or(status_before_head, |it| it.status_code)),
            grpc_status: answer.and_then(|it| it.grpc_status),
            time_to_first_byte: answer.and_then(|it| it.first_byte).map(|first| {
                // A short answer has both at once.
                if first == now {
                    duration
                } else {
                    first.saturating_duration_since(self.began.instant)
                }
            }),
            response_bytes: answer.map(|it| it.bytes),
            error: error.map(Cow::into_owned),
            whole_session: self.session.is_whole(),
        }
    }

    /// Ends the request's span. Where the session's update tells of the answer's body, the span does not.
    fn end_span(&self, end: &SessionEnd) {
        let span = self.cx.span();
        if self.ending != Ending::Update {
            tell_body(&span, end);
        }
        if let Some(status) = end.status_code {
            span.set_attribute(KeyValue::new(
                "honeyhive_outputs.status_code",
                i64::from(status),
            ));
        }
        span.set_attribute(KeyValue::new(
            "honeyhive_metadata.outcome",
            end.outcome.name(),
        ));
        if let Some(status) = end.grpc_status {
            span.set_attribute(KeyValue::new(
                "honeyhive_outputs.grpc_status",
                i64::from(status),
            ));
        }
        if let Some(error) = &end.error {
            span.set_attribute(KeyValue::new(ERROR, error.clone()));
            span.set_status(Status::error(error.clone()));
        }
        span.end_with_timestamp(end.ended_at);
    }
}

impl Answer {
    /// Returns the error of a complete answer: server errors only, as in OpenTelemetry's conventions.
    fn error(&self) -> Option<Cow<'static, str>> {
        match (self.grpc_status, self.status_code) {
            (Some(status @ (2 | 4 | 12..=15)), _) => Some(format!("gRPC status {status}").into()),
            (_, status @ 500..) => Some(format!("HTTP status {status}").into()),
            _ => None,
        }
    }
}

#[cold]
fn tell_body(span: &SpanRef<'_>, end: &SessionEnd) {
    if let Some(time) = end.time_to_first_byte {
        span.set_attribute(KeyValue::new(
            "honeyhive_metadata.time_to_first_byte_ms",
            milliseconds(time),
        ));
    }
    if let Some(bytes) = end.response_bytes {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        span.set_attribute(KeyValue::new("honeyhive_metadata.response_bytes", bytes));
    }
}

/// The response's headers or trailers tell about the body and the outcome of the call.
#[derive(Default)]
struct BodyHeaders {
    content_length: Option<u64>,
    grpc_status: Option<i32>,
}

impl BodyHeaders {
    fn of(headers: &dyn Headers) -> Self {
        let mut found = Self::default();
        headers.for_each(&mut |name, value| match name {
            CONTENT_LENGTH_HEADER => found.content_length = number(value),
            GRPC_STATUS_HEADER => found.grpc_status = number(value),
            _ => {}
        });
        found
    }
}

fn number<T: FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}
