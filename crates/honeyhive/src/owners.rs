//! Whose span is whose, in a process with several tracers. With one there is nothing to tell apart, and
//! nothing is kept.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::SpanId;

static NEXT: AtomicUsize = AtomicUsize::new(0);
static MEMBERS: AtomicUsize = AtomicUsize::new(0);
/// So many entries are in [`RUNNING`], for those that need not look.
static KEPT: AtomicUsize = AtomicUsize::new(0);
/// Running spans, each with the members that have it: a provider may send to several.
static RUNNING: Mutex<BTreeSet<(u64, usize)>> = Mutex::new(BTreeSet::new());

/// A tracer, among those of the process.
#[derive(Debug)]
pub(crate) struct Member(usize);

impl Member {
    pub(crate) fn new() -> Self {
        MEMBERS.fetch_add(1, Ordering::Relaxed);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn span_started(&self, span: SpanId) {
        if MEMBERS.load(Ordering::Relaxed) > 1 && running().insert((key(span), self.0)) {
            KEPT.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn span_ended(&self, span: SpanId) {
        if KEPT.load(Ordering::Relaxed) > 0 && running().remove(&(key(span), self.0)) {
            KEPT.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// False for the span of another tracer.
    pub(crate) fn may_write(&self, span: SpanId) -> bool {
        if KEPT.load(Ordering::Relaxed) == 0 {
            return true;
        }
        let running = running();
        let mut owners = running
            .range((key(span), 0)..=(key(span), usize::MAX))
            .peekable();
        owners.peek().is_none() || owners.any(|(_, owner)| *owner == self.0)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        MEMBERS.fetch_sub(1, Ordering::Relaxed);
    }
}

fn running() -> MutexGuard<'static, BTreeSet<(u64, usize)>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

const fn key(span: SpanId) -> u64 {
    u64::from_be_bytes(span.to_bytes())
}
