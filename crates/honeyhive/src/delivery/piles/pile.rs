//! [`Pile`] is the data of one session that is not sealed yet.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;

use crate::delivery::claim::Claim;
use crate::outbox::{StartRecord, Update};

/// A pile is the open data of a session, or the updates of an event.
#[derive(Debug)]
pub(super) struct Pile {
    /// Each start is a call of its own: HoneyHive merges them.
    pub(super) starts: VecDeque<(Arc<StartRecord>, Claim)>,
    pub(super) updates: Vec<Update>,
    /// The claim is that of the updates.
    pub(super) claim: Claim,
    pub(super) has_end: bool,
    /// The pile has had items since this time.
    pub(super) since: Instant,
    /// The stamp marks the pile's place in the order of all.
    pub(super) stamp: u64,
    /// The pile is held back until this time, so that later items join it.
    pub(super) due: Instant,
    /// The flag tells whether a request is under way whose spans may create the session.
    pub(super) awaits_end: bool,
    /// The pile is of an event, whose span may still be on its way.
    pub(super) awaits_spans: bool,
}

/// The opened part of a session's pile is sealed next.
#[derive(Debug)]
pub(in crate::delivery) struct Opened {
    pub(in crate::delivery) start: Option<(Arc<StartRecord>, Claim)>,
    pub(in crate::delivery) updates: Vec<Update>,
    pub(in crate::delivery) claim: Claim,
    pub(in crate::delivery) since: Instant,
}

impl Pile {
    pub(super) const fn new(since: Instant, stamp: u64, due: Instant) -> Self {
        Self {
            starts: VecDeque::new(),
            updates: Vec::new(),
            claim: Claim::none(),
            has_end: false,
            since,
            stamp,
            due,
            awaits_end: false,
            awaits_spans: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty() && self.updates.is_empty() && !self.awaits_end
    }

    /// Takes a start out that was withdrawn.
    pub(super) fn take_start(&mut self, start: &StartRecord) -> Claim {
        let is_it = |held: &(Arc<StartRecord>, Claim)| std::ptr::eq(held.0.as_ref(), start);
        let index = self.starts.iter().position(is_it);
        let own = index.and_then(|index| self.starts.remove(index));
        own.map_or(Claim::none(), |(_, claim)| claim)
    }

    /// Takes all updates out.
    pub(super) fn take_updates(&mut self) -> (Vec<Update>, Claim) {
        self.has_end = false;
        (std::mem::take(&mut self.updates), self.claim.take())
    }

    /// Takes the first start out, with all updates.
    pub(super) fn open(&mut self) -> Opened {
        let start = self.starts.pop_front();
        let (updates, claim) = self.take_updates();
        Opened {
            start,
            updates,
            claim,
            since: self.since,
        }
    }
}
