//! [`Schedule`] knows when each session is due.

use std::collections::BTreeSet;

use tokio::time::Instant;

use crate::delivery::maps::IdSet;
use crate::delivery::work;
use crate::model::id::SessionId;

/// The sessions are due at these times, except those that something else is in front of.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    due: BTreeSet<(Instant, SessionId)>,
    blocked: IdSet<SessionId>,
}

impl Schedule {
    pub(super) fn remove(&mut self, id: SessionId, due: Instant) {
        self.due.remove(&(due, id));
        self.blocked.remove(&id);
    }

    /// Notes that a session is due at another time. One that is blocked stays so.
    pub(super) fn change(&mut self, id: SessionId, before: Instant, due: Instant) {
        if before != due && self.due.remove(&(before, id)) {
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

    /// Returns the sessions that something is in front of.
    pub(super) fn blocked(&self) -> Vec<SessionId> {
        self.blocked.iter().copied().collect()
    }

    /// Adds a session: a new one, or one that was blocked.
    pub(super) fn insert(&mut self, id: SessionId, due: Instant) {
        self.due.insert((due, id));
    }
}
