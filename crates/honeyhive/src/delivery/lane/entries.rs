//! [`Entries`] hold the calls of the lane, oldest first, with what each does and when it may be tried.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::call_counts::{CallCounts, Doing};
use crate::delivery::maps::IdMap;
use crate::delivery::sealed::Sealed;
use crate::delivery::work;
use crate::report::DropReason;
use crate::wire::Answer;

/// A call in the lane is named by a number.
pub(in crate::delivery) type Number = u64;

/// The key orders the calls. A call on disk comes first: of two calls that belong together the disk has the older one.
/// Else age decides; the parts of a call that was too large are as old as the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) is_in_memory: bool,
    age: u64,
    pub(super) number: Number,
}

/// The first key in memory is behind all calls that are on disk.
const FIRST_IN_MEMORY: Key = Key {
    is_in_memory: true,
    age: 0,
    number: 0,
};

/// The outcome of a call on disk waits here until the disk knows.
#[derive(Debug)]
pub(in crate::delivery) enum Outcome {
    Delivered(Answer),
    Dropped(DropReason),
}

/// An entry is a call in the lane.
#[derive(Debug)]
pub(super) struct Entry {
    key: Key,
    pub(super) call: Sealed,
    doing: Doing,
    pub(super) outcome: Option<Outcome>,
    /// The flag tells whether the disk has refused the call since the last writes began.
    pub(super) was_refused: bool,
}

impl Entry {
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.doing, Doing::Ready | Doing::Resting)
    }
}

/// The entries are the calls of the lane. Questions of every step are answered by look-up, however many calls wait.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// The entries are boxed, since a map that grows moves them.
    entries: IdMap<Number, Box<Entry>>,
    numbers: u64,
    counts: CallCounts,
    /// The sets hold all calls in their order, those that may be tried, and those that rest until a time.
    order: BTreeSet<Key>,
    ready: BTreeSet<Key>,
    resting: BTreeSet<(Instant, Key)>,
}

impl Entries {
    /// Returns the age of a call behind all others of its home.
    pub(super) const fn next_age(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn insert(&mut self, call: Sealed, age: u64) -> Key {
        self.numbers += 1;
        let key = Key {
            is_in_memory: !call.home.is_disk(),
            age,
            number: self.numbers,
        };
        self.order.insert(key);
        self.ready.insert(key);
        self.counts.add(&call, Doing::Ready);
        let entry = Box::new(Entry {
            key,
            call,
            doing: Doing::Ready,
            outcome: None,
            was_refused: false,
        });
        self.entries.insert(key.number, entry);
        key
    }

    pub(super) fn remove(&mut self, number: Number) -> Option<(Key, Sealed)> {
        let entry = *self.entries.remove(&number)?;
        let Entry {
            key, call, doing, ..
        } = entry;
        self.counts.remove(&call, doing);
        self.order.remove(&key);
        self.ready.remove(&key);
        if let Some(then) = call.tries.not_before {
            self.resting.remove(&(then, key));
        }
        Some((key, call))
    }

    pub(super) fn age(&self, number: Number) -> Option<u64> {
        Some(self.get(number)?.key.age)
    }

    pub(super) fn at(&self, key: &Key) -> Option<&Entry> {
        self.get(key.number)
    }

    pub(super) fn get(&self, number: Number) -> Option<&Entry> {
        self.entries.get(&number).map(Box::as_ref)
    }

    pub(super) fn get_mut(&mut self, number: Number) -> Option<&mut Entry> {
        self.entries.get_mut(&number).map(Box::as_mut)
    }

    /// Changes a call that waits, and lets it be tried from a time on.
    pub(super) fn change(
        &mut self,
        number: Number,
        not_before: Option<Instant>,
        change: impl FnOnce(&mut Sealed),
    ) {
        let Some(entry) = self.entries.get_mut(&number) else {
            return;
        };
        let key = entry.key;
        self.counts.remove(&entry.call, entry.doing);
        if let Some(then) = entry.call.tries.not_before {
            self.resting.remove(&(then, key));
        }
        change(&mut entry.call);
        entry.call.tries.not_before = not_before;
        self.counts.add(&entry.call, entry.doing);
        if entry.is_waiting() {
            let doing = not_before.map_or(Doing::Ready, |_| Doing::Resting);
            self.set(number, doing);
        }
    }

    /// Notes the new state of a call.
    pub(super) fn set(&mut self, number: Number, doing: Doing) {
        let Some(entry) = self.entries.get_mut(&number) else {
            return;
        };
        let key = entry.key;
        self.counts.remove(&entry.call, entry.doing);
        entry.doing = doing;
        self.counts.add(&entry.call, doing);
        if doing == Doing::Ready {
            self.ready.insert(key);
        } else {
            self.ready.remove(&key);
        }
        if let Some(then) = entry.call.tries.not_before {
            if doing == Doing::Resting {
                self.resting.insert((then, key));
            } else {
                self.resting.remove(&(then, key));
            }
        }
    }

    /// Lets those be tried again that have rested long enough.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some(&(then, key)) = self.resting.first()
            && then <= now
        {
            self.resting.remove(&(then, key));
            self.set(key.number, Doing::Ready);
        }
    }

    /// Lets everything be tried at once.
    pub(super) fn wake_all(&mut self) {
        while let Some(&(then, _)) = self.resting.first() {
            self.wake(then);
        }
    }

    /// Returns the numbers of the calls of a kind that rest because they have failed.
    pub(super) fn failed(&self, is_traces: bool) -> Vec<Number> {
        let have_failed = |number: &Number| {
            let call = self.get(*number).map(|it| &it.call);
            let call = call.filter(|it| it.target.is_traces() == is_traces);
            // A call for an unknown session waits for that, and not for HoneyHive.
            call.is_some_and(|it| it.tries.failed > 0 && it.tries.unknown == 0)
        };
        let resting = self.resting.iter().map(|(_, key)| key.number);
        resting.filter(have_failed).collect()
    }

    /// Lets a call that rests be tried from a time on, if it would rest longer.
    pub(super) fn advance(&mut self, number: Number, to: Instant) {
        let then = self.get(number).and_then(|it| it.call.tries.not_before);
        self.change(number, then.map(|then| then.min(to)), |_| {});
    }

    /// Returns the calls that may be tried, in their order.
    pub(super) fn ready(&self) -> impl Iterator<Item = (Key, &Sealed)> {
        self.ready.iter().filter_map(|key| {
            work::look();
            Some((*key, &self.at(key)?.call))
        })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.order.iter().filter_map(|key| self.at(key))
    }

    pub(super) fn in_memory(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        let in_memory = self.order.range(FIRST_IN_MEMORY..);
        in_memory.filter_map(|key| Some((key, self.at(key)?)))
    }

    /// Returns the numbers of the calls that are on disk.
    pub(super) fn on_disk(&self) -> Vec<Number> {
        let on_disk = self.order.range(..FIRST_IN_MEMORY);
        on_disk.map(|key| key.number).collect()
    }

    pub(super) const fn counts(&self) -> &CallCounts {
        &self.counts
    }

    pub(super) fn into_calls(self) -> impl Iterator<Item = Sealed> {
        self.entries.into_values().map(|it| it.call)
    }
}
