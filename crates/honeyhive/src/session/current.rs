//! The current session is kept in the OpenTelemetry [`Context`].
//!
//! Each tracer has a current session of its own, so that two tracers in one process never mix theirs.

use std::sync::Arc;

use opentelemetry::Context;

use super::handle::Session;
use crate::outbox::Outbox;

/// The context value holds a tracer's session, and those of other tracers around it.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) session: Session,
    /// The session belongs to a request or another unit of work, which inner layers join.
    pub(crate) is_request: bool,
    outer: Option<Arc<Self>>,
}

impl Current {
    #[inline]
    fn new(session: Session, is_request: bool, outer: Option<Arc<Self>>) -> Self {
        session.outbox.strays().session_opened();
        Self {
            session,
            is_request,
            outer,
        }
    }

    fn is_of(&self, outbox: &Arc<Outbox>) -> bool {
        Arc::ptr_eq(&self.session.outbox, outbox)
    }

    fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |current| current.outer.as_deref())
    }

    /// Returns the same chain, without the session of one tracer.
    fn without(&self, outbox: &Arc<Outbox>) -> Option<Arc<Self>> {
        let outer = self.outer.as_ref().and_then(|outer| outer.without(outbox));
        if self.is_of(outbox) {
            return outer;
        }
        let current = Self::new(self.session.clone(), self.is_request, outer);
        Some(Arc::new(current))
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        self.session.outbox.strays().session_closed();
    }
}

/// Returns `cx` with its tracer's session replaced.
#[inline]
pub(crate) fn with_session(cx: &Context, session: Session, is_request: bool) -> Context {
    let outer = cx
        .get::<Current>()
        .and_then(|current| current.without(&session.outbox));
    cx.with_value(Current::new(session, is_request, outer))
}

/// Returns the session of the tracer with this outbox.
#[inline]
pub(crate) fn of_tracer<'cx>(cx: &'cx Context, outbox: &Arc<Outbox>) -> Option<&'cx Current> {
    cx.get::<Current>()?
        .chain()
        .find(|current| current.is_of(outbox))
}

/// Returns the session of the HTTP request that is being handled here, of any tracer.
#[cfg(feature = "http-server")]
pub(crate) fn of_request(cx: &Context) -> Option<&Session> {
    cx.get::<Current>()?
        .chain()
        .find(|current| current.is_request)
        .map(|current| &current.session)
}

/// Returns the innermost session that the context itself holds, of any tracer.
#[inline]
pub(crate) fn in_context(cx: &Context) -> Option<&Session> {
    cx.get().map(|current: &Current| &current.session)
}

/// Returns true in a datapoint of an experiment that sends nothing.
#[cfg(feature = "evaluate")]
pub(crate) fn is_of_silent_run(cx: &Context) -> bool {
    let is_silent =
        |session: &Session| session.outbox.is_local() && session.start.experiment().is_some();
    in_context(cx).is_some_and(is_silent)
}

/// Returns `cx`, with the sessions that are current here where it has none itself.
#[cfg(feature = "tracing")]
pub(crate) fn with_sessions_here(cx: Context) -> Context {
    if cx.get::<Current>().is_some() {
        return cx;
    }
    within_sessions_of(&cx, &crate::context::current())
}

/// Returns `cx`, with the sessions of another context instead of its own, where that has any.
#[cfg(feature = "tracing")]
pub(crate) fn within_sessions_of(cx: &Context, other: &Context) -> Context {
    let innermost = |cx: &Context| in_context(cx).map(|session| Arc::as_ptr(&session.start));
    match other.get::<Current>() {
        Some(current) if innermost(cx) != innermost(other) => {
            let chain: Vec<_> = current.chain().collect();
            chain.into_iter().rev().fold(cx.clone(), |cx, current| {
                with_session(&cx, current.session.clone(), current.is_request)
            })
        }
        _ => cx.clone(),
    }
}
