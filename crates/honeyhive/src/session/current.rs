//! The current session, kept in the OpenTelemetry [`Context`].
//!
//! Each tracer has a current session of its own, so that two tracers in one process never mix theirs.

use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;

use super::Session;
use crate::attributes::{BAGGAGE_SESSION_ID, BAGGAGE_SESSION_ID_BARE};
use crate::id::SessionId;
use crate::outbox::Outbox;

/// The context value: the innermost entry, and those of other tracers around it.
#[derive(Debug, Clone)]
struct Current {
    entry: Entry,
    outer: Option<Arc<Self>>,
}

/// What a tracer's spans find in the context.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// They belong to this session.
    Session(Session),
    #[cfg_attr(
        not(feature = "http-server"),
        expect(dead_code, reason = "made by adapters only")
    )]
    /// They belong to the session of this HTTP request, which layers further in join.
    Request(Session),
    #[cfg_attr(
        not(feature = "http-server"),
        expect(dead_code, reason = "made by adapters only")
    )]
    /// They are inside a request that is not traced.
    Suppressed(Arc<Outbox>),
}

impl Entry {
    const fn outbox(&self) -> &Arc<Outbox> {
        match self {
            Self::Session(session) | Self::Request(session) => &session.outbox,
            Self::Suppressed(outbox) => outbox,
        }
    }

    const fn session(&self) -> Option<&Session> {
        match self {
            Self::Session(session) | Self::Request(session) => Some(session),
            Self::Suppressed(_) => None,
        }
    }
}

impl Current {
    fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |current| current.outer.as_deref())
    }

    /// The same chain, without the entries of one tracer.
    fn without(&self, outbox: &Arc<Outbox>) -> Option<Arc<Self>> {
        let outer = self.outer.as_ref().and_then(|outer| outer.without(outbox));
        if Arc::ptr_eq(self.entry.outbox(), outbox) {
            return outer;
        }
        Some(Arc::new(Self {
            entry: self.entry.clone(),
            outer,
        }))
    }
}

/// `cx` with an entry on top.
pub(crate) fn with_entry(cx: &Context, entry: Entry) -> Context {
    let outer = cx
        .get::<Current>()
        .and_then(|current| current.without(entry.outbox()));
    cx.with_value(Current { entry, outer })
}

/// The entry of the tracer with this outbox.
pub(crate) fn entry<'cx>(cx: &'cx Context, outbox: &Arc<Outbox>) -> Option<&'cx Entry> {
    cx.get::<Current>()?
        .chain()
        .map(|current| &current.entry)
        .find(|entry| Arc::ptr_eq(entry.outbox(), outbox))
}

/// The session of the tracer with this outbox.
pub(crate) fn session<'cx>(cx: &'cx Context, outbox: &Arc<Outbox>) -> Option<&'cx Session> {
    entry(cx, outbox)?.session()
}

/// The innermost session, whichever tracer it belongs to.
pub(crate) fn innermost(cx: &Context) -> Option<&Session> {
    cx.get::<Current>()?.entry.session()
}

/// The session that a remote service put in the baggage of this context.
///
/// The bare key belongs to everybody, so it counts only where it holds a well-formed UUID.
pub(crate) fn from_baggage(cx: &Context) -> Option<SessionId> {
    let baggage = cx.baggage();
    if baggage.is_empty() {
        return None;
    }
    match baggage.get(BAGGAGE_SESSION_ID) {
        Some(id) if !id.as_str().is_empty() => Some(SessionId::from_correlation_id(id.as_str())),
        _ => baggage.get(BAGGAGE_SESSION_ID_BARE)?.as_str().parse().ok(),
    }
}
