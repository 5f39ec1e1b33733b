//! The tracer that each running span belongs to, in a process with several tracers. With one tracer nothing is kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::SpanId;

static NEXT: AtomicUsize = AtomicUsize::new(1);
/// The members that there are, the oldest first, and how many, for those that need not look.
static MEMBERS: Mutex<Vec<MemberId>> = Mutex::new(Vec::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The running spans, each with the members that have it (a provider may send to several), and how many spans.
static RUNNING: LazyLock<Mutex<HashMap<SpanId, Vec<MemberId>>>> = LazyLock::new(Mutex::default);
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemberId(NonZeroUsize);

impl MemberId {
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
        let mut members = lock(&MEMBERS);
        let member = Self(MemberId::next());
        members.push(member.0);
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
            running.entry(span).or_default().push(self.0);
            KEPT.store(running.len(), Ordering::Relaxed);
        }
    }

    pub(crate) fn span_ended(&self, span: SpanId) {
        if KEPT.load(Ordering::Relaxed) > 0 {
            let mut running = lock(&RUNNING);
            if let Entry::Occupied(mut owners) = running.entry(span) {
                owners.get_mut().retain(|owner| *owner != self.0);
                if owners.get().is_empty() {
                    owners.remove();
                }
            }
            KEPT.store(running.len(), Ordering::Relaxed);
        }
    }

    /// Forgets the spans of a provider that is shut down, since it no longer reports their ends.
    pub(crate) fn forget_spans(&self) {
        let mut running = lock(&RUNNING);
        running.retain(|_, owners| {
            owners.retain(|owner| *owner != self.0);
            !owners.is_empty()
        });
        KEPT.store(running.len(), Ordering::Relaxed);
    }

    /// False for the span of another tracer.
    pub(crate) fn may_write(&self, span: SpanId) -> bool {
        if COUNT.load(Ordering::Relaxed) < 2 {
            return true;
        }
        if let Some(owners) = lock(&RUNNING).get(&span) {
            return owners.contains(&self.0);
        }
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
        members.retain(|member| *member != self.0);
        COUNT.store(members.len(), Ordering::Relaxed);
    }
}

/// Nothing of the program's runs under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
