//! Wakes whoever waits for what the server holds to change.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

/// Counts changes; async waiters watch the count, blocking ones the condition variable.
#[derive(Debug)]
pub(crate) struct Changes {
    watched: watch::Sender<u64>,
    count: Mutex<u64>,
    changed: Condvar,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            watched: watch::Sender::new(0),
            count: Mutex::new(0),
            changed: Condvar::new(),
        }
    }
}

impl Changes {
    pub(crate) fn announce(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
        self.watched.send_modify(|count| *count += 1);
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.watched.subscribe()
    }

    pub(crate) fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks until the count is no longer `seen`, or until `deadline` (none: for ever).
    /// Says whether it changed.
    pub(crate) fn wait_past(&self, seen: u64, deadline: Option<Instant>) -> bool {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count == seen {
            let Some(deadline) = deadline else {
                let woken = self.changed.wait(count);
                count = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let woken = self.changed.wait_timeout(count, left);
            count = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
