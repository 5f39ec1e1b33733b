//! The instrumentation opens an invocation when an event comes: its session begins or is linked.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use opentelemetry::Context;

use super::ending::Active;
use super::event::{self, SessionIdField};
use super::handler::{HandlerGuard, Wire};
use super::{Inner, Invocation, InvocationGuard, LambdaInstrumentation};
use crate::context;
use crate::incoming;
use crate::incoming::Flush;
use crate::model::id::SessionId;
use crate::model::object::Object;
use crate::outbox::{EventInputs, Facts, Inputs, StartRecord};
use crate::session::{Session, current};
use crate::settings::SessionTransport;

/// An event of more bytes is not recorded.
const LARGEST_EVENT: usize = 256 * 1024;

impl LambdaInstrumentation {
    /// Runs a poll for readiness, in which the handler can [announce](HandlerGuard::announce) its guard.
    pub fn on_ready<T>(&self, poll: impl FnOnce() -> T) -> T {
        let announced = &self.inner.announced;
        let polled = {
            let _attached = context::attach(context::current().with_value(announced.clone()));
            poll()
        };
        if announced.is() {
            // Outer layers wait for the flush, too.
            HandlerGuard::announce();
        }
        polled
    }

    /// Opens an invocation whose event has come: its session begins or is linked.
    ///
    /// Nothing here waits, takes a lock for longer than a push, or can panic. The event is read through
    /// once, for its `session_id`.
    pub fn on_invocation(&self, invocation: &Invocation<'_>) -> InvocationGuard {
        // The context is a copy, since the program's callbacks may attach a context of their own.
        let cx = &context::current();
        let wire = Wire::within(cx);
        let mut guard = InvocationGuard {
            instrumentation: Arc::clone(&self.inner),
            cx: None,
            active: None,
            flush: Flush::ToBegin(invocation.deadline),
            wire,
        };
        let outbox = self.inner.tracer.outbox();
        if current::of_tracer(cx, outbox).is_some_and(|current| current.is_request) {
            // An outer layer has begun the session already, and will flush.
            guard.flush = Flush::Over;
        } else if self.inner.begin_session {
            self.inner.open(cx, invocation, &mut guard);
        }
        guard
    }
}

impl Inner {
    fn open(&self, cx: &Context, invocation: &Invocation<'_>, guard: &mut InvocationGuard) {
        let began = Instant::now();
        let session = self.session(invocation);
        session.turn_begins();
        incoming::adopt_enclosing_span(cx, &session);
        let cx = current::with_session(cx, session.clone(), true);
        guard.cx = Some(cx.with_value(guard.wire.clone()));
        guard.active = Some(Active { session, began });
    }

    fn session(&self, invocation: &Invocation<'_>) -> Session {
        let read = event::read(invocation.event);
        let is_json = read.is_some();
        let link = read.and_then(|field| self.link(&field));
        let id = link.unwrap_or_else(SessionId::new);
        let name = invocation.function_name.into();
        let inputs = Inputs::Object(Object::new());
        let mut start = StartRecord::new(id, name, inputs, SystemTime::now());
        let mut facts = self.facts(invocation);
        start.will_end = true;
        if link.is_some() {
            start.facts = facts.boxed();
            return Session::link(self.tracer.outbox(), start);
        }
        start.is_fresh = true;
        start.by_spans = self.tracer.session_transport() == SessionTransport::Otlp;
        self.capture(invocation, is_json, &mut start.inputs, &mut facts.metadata);
        start.facts = facts.boxed();
        Session::open(self.tracer.outbox(), start)
    }

    /// Returns the session that the event asks for.
    fn link(&self, field: &SessionIdField<'_>) -> Option<SessionId> {
        let outbox = self.tracer.outbox();
        match field {
            _ if self.trust.is_never() => None,
            SessionIdField::Absent => None,
            SessionIdField::Text(raw) => self.trust.session_or_count(raw, outbox),
            SessionIdField::Unusable => {
                outbox.count_ignored_session_ids(1);
                None
            }
        }
    }

    fn facts(&self, invocation: &Invocation<'_>) -> Facts {
        let mut metadata = Object::new();
        let is_first = !self.is_warm.swap(true, Ordering::Relaxed);
        metadata.insert("request_id".to_owned(), invocation.request_id.into());
        metadata.insert("cold_start".to_owned(), is_first.into());
        Facts {
            metadata,
            ..Facts::default()
        }
    }

    fn capture(
        &self,
        invocation: &Invocation<'_>,
        is_json: bool,
        inputs: &mut Inputs,
        metadata: &mut Object,
    ) {
        if !self.capture_event {
            return;
        }
        let bytes = invocation.event.len();
        let problem = match (is_json, bytes > LARGEST_EVENT) {
            (true, false) => {
                *inputs = Inputs::Event(EventInputs(invocation.event.clone()));
                return;
            }
            (true, true) => "too_large",
            (false, _) => "not_json",
        };
        metadata.insert("event_not_recorded".to_owned(), problem.into());
        metadata.insert("event_bytes".to_owned(), bytes.into());
    }
}
