//! The [`Lane`] chooses the next call: to HoneyHive, or to disk.

use tokio::time::Instant;

use super::Lane;
use super::entries::{Key, Number};
use super::precedence::{Place, disk_must_precede, must_precede};
use crate::delivery::sealed::{Sealed, Target};
use crate::model::id::SessionId;
use crate::spool::Shelf;

/// An older call is searched among these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    All,
    /// A call that goes to disk is behind all that is there, read back or not.
    Memory,
}

impl Lane {
    /// Returns the next call that may go: ready, wanted, and not behind another.
    pub(in crate::delivery) fn next(
        &self,
        shelf: Option<&Shelf>,
        is_wanted: impl Fn(&Sealed) -> bool,
    ) -> Option<Number> {
        let mut ready = self.entries.ready();
        let found = ready.find(|(key, call)| is_wanted(call) && !self.is_behind(*key, call, shelf));
        found.map(|(key, _)| key.number)
    }

    /// Returns the calls in memory that have to follow others on disk.
    pub(in crate::delivery) fn followers(&self, shelf: &Shelf) -> Vec<Number> {
        let followers = self.entries.ready().filter(|(key, call)| {
            key.is_in_memory
                && self.is_behind_disk(call, shelf)
                && !self.is_preceded(*key, call, Among::Memory)
        });
        followers.map(|(key, _)| key.number).collect()
    }

    /// Returns the wanted calls in memory that nothing in memory precedes, so that they may go to disk, oldest first.
    pub(in crate::delivery) fn free_in_memory(
        &self,
        most: usize,
        is_wanted: impl Fn(&Sealed) -> bool,
    ) -> Vec<Number> {
        let free = self.entries.in_memory().filter(|(key, it)| {
            it.is_waiting()
                && !it.was_refused
                && is_wanted(&it.call)
                && !self.is_preceded(**key, &it.call, Among::Memory)
        });
        free.map(|(key, _)| key.number).take(most).collect()
    }

    /// Returns the call in memory that has waited longest and is not under way.
    pub(in crate::delivery) fn oldest(&self) -> Option<(Instant, Number)> {
        let waiting = self.entries.in_memory().filter(|(_, it)| it.is_waiting());
        waiting.map(|(key, it)| (it.call.since, key.number)).min()
    }

    fn is_behind(&self, key: Key, call: &Sealed, shelf: Option<&Shelf>) -> bool {
        let of_disk = |shelf| key.is_in_memory && self.is_behind_disk(call, shelf);
        shelf.is_some_and(of_disk) || self.is_preceded(key, call, Among::All)
    }

    fn is_behind_disk(&self, call: &Sealed, shelf: &Shelf) -> bool {
        !shelf.is_empty() && disk_must_precede(shelf, Place::of(call), |id| self.knows(id))
    }

    /// Returns true while an older call must go first. Only the calls that have an id in common are asked, and spans.
    fn is_preceded(&self, key: Key, call: &Sealed, among: Among) -> bool {
        let precedes = |older: &Key| {
            if among == Among::Memory && !older.is_in_memory {
                return false;
            }
            let older = self.entries.at(older).filter(|it| it.outcome.is_none());
            older.is_some_and(|older| {
                must_precede(Place::of(&older.call), Place::of(call), |id| self.knows(id))
            })
        };
        let of_id = |id: &SessionId| self.index.of_id_before(*id, key).any(precedes);
        match (call.target, &call.about) {
            (Target::Start(id), _) => of_id(&id),
            (Target::Update(id), _) => of_id(&id) || self.index.spans_before(key).any(precedes),
            (Target::Traces, Some(about)) => about.sessions.iter().any(of_id),
            (Target::Traces, None) => self.index.recalled_starts_before(key).any(precedes),
        }
    }
}
