//! The owner of a running span is a tracer, in a process with several tracers. With one tracer nothing is kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::SpanId;

static NEXT: AtomicUsize = AtomicUsize::new(1);
/// The members are in order, the oldest first, and are counted for callers that need not look.
static MEMBERS: Mutex<Vec<MemberId>> = Mutex::new(Vec::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The running spans have the members that have each (a provider may send to several), and are counted.
static RUNNING: LazyLock<Mutex<HashMap<SpanId, Vec<MemberId>>>> = LazyLock::new(Mutex::default);
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// Returns true where the process has several tracers.
#[cfg(feature = "http-server")]
#[inline]
pub(crate) fn are_several() -> bool {
    COUNT.load(Ordering::Relaxed) > 1
}

/// A member is a tracer, among those of the process.
#[derive(Debug)]
pub(crate) struct Member(MemberId);

/// A member's number is one which no other of this process gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemberId(NonZeroUsize);

impl MemberId {
    const LAST: Self = Self(NonZeroUsize::MAX);

    /// Returns whether the number is the one that all disabled tracers share.
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

    /// Returns false for the span of another tracer.
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

/// Locks a mutex, under which nothing of the program's runs.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
