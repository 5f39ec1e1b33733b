//! [`Index`] finds calls of the lane that have an id, a kind or a record on disk in common.

use std::collections::BTreeSet;

use super::entries::Key;
use crate::delivery::maps::IdMap;
use crate::delivery::sealed::{Home, Sealed, Target};
use crate::model::id::SessionId;
use crate::spool::{Place, Ticket};

/// The calls of the lane are found by what they have in common.
#[derive(Debug, Default)]
pub(super) struct Index {
    of_id: IdMap<SessionId, BTreeSet<Key>>,
    spans: BTreeSet<Key>,
    /// The starts were read back: spans that were, too, may be theirs.
    recalled_starts: BTreeSet<Key>,
    /// The parts are the calls that are left of each record on disk.
    parts: IdMap<Place, u32>,
}

impl Index {
    pub(super) fn insert(&mut self, key: Key, call: &Sealed) {
        match call.target {
            Target::Traces => drop(self.spans.insert(key)),
            Target::Start(id) | Target::Update(id) => {
                self.of_id.entry(id).or_default().insert(key);
            }
        }
        if let Home::Disk(ticket) = call.home {
            *self.parts.entry(ticket.place).or_default() += 1;
            if matches!(call.target, Target::Start(_)) {
                self.recalled_starts.insert(key);
            }
        }
    }

    pub(super) fn remove(&mut self, key: Key, call: &Sealed) {
        self.spans.remove(&key);
        self.recalled_starts.remove(&key);
        if let Some(id) = call.target.id()
            && let Some(keys) = self.of_id.get_mut(&id)
        {
            keys.remove(&key);
            if keys.is_empty() {
                self.of_id.remove(&id);
            }
        }
        if let Home::Disk(ticket) = call.home
            && let Some(left) = self.parts.get_mut(&ticket.place)
        {
            *left -= 1;
            if *left == 0 {
                self.parts.remove(&ticket.place);
            }
        }
    }

    /// Returns true where a call is the last that is left of its record.
    pub(super) fn is_last_part(&self, ticket: &Ticket) -> bool {
        self.parts.get(&ticket.place) == Some(&1)
    }

    /// Returns the calls of a session or an event, in their order.
    pub(super) fn of_id(&self, id: SessionId) -> impl Iterator<Item = &Key> {
        self.of_id.get(&id).into_iter().flatten()
    }

    pub(super) fn of_id_before(&self, id: SessionId, key: Key) -> impl Iterator<Item = &Key> {
        let keys = self.of_id.get(&id).into_iter();
        keys.flat_map(move |keys| keys.range(..key))
    }

    pub(super) fn spans(&self) -> impl Iterator<Item = &Key> {
        self.spans.iter()
    }

    pub(super) fn spans_before(&self, key: Key) -> impl Iterator<Item = &Key> {
        self.spans.range(..key)
    }

    pub(super) fn recalled_starts_before(&self, key: Key) -> impl Iterator<Item = &Key> {
        self.recalled_starts.range(..key)
    }
}
