//! The sessions of running spans whose contexts know of none.
//!
//! `tracing` creates the context of a span with the span, so one that was created before its session, or that a
//! library made a root, hides the session from everything that runs in it. Such a span belongs to the session that
//! is current where it starts, and what runs in it finds that session here. It hardly ever happens, and costs
//! nothing where it does not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt as _};

use super::Session;
use crate::outbox::Outbox;

/// A span, and the outbox of the tracer whose session it is.
type Key = (u64, usize);

/// So many are in [`SESSIONS`], for those that need not look.
static KEPT: AtomicUsize = AtomicUsize::new(0);
static SESSIONS: Mutex<BTreeMap<Key, Session>> = Mutex::new(BTreeMap::new());

/// True where any span hides a session.
#[inline]
pub(crate) fn is_known() -> bool {
    KEPT.load(Ordering::Relaxed) > 0
}

/// A span has started that hides this session.
pub(crate) fn begin(span: SpanId, session: Session) {
    /// Spans that never end are somebody's mistake, and should not take all memory.
    const MOST: usize = 10_000;
    let mut sessions = lock();
    if sessions.len() < MOST {
        sessions.insert(key(span, &session.outbox), session);
    }
    KEPT.store(sessions.len(), Ordering::Relaxed);
}

/// The span has ended.
pub(crate) fn end(span: SpanId, outbox: &Arc<Outbox>) {
    if is_known() {
        let mut sessions = lock();
        let ended = sessions.remove(&key(span, outbox));
        KEPT.store(sessions.len(), Ordering::Relaxed);
        drop(sessions);
        // It may be the last handle; nothing of it runs under our lock.
        drop(ended);
    }
}

/// The session of a tracer that the span of this context hides.
pub(super) fn of_tracer(cx: &Context, outbox: &Arc<Outbox>) -> Option<Session> {
    if !is_known() {
        return None;
    }
    let span = cx.span().span_context().span_id();
    lock().get(&key(span, outbox)).cloned()
}

/// Likewise, of whichever tracer.
pub(super) fn of_any(cx: &Context) -> Option<Session> {
    if !is_known() {
        return None;
    }
    let span = u64::from_be_bytes(cx.span().span_context().span_id().to_bytes());
    let sessions = lock();
    let mut found = sessions.range((span, 0)..=(span, usize::MAX));
    found.next().map(|(_, session)| session.clone())
}

fn key(span: SpanId, outbox: &Arc<Outbox>) -> Key {
    let span = u64::from_be_bytes(span.to_bytes());
    (span, Arc::as_ptr(outbox).addr())
}

fn lock() -> MutexGuard<'static, BTreeMap<Key, Session>> {
    SESSIONS.lock().unwrap_or_else(PoisonError::into_inner)
}
