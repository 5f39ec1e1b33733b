//! [`Lane`] holds sealed calls that wait or are under way, from memory and from disk, in one order.

mod call_counts;
mod entries;
mod held;
mod index;
mod next;
mod precedence;
pub(super) mod pressure;

use tokio::time::Instant;

use self::call_counts::Doing;
use self::entries::Entries;
pub(super) use self::entries::{Number, Outcome};
use self::index::Index;
use super::gate::backoff;
use super::recent::Recent;
use super::sealed::{Body, Sealed};
use crate::model::id::SessionId;
use crate::outbox::Load;
use crate::spool::Ticket;

/// The lane holds the calls of delivery in the order in which they go.
#[derive(Debug)]
pub(super) struct Lane {
    entries: Entries,
    index: Index,
    /// HoneyHive has these sessions and events.
    known: Recent<SessionId, ()>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            entries: Entries::default(),
            index: Index::default(),
            known: Recent::new(),
        }
    }

    /// Adds a call behind all others of its home.
    pub(super) fn push(&mut self, call: Sealed) -> Number {
        let age = self.entries.next_age();
        self.insert(call, age)
    }

    fn insert(&mut self, call: Sealed, age: u64) -> Number {
        let key = self.entries.insert(call, age);
        if let Some(entry) = self.entries.at(&key) {
            self.index.insert(key, &entry.call);
        }
        key.number
    }

    /// Replaces a call by its parts, which keep its age.
    pub(super) fn divide(&mut self, number: Number, parts: impl IntoIterator<Item = Sealed>) {
        if let Some(age) = self.entries.age(number) {
            self.remove(number);
            for part in parts {
                self.insert(part, age);
            }
        }
    }

    /// Takes a call out.
    pub(super) fn remove(&mut self, number: Number) -> Option<Sealed> {
        let (key, call) = self.entries.remove(number)?;
        self.index.remove(key, &call);
        Some(call)
    }

    /// Takes a call out whose outcome the disk knows.
    pub(super) fn take_settled(&mut self, number: Number) -> Option<(Sealed, Outcome)> {
        let outcome = self.entries.get_mut(number)?.outcome.take()?;
        Some((self.remove(number)?, outcome))
    }

    /// Returns true where a call is the last that is left of its record.
    pub(super) fn is_last_part(&self, ticket: &Ticket) -> bool {
        self.index.is_last_part(ticket)
    }

    pub(super) fn get(&self, number: Number) -> Option<&Sealed> {
        Some(&self.entries.get(number)?.call)
    }

    /// Changes a call that waits, and lets it be tried from a time on.
    pub(super) fn change(
        &mut self,
        number: Number,
        not_before: Option<Instant>,
        change: impl FnOnce(&mut Sealed),
    ) {
        self.entries.change(number, not_before, change);
    }

    /// Gives a call another body.
    pub(super) fn set_body(&mut self, number: Number, body: Body) {
        self.change(number, None, |call| call.body = body);
    }

    /// Notes that a call is under way to HoneyHive.
    pub(super) fn set_under_way(&mut self, number: Number) {
        self.entries.set(number, Doing::UnderWay);
    }

    /// Notes that a call is on its way to the disk.
    pub(super) fn set_writing(&mut self, number: Number) {
        self.entries.set(number, Doing::Writing);
    }

    /// Notes that the disk is being told the outcome of a call.
    pub(super) fn set_settling(&mut self, number: Number, outcome: Outcome) {
        self.entries.set(number, Doing::Settling);
        if let Some(entry) = self.entries.get_mut(number) {
            entry.outcome = Some(outcome);
        }
    }

    /// Notes that a call waits again.
    pub(super) fn set_waiting(&mut self, number: Number) {
        self.entries.set(number, Doing::Ready);
    }

    /// Notes that the disk has refused a call; once is enough in the last writes.
    pub(super) fn note_refused(&mut self, number: Number, is_last: bool) {
        if let Some(entry) = self.entries.get_mut(number).filter(|_| is_last) {
            entry.was_refused = true;
        }
    }

    /// Lets those be tried again that have rested long enough.
    pub(super) fn wake(&mut self, now: Instant) {
        self.entries.wake(now);
    }

    /// Lets everything be tried at once: somebody waits.
    pub(super) fn forget_backoff(&mut self) {
        self.entries.wake_all();
    }

    /// Lets the calls of a kind that have failed be tried soon, spread by chance: HoneyHive takes them again.
    pub(super) fn hurry(&mut self, is_traces: bool, now: Instant) {
        for number in self.entries.failed(is_traces) {
            let soon = now + backoff(1, rand::random());
            self.entries.advance(number, soon);
        }
    }

    /// Allows the calls on disk to be tried at once, or not before a time.
    pub(super) fn delay_disk(&mut self, until: Option<Instant>) {
        for number in self.entries.on_disk() {
            self.change(number, until, |_| {});
        }
    }

    /// Remembers that HoneyHive has this session, or event.
    pub(super) fn note_known(&mut self, id: SessionId) {
        self.known.insert(id, ());
    }

    pub(super) fn knows(&self, id: SessionId) -> bool {
        self.known.contains(&id)
    }

    /// Returns how many calls of a kind in memory are ready to go.
    pub(super) const fn ready(&self, is_traces: bool) -> usize {
        self.entries.counts().ready(is_traces)
    }

    /// Returns how many calls of a kind are under way to HoneyHive.
    pub(super) const fn under_way(&self, is_traces: bool) -> usize {
        self.entries.counts().under_way(is_traces)
    }

    /// Returns how many of the calls under way are on disk.
    pub(super) const fn under_way_from_disk(&self, is_traces: bool) -> usize {
        self.entries.counts().under_way_from_disk(is_traces)
    }

    /// Returns true while the disk has a request to answer.
    pub(super) const fn is_at_disk(&self) -> bool {
        self.entries.counts().is_at_disk()
    }

    /// Returns how many calls are being written to disk, and how much memory that frees.
    pub(super) const fn writing(&self) -> (usize, Load) {
        self.entries.counts().writing()
    }

    /// Returns how many records were read back and are in memory, and their bytes.
    pub(super) const fn recalled(&self) -> (usize, usize) {
        self.entries.counts().recalled()
    }

    /// Returns true while spans in memory are in the lane.
    pub(super) const fn has_spans_in_memory(&self) -> bool {
        self.entries.counts().has_spans_in_memory()
    }

    /// Returns the calls that are left at the end.
    pub(super) fn into_calls(self) -> impl Iterator<Item = Sealed> {
        self.entries.into_calls()
    }
}
