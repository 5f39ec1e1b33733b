//! The instrumentation opens a request that comes in: its session begins or is linked.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::held_end::HeldEnd;
use super::names::{self, Named};
use super::request::{Seen, Single};
use super::traced::{Began, Ending, Handling, Traced};
use super::{Inner, RequestGuard, RequestInfo, ServerInstrumentation, SessionStart, SessionTrust};
use crate::attributes::EVENT_TYPE;
use crate::context;
use crate::enrichment::Enrichment;
use crate::event_type::EventType;
use crate::incoming::{self, enclosing_span};
use crate::log::Once;
use crate::model::id::SessionId;
use crate::model::object::Object;
use crate::outbox::{Experiment, Facts, Inputs, Outbox, Record, RequestInputs, StartRecord};
use crate::owners;
use crate::session::{CreateSession, Session, current, suppression};
use crate::settings::SessionTransport;
use crate::span;

impl ServerInstrumentation {
    /// Opens a request that has come in: its session begins or is linked, or it is left alone.
    ///
    /// Nothing here waits, takes a lock for longer than a push, or can panic.
    pub fn on_request(&self, request: &RequestInfo<'_>) -> RequestGuard {
        // The context is a copy, since the program's callbacks may attach a context of their own.
        let cx = &context::current();
        let inner = &self.inner;
        let outbox = inner.tracer.outbox();
        if outbox.is_disabled() {
            return RequestGuard(Handling::LeftAlone(Some(outbox.member().id())));
        }
        if owners::are_several() {
            warn_of_two_tracers(cx, outbox);
        }
        let open = current::of_tracer(cx, outbox).filter(|current| current.is_request);
        if open.is_some() || suppression::is_suppressed(outbox) {
            let joined = open.and_then(|open| self.join(cx, request, &open.session));
            // An outer layer has begun the session already.
            return joined.unwrap_or(RequestGuard(Handling::LeftAlone(None)));
        }
        if !inner.is_traced(request) {
            if let Some(span) = enclosing_span(cx) {
                outbox.push(Record::Ignored(span));
            }
            return RequestGuard(Handling::LeftAlone(Some(outbox.member().id())));
        }
        self.open(cx, request)
    }

    /// Renames the session and the request's span after the route that the framework has taken, where it is another
    /// than the one that the request was opened with. A session whose start has been sent keeps its name.
    pub fn on_routed(&self, guard: &RequestGuard, request: &RequestInfo<'_>) {
        let Some(traced) = guard.0.open() else {
            return;
        };
        let name = self.inner.named(request).name;
        if traced.has_span {
            traced.cx.span().update_name((*name).to_owned());
        }
        if traced.ending != Ending::Joined {
            traced.session.start.settle_name(name);
        }
    }

    fn open(&self, cx: &Context, request: &RequestInfo<'_>) -> RequestGuard {
        let inner = &self.inner;
        let began = Began::now();
        let seen = request.seen(&inner.session_id_header);
        let trust = inner.trust_in(request);
        let link =
            Link::to_experiment_of_another(cx).or_else(|| inner.link(request, &seen, &trust));
        let is_of_caller = link.as_ref().is_some_and(|link| link.is_of_caller);
        let (session, linked) = match link {
            Some(link) => {
                let named = inner.named(request);
                (
                    inner.linked_session(link, &named, request, began.time),
                    Some(named),
                )
            }
            None => (inner.new_session(request, &seen, began.time), None),
        };
        session.turn_begins();
        incoming::adopt_enclosing_span(cx, &session);
        let cx = if is_of_caller {
            &with_remote_parent(cx, request)
        } else {
            cx
        };
        let cx = current::with_session(cx, session.clone(), true);
        // The session of a caller or an experiment has outputs and an end of its own: the request's span tells how the
        // request went.
        let joining = linked.filter(|_| is_of_caller || session.start.experiment().is_some());
        let has_span = inner.request_span || joining.is_some();
        let ending = if inner.is_left_to_spans() || joining.is_some() {
            Ending::Span
        } else {
            Ending::Update
        };
        let cx = match joining {
            Some(named) => inner.with_joining_span(&cx, named, began.time),
            None if has_span => inner.with_request_span(&cx, &session),
            None => cx,
        };
        RequestGuard(Handling::Traced(Box::new(Traced {
            has_span,
            ending,
            #[cfg(feature = "model-calls")]
            captures_stream: self.captures_stream,
            #[cfg(feature = "signed-ids")]
            signing: trust.signing_keys().cloned().map(Box::new),
            confirmation: inner.confirmation(&session),
            held: inner.held(),
            ..Traced::begin(began, session, cx, request.method() == "HEAD")
        })))
    }

    /// Joins a datapoint of an experiment: a request within one is part of it, and has a span where requests have one.
    fn join(
        &self,
        cx: &Context,
        request: &RequestInfo<'_>,
        session: &Session,
    ) -> Option<RequestGuard> {
        let inner = &self.inner;
        session.start.experiment()?;
        let is_wanted = inner.request_span && cx.get::<Joined>().is_none();
        if !is_wanted || !inner.is_traced(request) {
            return None;
        }
        let began = Began::now();
        let named = inner.named(request);
        let cx = inner.with_joining_span(&cx.with_value(Joined), named, began.time);
        Some(RequestGuard(Handling::Traced(Box::new(Traced {
            has_span: true,
            ending: Ending::Joined,
            #[cfg(feature = "model-calls")]
            captures_stream: self.captures_stream,
            ..Traced::begin(began, session.clone(), cx, request.method() == "HEAD")
        }))))
    }
}

/// The mark in the context shows that a request has joined a unit of work: an inner layer does not join again.
#[derive(Debug)]
struct Joined;

/// Warns once per process that there are two tracers: two projects may be meant, but most often a tracer was made
/// twice.
fn warn_of_two_tracers(cx: &Context, outbox: &Arc<Outbox>) {
    static TOLD: Once = Once::new();
    let outer = current::of_request(cx);
    if outer.is_some_and(|outer| !Arc::ptr_eq(&outer.outbox, outbox)) {
        TOLD.warn(
            "a request is in the layers of two tracers, so it becomes a session in each, and the response names that of \
             the inner one: make one tracer when the program starts, and clone it wherever it is needed",
        );
    }
}

/// Most request spans need this many attributes, with the session's id and those of the end.
const ATTRIBUTES: usize = 8;

/// A request names its session by a link.
struct Link {
    id: SessionId,
    /// The session comes in the baggage of a caller that HoneyHive traces, too, and that ends the session.
    is_of_caller: bool,
    experiment: Option<Experiment>,
}

impl Link {
    /// Returns the session of an experiment that is current here by another tracer: the request is part of that.
    fn to_experiment_of_another(cx: &Context) -> Option<Self> {
        let session = current::of_request(cx)?;
        Some(Self {
            id: session.id(),
            is_of_caller: false,
            experiment: Some(session.start.experiment()?.clone()),
        })
    }
}

impl Inner {
    fn is_traced(&self, request: &RequestInfo<'_>) -> bool {
        let is_let_through = match &self.filter {
            Some(filter) => self.guarded(|| filter(request)).unwrap_or(true),
            None => !request.is_routine(),
        };
        is_let_through && !self.is_skipped(request)
    }

    fn is_skipped(&self, request: &RequestInfo<'_>) -> bool {
        let mut skips = self.skips.iter();
        skips.any(|skip| self.guarded(|| skip(request)).unwrap_or(false))
            || (self.skip_unmatched && request.is_unmatched())
    }

    fn guarded<T>(&self, callback: impl FnOnce() -> T) -> Option<T> {
        incoming::guarded(self.tracer.outbox(), callback)
    }

    /// Returns the session that the request names: in its header, else where the program looks for it, else in its
    /// baggage. An id that is not taken counts as absent, so the next place is asked.
    fn link(
        &self,
        request: &RequestInfo<'_>,
        seen: &Seen<'_>,
        trust: &SessionTrust,
    ) -> Option<Link> {
        if trust.is_never() {
            return None;
        }
        self.link_in_header(seen, trust)
            .or_else(|| self.link_elsewhere(request, seen, trust))
            .or_else(|| self.link_in_baggage(seen, trust))
    }

    fn link_in_header(&self, seen: &Seen<'_>, trust: &SessionTrust) -> Option<Link> {
        match seen.session_id {
            Single::Absent => None,
            Single::Unusable => self.ignored(),
            Single::Text(raw) => self.link_to(raw, seen, trust),
        }
    }

    /// Returns the session of the id that the program finds.
    #[inline]
    fn link_elsewhere(
        &self,
        request: &RequestInfo<'_>,
        seen: &Seen<'_>,
        trust: &SessionTrust,
    ) -> Option<Link> {
        let find = self.session_id.as_ref()?;
        let raw = self.guarded(|| find(request)).flatten()?;
        self.link_to(&raw, seen, trust)
    }

    /// Returns the trust in the ids of this request, which may be signed for its tenant.
    #[inline]
    fn trust_in(&self, request: &RequestInfo<'_>) -> Cow<'_, SessionTrust> {
        #[cfg(feature = "signed-ids")]
        if let Some(tenant) = &self.tenant
            && let outbox = self.tracer.outbox()
            && let Some(trust) = self.trust.for_tenant(outbox, || tenant(request))
        {
            return Cow::Owned(trust);
        }
        let _ = request;
        Cow::Borrowed(&self.trust)
    }

    fn link_in_baggage(&self, seen: &Seen<'_>, trust: &SessionTrust) -> Option<Link> {
        let trusted = |raw: &str| trust.session_or_count(raw, self.tracer.outbox());
        let id = seen.baggage.session(trusted)?;
        Some(Link {
            id,
            is_of_caller: true,
            experiment: trust.experiment(|| seen.baggage.experiment()),
        })
    }

    fn link_to(&self, raw: &str, seen: &Seen<'_>, trust: &SessionTrust) -> Option<Link> {
        let id = trust.session_or_count(raw.trim(), self.tracer.outbox())?;
        let in_baggage = seen.baggage.session(|raw| trust.session_beside(raw));
        Some(Link {
            id,
            is_of_caller: in_baggage == Some(id),
            experiment: trust.experiment(|| seen.baggage.experiment()),
        })
    }

    fn ignored<T>(&self) -> Option<T> {
        self.tracer.outbox().count_ignored_session_ids(1);
        None
    }

    #[inline]
    fn new_session(
        &self,
        request: &RequestInfo<'_>,
        seen: &Seen<'_>,
        started_at: SystemTime,
    ) -> Session {
        let Named { method, name, path } = self.named(request);
        let user = self.user(request);
        let user_id = user.as_deref().or_else(|| seen.user_id());
        let inputs = Inputs::Request(RequestInputs {
            method,
            path,
            user_id: user_id.map(Into::into),
            more: self.more_inputs(request),
        });
        let mut start = StartRecord::new(SessionId::new(), name, inputs, started_at);
        start.facts = user.and_then(|user| Facts::of_user(user).boxed());
        start.is_fresh = true;
        start.will_end = true;
        start.by_spans = self.is_left_to_spans();
        Session::open(self.tracer.outbox(), start)
    }

    fn linked_session(
        &self,
        link: Link,
        named: &Named,
        request: &RequestInfo<'_>,
        started_at: SystemTime,
    ) -> Session {
        let inputs = Inputs::Object(Object::new());
        let name = Arc::clone(&named.name);
        let mut start = StartRecord::new(link.id, name, inputs, started_at);
        let user = self.user(request).map(Facts::of_user);
        start.facts = Facts {
            experiment: link.experiment,
            ..user.unwrap_or_default()
        }
        .boxed();
        start.will_end = true;
        Session::link(self.tracer.outbox(), start)
    }

    /// Returns whether attributes of a request go with its span only.
    fn is_left_to_spans(&self) -> bool {
        self.tracer.session_transport() == SessionTransport::Otlp
    }

    fn held(&self) -> Option<Box<HeldEnd>> {
        Some(Box::new(HeldEnd::new(self.flushing.as_ref()?)))
    }

    fn confirmation(&self, session: &Session) -> Option<Box<CreateSession>> {
        (self.start == SessionStart::Confirmed)
            .then(|| Box::new(CreateSession::new(session.clone())))
    }

    #[inline]
    fn named(&self, request: &RequestInfo<'_>) -> Named {
        self.session_name
            .as_ref()
            .and_then(|name| self.guarded(|| name(request)))
            .filter(|name| !name.trim().is_empty())
            .map_or_else(
                || names::by_route(request),
                |name| names::given(name, request),
            )
    }

    /// Returns the user that the program gives for the request.
    #[inline]
    fn user(&self, request: &RequestInfo<'_>) -> Option<String> {
        let user = self.user.as_ref()?;
        let user = self.guarded(|| user(request)).flatten();
        user.filter(|id| Session::may_be_user(self.tracer.outbox(), id))
    }

    #[inline]
    fn more_inputs(&self, request: &RequestInfo<'_>) -> Object {
        let inputs = self.inputs.as_ref();
        match inputs.and_then(|inputs| self.guarded(|| inputs(request))) {
            Some(Some(more)) => more,
            Some(None) => {
                self.tracer.outbox().count_refused(1);
                Object::new()
            }
            None => Object::new(),
        }
    }

    fn with_request_span(&self, cx: &Context, session: &Session) -> Context {
        let mut attributes = Vec::with_capacity(ATTRIBUTES);
        attributes.push(KeyValue::new(EVENT_TYPE, EventType::Chain.as_str()));
        if let Inputs::Request(inputs) = &session.start.inputs {
            attributes.push(KeyValue::new(
                "honeyhive_inputs.method",
                inputs.method.clone(),
            ));
            attributes.push(KeyValue::new(
                "honeyhive_inputs.path",
                Arc::clone(&inputs.path),
            ));
            if let Some(user_id) = &inputs.user_id {
                attributes.push(KeyValue::new(
                    "honeyhive_inputs.user_id",
                    user_id.clone().into_string(),
                ));
            }
            if !inputs.more.is_empty() {
                let more = Enrichment::new().inputs(&inputs.more);
                span::attributes_of(more, &mut |attribute| attributes.push(attribute));
            }
        }
        let start = &session.start;
        self.with_span(cx, start.name(), attributes, start.started_at)
    }

    /// Returns the context with the span of a request that has not begun its session, so that the span has the
    /// request's inputs.
    fn with_joining_span(&self, cx: &Context, named: Named, started_at: SystemTime) -> Context {
        let Named { method, name, path } = named;
        let attributes = vec![
            KeyValue::new(EVENT_TYPE, EventType::Chain.as_str()),
            KeyValue::new("honeyhive_inputs.method", method),
            KeyValue::new("honeyhive_inputs.path", path),
        ];
        self.with_span(cx, &name, attributes, started_at)
    }

    fn with_span(
        &self,
        cx: &Context,
        name: &Arc<str>,
        attributes: Vec<KeyValue>,
        started_at: SystemTime,
    ) -> Context {
        // A builder is large, and each of its setters moves it.
        let builder = SpanBuilder {
            // The name is copied, since `to_string` would format it.
            name: (**name).to_owned().into(),
            span_kind: Some(SpanKind::Server),
            start_time: Some(started_at),
            attributes: Some(attributes),
            ..SpanBuilder::default()
        };
        let span = self.tracer.sdk_tracer().build_with_context(builder, cx);
        cx.with_span(span)
    }
}

/// Returns the context with the caller's span as a parent: a caller that sent its session in baggage is traced by
/// HoneyHive too. A span that is current here already goes first.
fn with_remote_parent(cx: &Context, request: &RequestInfo<'_>) -> Context {
    if cx.span().span_context().is_valid() {
        return cx.clone();
    }
    TraceContextPropagator::new().extract_with_context(cx, request)
}
