//! [`Schedule`]: when each session is due, and in which order they came.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use tokio::time::Instant;

use crate::delivery::work;
use crate::model::id::SessionId;

/// The times at which sessions are due, except those that something else is in front of.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    due: BTreeSet<(Instant, SessionId)>,
    blocked: HashSet<SessionId>,
    by_age: BTreeMap<u64, SessionId>,
    ages: u64,
}

impl Schedule {
    /// Adds a session, and returns its age.
    pub(super) fn add(&mut self, id: SessionId, due: Instant) -> u64 {
        self.due.insert((due, id));
        self.ages += 1;
        self.by_age.insert(self.ages, id);
        self.ages
    }

    pub(super) fn remove(&mut self, id: SessionId, due: Instant, age: u64) {
        self.due.remove(&(due, id));
        self.blocked.remove(&id);
        self.by_age.remove(&age);
    }

    /// Notes that a session is due at another time. One that is blocked stays so.
    pub(super) fn change(&mut self, id: SessionId, before: Instant, due: Instant) {
        if self.due.remove(&(before, id)) {
            self.due.insert((due, id));
        }
    }

    /// Returns the session that is due next, if it is due by now.
    pub(super) fn next(&self, now: Instant) -> Option<SessionId> {
        work::look();
        let (due, id) = *self.due.first()?;
        (due <= now).then_some(id)
    }

    pub(super) fn block(&mut self, id: SessionId, due: Instant) {
        self.due.remove(&(due, id));
        self.blocked.insert(id);
    }

    /// Unblocks a session; false where nothing was in front of it.
    pub(super) fn unblock(&mut self, id: SessionId) -> bool {
        self.blocked.remove(&id)
    }

    /// Puts a session that was blocked back among those that are due.
    pub(super) fn insert(&mut self, id: SessionId, due: Instant) {
        self.due.insert((due, id));
    }

    /// Returns all sessions, the oldest first.
    pub(super) fn by_age(&self) -> impl Iterator<Item = SessionId> {
        self.by_age.values().copied()
    }
}
