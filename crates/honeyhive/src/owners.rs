//! The tracer that each running span belongs to, in a process with several tracers. With one tracer nothing is kept.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::SpanId;

static NEXT: AtomicUsize = AtomicUsize::new(1);
/// The members that there are, and how many, for those that need not look.
static MEMBERS: Mutex<BTreeSet<MemberId>> = Mutex::new(BTreeSet::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The running spans, each with the members that have it (a provider may send to several), and the number of entries.
static RUNNING: Mutex<BTreeSet<(u64, MemberId)>> = Mutex::new(BTreeSet::new());
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// The process has several tracers.
#[cfg(feature = "http-server")]
#[inline]
pub(crate) fn are_several() -> bool {
    COUNT.load(Ordering::Relaxed) > 1
}

/// A tracer, among those of the process.
#[derive(Debug)]
pub(crate) struct Member(MemberId);

/// The number of a member, which no other of this process gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MemberId(NonZeroUsize);

impl MemberId {
    const FIRST: Self = Self(NonZeroUsize::MIN);
    const LAST: Self = Self(NonZeroUsize::MAX);

    /// Whether this is the number that all disabled tracers share.
    pub(crate) const fn is_nobody(self) -> bool {
        self.0.get() == Self::LAST.0.get()
    }

    fn next() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        NonZeroUsize::new(number).map_or(Self::LAST, Self)
    }
}

impl Member {
    pub(crate) fn new() -> Self {
        let member = Self(MemberId::next());
        let mut members = lock(&MEMBERS);
        members.insert(member.0);
        COUNT.store(members.len(), Ordering::Relaxed);
        member
    }

    /// Returns the member of a disabled tracer, which owns no span.
    pub(crate) const fn nobody() -> Self {
        Self(MemberId::LAST)
    }

    #[inline]
    pub(crate) const fn id(&self) -> MemberId {
        self.0
    }

    pub(crate) fn span_started(&self, span: SpanId) {
        if COUNT.load(Ordering::Relaxed) > 1 {
            let mut running = lock(&RUNNING);
            running.insert((key(span), self.0));
            KEPT.store(running.len(), Ordering::Relaxed);
        }
    }

    pub(crate) fn span_ended(&self, span: SpanId) {
        if KEPT.load(Ordering::Relaxed) > 0 {
            let mut running = lock(&RUNNING);
            running.remove(&(key(span), self.0));
            KEPT.store(running.len(), Ordering::Relaxed);
        }
    }

    /// Forgets the spans of a provider that is shut down, since it no longer reports their ends.
    pub(crate) fn forget_spans(&self) {
        let mut running = lock(&RUNNING);
        running.retain(|(_, owner)| *owner != self.0);
        KEPT.store(running.len(), Ordering::Relaxed);
    }

    /// False for the span of another tracer.
    pub(crate) fn may_write(&self, span: SpanId) -> bool {
        if COUNT.load(Ordering::Relaxed) < 2 {
            return true;
        }
        let running = lock(&RUNNING);
        let mut owners = running
            .range((key(span), MemberId::FIRST)..=(key(span), MemberId::LAST))
            .peekable();
        if owners.peek().is_some() {
            return owners.any(|(_, owner)| *owner == self.0);
        }
        drop(owners);
        drop(running);
        // The span began while only one tracer existed: the oldest.
        lock(&MEMBERS).first() == Some(&self.0)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.0.is_nobody() {
            return;
        }
        self.forget_spans();
        let mut members = lock(&MEMBERS);
        members.remove(&self.0);
        COUNT.store(members.len(), Ordering::Relaxed);
    }
}

/// Nothing of the program's runs under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const fn key(span: SpanId) -> u64 {
    u64::from_be_bytes(span.to_bytes())
}
