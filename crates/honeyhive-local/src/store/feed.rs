//! The feed keeps changes in order, for callers that wait and for pages that follow.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;
use tokio::sync::watch;

/// The number of changes that are remembered; a reader that asks for older ones is told that some are missing.
const REMEMBERED: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Session,
    Event,
    Orphan,
    Request,
    Record,
    /// Everything has changed: all was cleared.
    Cleared,
}

/// A `Change` says that a thing is new, different or gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
    /// The id of the session, for a session or an event; the kind and the id of a record.
    pub(crate) id: String,
    /// Whether the thing is new.
    pub(crate) new: bool,
}

/// `Changes` has the changes after a number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Changes {
    pub(crate) last: u64,
    pub(crate) changes: Vec<Change>,
    /// Whether some of them are no longer known, so that the reader has to look at everything again.
    pub(crate) missed: bool,
}

/// Numbers changes and wakes the callers that wait for the next one.
#[derive(Debug)]
pub(crate) struct Feed {
    state: Mutex<State>,
    changed: Condvar,
    watched: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of announcements, with or without changes.
    rounds: u64,
    last: u64,
    remembered: VecDeque<Change>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            watched: watch::Sender::new(0),
        }
    }
}

impl Feed {
    pub(crate) fn announce(&self, changes: impl IntoIterator<Item = (Kind, String, bool)>) {
        let mut state = self.state();
        for (kind, id, new) in changes {
            state.last += 1;
            let seq = state.last;
            if state.remembered.len() == REMEMBERED {
                state.remembered.pop_front();
            }
            state.remembered.push_back(Change { seq, kind, id, new });
        }
        state.rounds += 1;
        let rounds = state.rounds;
        drop(state);
        self.changed.notify_all();
        self.watched.send_replace(rounds);
    }

    /// Returns a receiver that changes whenever anything is announced.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.watched.subscribe()
    }

    pub(crate) fn rounds(&self) -> u64 {
        self.state().rounds
    }

    /// Returns the changes after `seq`, and the number of the last.
    pub(crate) fn since(&self, seq: u64) -> Changes {
        let state = self.state();
        let first = state.last - state.remembered.len() as u64;
        let after = state.remembered.iter().filter(|change| change.seq > seq);
        Changes {
            last: state.last,
            missed: seq < first || seq > state.last,
            changes: after.cloned().collect(),
        }
    }

    /// Blocks until something is announced after `rounds`, or until `deadline` (`None`: for ever). Returns whether
    /// something was.
    pub(crate) fn wait_past(&self, rounds: u64, deadline: Option<Instant>) -> bool {
        let mut state = self.state();
        while state.rounds == rounds {
            let Some(deadline) = deadline else {
                let woken = self.changed.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
