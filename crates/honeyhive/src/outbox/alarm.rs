//! [`Alarm`] is a time that comes whatever the delivery thread does, on any runtime and on none.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// The alarm is a future that resolves at a time.
#[derive(Debug)]
pub(crate) struct Alarm(Arc<Waiting>);

#[derive(Debug)]
struct Waiting {
    at: Instant,
    waker: Mutex<Option<Waker>>,
}

/// The clock holds the alarms of a process, and knows whether a thread watches over them.
#[derive(Debug)]
struct Clock {
    alarms: BinaryHeap<Reverse<Due>>,
    /// The watching thread is of this process: after a fork there is none.
    watched_in: Option<u32>,
}

#[derive(Debug)]
struct Due(Instant, Weak<Waiting>);

static CLOCK: Mutex<Clock> = Mutex::new(Clock {
    alarms: BinaryHeap::new(),
    watched_in: None,
});
static CHANGED: Condvar = Condvar::new();

impl Alarm {
    /// Returns an alarm after this time; beyond a century, one that never comes.
    pub(crate) fn after(duration: Duration) -> Self {
        const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
        let at = Instant::now() + duration.min(NEVER);
        let waker = Mutex::new(None);
        Self(Arc::new(Waiting { at, waker }))
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waiting = &self.0;
        if Instant::now() >= waiting.at {
            return Poll::Ready(());
        }
        let mut waker = lock(&waiting.waker);
        let is_new = waker.is_none();
        *waker = Some(cx.waker().clone());
        drop(waker);
        if is_new {
            watch(waiting);
        }
        Poll::Pending
    }
}

/// Adds the alarm to those of the clock's thread, and starts that where there is none.
fn watch(waiting: &Arc<Waiting>) {
    let mut clock = lock(&CLOCK);
    clock
        .alarms
        .push(Reverse(Due(waiting.at, Arc::downgrade(waiting))));
    let here = std::process::id();
    if clock.watched_in == Some(here) {
        CHANGED.notify_one();
        return;
    }
    let thread = thread::Builder::new().name("honeyhive-clock".to_owned());
    if thread.spawn(keep_time).is_ok() {
        clock.watched_in = Some(here);
    }
}

/// Wakes the waiting callers, until none is left.
fn keep_time() {
    let mut clock = lock(&CLOCK);
    loop {
        let now = Instant::now();
        let Some(Reverse(Due(at, _))) = clock.alarms.peek() else {
            clock.watched_in = None;
            return;
        };
        if *at > now {
            let wait = *at - now;
            let waited = CHANGED.wait_timeout(clock, wait);
            clock = waited.unwrap_or_else(PoisonError::into_inner).0;
            continue;
        }
        let due = clock.alarms.pop();
        // The waker is the program's, so the lock is released before.
        drop(clock);
        if let Some(waiting) = due.and_then(|Reverse(Due(_, waiting))| waiting.upgrade())
            && let Some(waker) = lock(&waiting.waker).take()
        {
            waker.wake();
        }
        clock = lock(&CLOCK);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
