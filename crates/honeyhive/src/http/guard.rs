//! One request on its way: [`RequestGuard`] until the response head, [`ResponseGuard`] until its body's
//! end. However it ends, the session is enriched exactly once.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{self, Poll, ready};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::names::Named;
use super::request::{Seen, Single};
use super::{Headers, Inner, RequestInfo, ServerInstrumentation, SessionStart, names};
use crate::attributes::{ERROR, EVENT_TYPE};
use crate::config::SessionTransport;
use crate::enrichment::Object;
use crate::event_type::EventType;
use crate::id::SessionId;
use crate::outbox::Outbox;
use crate::outbox::{Inputs, Outcome, Record, RequestInputs, SessionEnd, StartRecord, Update};
use crate::propagation;
use crate::session::current::{self, Suppression};
use crate::session::{CreateSession, Session};

/// What an answer that failed before its head counts as.
const INTERNAL_SERVER_ERROR: u16 = 500;
/// What an answer that nobody waited for counts as (nginx's "client closed request").
const CLIENT_CLOSED_REQUEST: u16 = 499;

const GRPC_STATUS_HEADER: &str = "grpc-status";
const CONTENT_LENGTH_HEADER: &str = "content-length";

impl ServerInstrumentation {
    /// A request has come in: its session begins or is linked, or it is left alone.
    ///
    /// Nothing here waits, takes a lock for longer than a push, or can panic.
    pub fn on_request(&self, request: &RequestInfo<'_>) -> RequestGuard {
        Context::map_current(|cx| self.on_request_in(cx, request))
    }

    fn on_request_in(&self, cx: &Context, request: &RequestInfo<'_>) -> RequestGuard {
        let inner = &self.inner;
        let outbox = inner.tracer.outbox();
        if let Some(current) = current::of_tracer(cx, outbox)
            && current.is_request
        {
            // A layer further out has opened the session already.
            return RequestGuard::inactive(Scope::Unchanged);
        }
        if current::is_suppressed(outbox) || !inner.is_traced(request) {
            return RequestGuard::inactive(Scope::Suppressed(Arc::clone(outbox)));
        }
        self.open(cx, request)
    }

    fn open(&self, cx: &Context, request: &RequestInfo<'_>) -> RequestGuard {
        let inner = &self.inner;
        let began = Instant::now();
        let seen = request.seen(&inner.session_id_header);
        let link = inner.link(&seen);
        let session = match link {
            Some(Link { id, .. }) => inner.linked_session(id, request),
            None => inner.new_session(request, &seen),
        };
        inner.adopt_enclosing_span(cx, &session);
        let cx = match link {
            Some(Link {
                from_baggage: true, ..
            }) => &with_remote_parent(cx, request),
            _ => cx,
        };
        let cx = current::with_session(cx, session.clone(), true);
        let cx = if inner.request_span {
            inner.with_request_span(&cx, &session)
        } else {
            cx
        };
        let active = Active {
            instrumentation: Arc::clone(inner),
            session: session.clone(),
            began,
            is_head: request.method() == "HEAD",
        };
        RequestGuard {
            scope: Scope::Session(cx),
            confirmation: inner.confirmation(&session),
            active: Some(active),
        }
    }
}

/// A session that a request asked for.
#[derive(Clone, Copy)]
struct Link {
    id: SessionId,
    from_baggage: bool,
}

impl Inner {
    fn is_traced(&self, request: &RequestInfo<'_>) -> bool {
        match &self.filter {
            Some(filter) => self.guarded(|| filter(request)).unwrap_or(true),
            None => !request.is_routine(),
        }
    }

    /// Runs a callback of the program's; a panic in it is counted and goes no further.
    fn guarded<T>(&self, callback: impl FnOnce() -> T) -> Option<T> {
        let outcome = catch_unwind(AssertUnwindSafe(callback));
        if outcome.is_err() {
            self.tracer.outbox().count_callback_panic();
        }
        outcome.ok()
    }

    /// The session that the request asks for, in its header or else in its baggage.
    fn link(&self, seen: &Seen<'_>) -> Option<Link> {
        if self.trust.is_never() {
            return None;
        }
        match seen.session_id {
            Single::Absent => self.link_in_baggage(seen),
            Single::Unusable => self.ignored(),
            Single::Text(raw) => match self.guarded(|| self.trust.session(raw.trim())).flatten() {
                Some(id) => Some(Link {
                    id,
                    from_baggage: false,
                }),
                None => self.ignored(),
            },
        }
    }

    fn link_in_baggage(&self, seen: &Seen<'_>) -> Option<Link> {
        let (encoded, ours) = propagation::session_in_baggage(seen.baggage()?)?;
        let raw = propagation::percent_decoded(encoded)?;
        // The bare key belongs to everybody, so it counts only where it holds a well-formed UUID.
        if !ours && raw.parse::<SessionId>().is_err() {
            return None;
        }
        match self.guarded(|| self.trust.session(&raw)).flatten() {
            Some(id) => Some(Link {
                id,
                from_baggage: true,
            }),
            None => self.ignored(),
        }
    }

    fn ignored<T>(&self) -> Option<T> {
        self.tracer.outbox().count_ignored_session_id();
        None
    }

    fn new_session(&self, request: &RequestInfo<'_>, seen: &Seen<'_>) -> Session {
        let Named { name, path } = self.named(request);
        let inputs = Inputs::Request(RequestInputs {
            method: request.owned_method(),
            path,
            user_id: seen.user_id().map(Into::into),
            more: self.more_inputs(request),
        });
        let start = StartRecord::new(SessionId::new(), name, inputs, SystemTime::now());
        Session::open(self.tracer.outbox(), start)
    }

    fn linked_session(&self, id: SessionId, request: &RequestInfo<'_>) -> Session {
        let inputs = Inputs::Object(Object::new());
        let start = StartRecord::new(id, self.named(request).name, inputs, SystemTime::now());
        Session::link(self.tracer.outbox(), start)
    }

    fn confirmation(&self, session: &Session) -> Option<CreateSession> {
        (self.start == SessionStart::Confirmed).then(|| CreateSession::new(session.clone()))
    }

    fn named(&self, request: &RequestInfo<'_>) -> Named {
        self.session_name
            .as_ref()
            .and_then(|name| self.guarded(|| name(request)))
            .map_or_else(
                || names::by_route(request),
                |name| names::given(name, request),
            )
    }

    fn more_inputs(&self, request: &RequestInfo<'_>) -> Object {
        self.inputs
            .as_ref()
            .and_then(|inputs| self.guarded(|| inputs(request)))
            .unwrap_or_default()
    }

    /// A span around this layer, such as tower-http's, started before there was a session; it belongs to
    /// this one all the same.
    fn adopt_enclosing_span(&self, cx: &Context, session: &Session) {
        let span = cx.span();
        let enclosing = span.span_context();
        if enclosing.is_valid() && !enclosing.is_remote() {
            self.tracer
                .outbox()
                .push(Record::Adopted(enclosing.span_id(), session.id()));
        }
    }

    fn with_request_span(&self, cx: &Context, session: &Session) -> Context {
        let mut attributes = Vec::with_capacity(12);
        attributes.push(KeyValue::new(EVENT_TYPE, EventType::Chain.as_str()));
        if let Inputs::Request(inputs) = &session.start.inputs {
            attributes.push(KeyValue::new(
                "honeyhive_inputs.method",
                inputs.method.clone(),
            ));
            attributes.push(KeyValue::new(
                "honeyhive_inputs.path",
                inputs.path.to_string(),
            ));
            if let Some(user_id) = &inputs.user_id {
                attributes.push(KeyValue::new(
                    "honeyhive_inputs.user_id",
                    user_id.to_string(),
                ));
            }
        }
        let builder = SpanBuilder::from_name(session.start.name.to_string())
            .with_kind(SpanKind::Server)
            .with_attributes(attributes);
        let span = self.tracer.sdk_tracer().build_with_context(builder, cx);
        cx.with_span(span)
    }
}

/// A caller that sent its session in baggage is traced by HoneyHive too, so its span is a parent worth
/// having. A span that is current here already goes first.
fn with_remote_parent(cx: &Context, request: &RequestInfo<'_>) -> Context {
    if cx.span().span_context().is_valid() {
        return cx.clone();
    }
    TraceContextPropagator::new().extract_with_context(cx, request)
}

/// What is needed to end the session.
struct Active {
    instrumentation: Arc<Inner>,
    session: Session,
    began: Instant,
    is_head: bool,
}

/// How an answer ended.
struct Ending {
    at: Instant,
    outcome: Outcome,
    status_code: u16,
    error: Option<String>,
    grpc_status: Option<i32>,
    time_to_first_byte: Option<Duration>,
    response_bytes: Option<u64>,
}

impl Ending {
    fn before_head(outcome: Outcome, status_code: u16, error: Option<String>) -> Self {
        Self {
            at: Instant::now(),
            outcome,
            status_code,
            error,
            grpc_status: None,
            time_to_first_byte: None,
            response_bytes: None,
        }
    }
}

impl Active {
    fn end(self, scope: &Scope, ending: Ending) {
        if self.instrumentation.request_span
            && let Some(cx) = scope.context()
        {
            end_request_span(cx, &ending);
        }
        if self.instrumentation.tracer.session_transport() == SessionTransport::Otlp {
            return;
        }
        let duration = ending.at.saturating_duration_since(self.began);
        self.session.update(Update::End(SessionEnd {
            ended_at: self.session.start.started_at + duration,
            duration,
            outcome: ending.outcome,
            status_code: Some(ending.status_code),
            grpc_status: ending.grpc_status,
            time_to_first_byte: ending.time_to_first_byte,
            response_bytes: ending.response_bytes,
            error: ending.error,
            whole_session: self.session.is_whole(),
        }));
    }
}

fn end_request_span(cx: &Context, ending: &Ending) {
    let span = cx.span();
    span.set_attribute(KeyValue::new(
        "honeyhive_outputs.status_code",
        i64::from(ending.status_code),
    ));
    span.set_attribute(KeyValue::new(
        "honeyhive_metadata.outcome",
        ending.outcome.name(),
    ));
    if let Some(status) = ending.grpc_status {
        span.set_attribute(KeyValue::new(
            "honeyhive_outputs.grpc_status",
            i64::from(status),
        ));
    }
    if let Some(error) = &ending.error {
        span.set_attribute(KeyValue::new(ERROR, error.clone()));
        span.set_status(Status::error(error.clone()));
    }
    span.end();
}

/// What the pieces of a request run in.
enum Scope {
    /// What is there already.
    Unchanged,
    /// The context of the request's session.
    Session(Context),
    /// Nothing is recorded.
    Suppressed(Arc<Outbox>),
}

impl Scope {
    fn run<T>(&self, piece: impl FnOnce() -> T) -> std::thread::Result<T> {
        // The panic goes on afterwards, so nobody sees what it may have left half-done.
        let piece = AssertUnwindSafe(piece);
        match self {
            Self::Unchanged => catch_unwind(piece),
            Self::Session(cx) => {
                let _attached = cx.clone().attach();
                catch_unwind(piece)
            }
            Self::Suppressed(outbox) => {
                let _suppressed = Suppression::of(outbox);
                catch_unwind(piece)
            }
        }
    }

    const fn context(&self) -> Option<&Context> {
        match self {
            Self::Session(cx) => Some(cx),
            Self::Unchanged | Self::Suppressed(_) => None,
        }
    }
}

/// A request that is being handled. Dropping it says that the client went away.
#[must_use = "dropping the guard says that the client went away"]
pub struct RequestGuard {
    scope: Scope,
    active: Option<Active>,
    confirmation: Option<CreateSession>,
}

impl RequestGuard {
    const fn inactive(scope: Scope) -> Self {
        Self {
            scope,
            active: None,
            confirmation: None,
        }
    }

    /// The session that begins or is linked here; `None` where the request is not traced, or a layer
    /// further out has seen to it.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.active.as_ref().map(|active| &active.session)
    }

    /// Ready at once, except under [`SessionStart::Confirmed`]: then once HoneyHive has answered. The
    /// handler is not polled before.
    pub fn poll_confirmed(&mut self, cx: &mut task::Context<'_>) -> Poll<()> {
        if let Some(confirmation) = &mut self.confirmation {
            // Whatever HoneyHive says, the request goes on.
            let _ = ready!(Pin::new(confirmation).poll(cx));
            self.confirmation = None;
        }
        Poll::Ready(())
    }

    /// Runs a piece of the handler in the request's context. A panic is recorded and goes on.
    pub fn run<T>(&mut self, piece: impl FnOnce() -> T) -> T {
        self.scope.run(piece).unwrap_or_else(|panic| {
            self.end(
                Outcome::Panicked,
                INTERNAL_SERVER_ERROR,
                Some(panic_text(&*panic)),
            );
            resume_unwind(panic)
        })
    }

    /// Which id the response header should carry, unless the program has set that header itself.
    #[must_use]
    pub fn response_id(&self) -> Option<SessionId> {
        self.active.as_ref().map(|active| active.session.id())
    }

    /// The response head is ready, with a body of this length where it is known.
    pub fn on_response(
        &mut self,
        status_code: u16,
        headers: &dyn Headers,
        body_length: Option<u64>,
    ) -> ResponseGuard {
        let active = self.active.take();
        let has_no_body = active.as_ref().is_some_and(|active| active.is_head)
            || matches!(status_code, 100..=199 | 204 | 304)
            || body_length == Some(0);
        let told = if active.is_some() {
            Told::by(headers)
        } else {
            Told::default()
        };
        let mut guard = ResponseGuard {
            scope: std::mem::replace(&mut self.scope, Scope::Unchanged),
            active,
            status_code,
            grpc_status: told.grpc_status,
            first_byte: None,
            bytes: 0,
            length: body_length.or(told.content_length),
        };
        if has_no_body {
            guard.finish();
        }
        guard
    }

    /// The handler failed. With a status, the framework makes a response of the error further out;
    /// without one there will be none.
    pub fn on_error(&mut self, status_code: Option<u16>, error: &dyn fmt::Display) {
        let status = status_code.unwrap_or(INTERNAL_SERVER_ERROR);
        if status < INTERNAL_SERVER_ERROR {
            // An answer to the client's mistake is an answer like any other.
            self.end(Outcome::Complete, status, None);
        } else {
            self.end(Outcome::Error, status, Some(error.to_string()));
        }
    }

    fn end(&mut self, outcome: Outcome, status_code: u16, error: Option<String>) {
        if let Some(active) = self.active.take() {
            active.end(
                &self.scope,
                Ending::before_head(outcome, status_code, error),
            );
        }
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.end(Outcome::ClientDisconnected, CLIENT_CLOSED_REQUEST, None);
    }
}

impl fmt::Debug for RequestGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RequestGuard")
            .field("session", &self.session())
            .finish_non_exhaustive()
    }
}

/// A response whose body is on its way. Dropping it says that the client went away.
#[must_use = "dropping the guard says that the client went away"]
pub struct ResponseGuard {
    scope: Scope,
    active: Option<Active>,
    status_code: u16,
    grpc_status: Option<i32>,
    first_byte: Option<Instant>,
    bytes: u64,
    /// How many bytes there will be: a server that has them all may never ask for the body's end.
    length: Option<u64>,
}

impl ResponseGuard {
    /// True where nothing is recorded any more, so that a body need not be watched.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.active.is_none()
    }

    /// Polls the body in the request's context. A panic is recorded and goes on.
    pub fn run<T>(&mut self, piece: impl FnOnce() -> T) -> T {
        self.scope.run(piece).unwrap_or_else(|panic| {
            self.end(Outcome::Panicked, Some(panic_text(&*panic).into()));
            resume_unwind(panic)
        })
    }

    /// Bytes of the body are about to pass.
    pub fn on_data(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let is_first = self.first_byte.is_none() && bytes > 0;
        let is_last = self.length.is_some_and(|length| self.bytes >= length);
        if self.active.is_none() || !(is_first || is_last) {
            return;
        }
        let now = Instant::now();
        if is_first {
            self.first_byte = Some(now);
        }
        if is_last {
            self.finish_at(now);
        }
    }

    /// Trailers are about to pass; they end the body.
    pub fn on_trailers(&mut self, trailers: &dyn Headers) {
        self.grpc_status = Told::by(trailers).grpc_status.or(self.grpc_status);
        self.finish();
    }

    /// The body has ended.
    pub fn finish(&mut self) {
        if !self.is_done() {
            self.finish_at(Instant::now());
        }
    }

    fn finish_at(&mut self, now: Instant) {
        let error = self.error_of_status();
        self.end_at(now, Outcome::Complete, error);
    }

    /// The body has failed.
    pub fn on_error(&mut self, error: &dyn fmt::Display) {
        self.end(Outcome::Error, Some(error.to_string().into()));
    }

    /// What a complete answer says of itself: server errors only, as OpenTelemetry's conventions have it.
    fn error_of_status(&self) -> Option<Cow<'static, str>> {
        match (self.grpc_status, self.status_code) {
            (Some(status @ (2 | 4 | 12..=15)), _) => Some(format!("gRPC status {status}").into()),
            (_, status @ 500..) => Some(format!("HTTP status {status}").into()),
            _ => None,
        }
    }

    fn end(&mut self, outcome: Outcome, error: Option<Cow<'static, str>>) {
        if !self.is_done() {
            self.end_at(Instant::now(), outcome, error);
        }
    }

    fn end_at(&mut self, now: Instant, outcome: Outcome, error: Option<Cow<'static, str>>) {
        let Some(active) = self.active.take() else {
            return;
        };
        let ending = Ending {
            at: now,
            outcome,
            status_code: self.status_code,
            error: error.map(Cow::into_owned),
            grpc_status: self.grpc_status,
            time_to_first_byte: self.first_byte.map(|first| first - active.began),
            response_bytes: Some(self.bytes),
        };
        // The scope stays: a framework may poll a body whose bytes nobody gets, as actix-web does for `HEAD`,
        // and what is made there is this session's still.
        active.end(&self.scope, ending);
    }
}

impl Drop for ResponseGuard {
    fn drop(&mut self) {
        self.end(Outcome::ClientDisconnected, None);
    }
}

impl fmt::Debug for ResponseGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResponseGuard")
            .field("status_code", &self.status_code)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// What the response's headers or trailers say of the body and of how the call went.
#[derive(Default)]
struct Told {
    content_length: Option<u64>,
    grpc_status: Option<i32>,
}

impl Told {
    fn by(headers: &dyn Headers) -> Self {
        let mut told = Self::default();
        headers.for_each(&mut |name, value| match name {
            CONTENT_LENGTH_HEADER => told.content_length = number(value),
            GRPC_STATUS_HEADER => told.grpc_status = number(value),
            _ => {}
        });
        told
    }
}

fn number<T: FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("(no message)"))
}
