//! [`Lane`]: sealed calls that wait or are under way, from memory and from disk, in one order.

mod counts;
mod order;
pub(super) mod pressure;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::time::Instant;

use self::counts::{Counts, Doing};
use self::order::{Place, disk_must_precede, must_precede};
use super::recent::Recent;
use super::sealed::{Body, Home, Sealed, Target};
use super::work;
use crate::model::id::SessionId;
use crate::outbox::{Load, StartRecord};
use crate::report::DropReason;
use crate::spool::{self, Kind, Shelf, Ticket};
use crate::wire::Answer;

/// The name of a call while it is in the lane.
pub(super) type Number = u64;

/// What is on disk comes first: of two calls that belong together the disk has the older one. Else age decides;
/// the parts of a call that was too large are as old as the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    is_in_memory: bool,
    age: u64,
    number: Number,
}

/// The outcome of a call that is on disk, until the disk knows.
#[derive(Debug)]
pub(super) enum Outcome {
    Delivered(Answer),
    Dropped(DropReason),
}

#[derive(Debug)]
struct Entry {
    call: Sealed,
    doing: Doing,
    outcome: Option<Outcome>,
    /// The disk has refused it since the last writes began.
    was_refused: bool,
}

/// The order in which calls go. What is asked at every step is looked up, however many calls wait.
#[derive(Debug)]
pub(super) struct Lane {
    entries: BTreeMap<Key, Entry>,
    keys: HashMap<Number, Key>,
    numbers: u64,
    counts: Counts,
    /// The calls that may be tried, and those that rest until a time.
    ready: BTreeSet<Key>,
    resting: BTreeSet<(Instant, Key)>,
    /// The calls of a session or an event, and the calls of spans.
    of_id: HashMap<SessionId, BTreeSet<Key>>,
    spans: BTreeSet<Key>,
    /// Starts that were read back: spans that were, too, may be theirs.
    recalled_starts: BTreeSet<Key>,
    /// The records of which parts are left.
    parts: BTreeMap<spool::Place, u32>,
    /// Sessions and events that HoneyHive has.
    known: Recent<SessionId, ()>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            keys: HashMap::new(),
            numbers: 0,
            counts: Counts::default(),
            ready: BTreeSet::new(),
            resting: BTreeSet::new(),
            of_id: HashMap::new(),
            spans: BTreeSet::new(),
            recalled_starts: BTreeSet::new(),
            parts: BTreeMap::new(),
            known: Recent::new(),
        }
    }

    /// Adds a call behind all others of its home.
    pub(super) fn push(&mut self, call: Sealed) -> Number {
        self.numbers += 1;
        let age = self.numbers;
        self.insert(call, age)
    }

    fn insert(&mut self, call: Sealed, age: u64) -> Number {
        self.numbers += 1;
        let key = Key {
            is_in_memory: !call.home.is_disk(),
            age,
            number: self.numbers,
        };
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
        self.ready.insert(key);
        self.counts.add(&call, Doing::Ready);
        self.keys.insert(key.number, key);
        let entry = Entry {
            call,
            doing: Doing::Ready,
            outcome: None,
            was_refused: false,
        };
        self.entries.insert(key, entry);
        key.number
    }

    /// Replaces a call by its parts, which are as old as it was.
    pub(super) fn divide(&mut self, number: Number, parts: impl IntoIterator<Item = Sealed>) {
        if let Some(age) = self.keys.get(&number).map(|key| key.age) {
            self.remove(number);
            for part in parts {
                self.insert(part, age);
            }
        }
    }

    /// Takes a call out.
    pub(super) fn remove(&mut self, number: Number) -> Option<Sealed> {
        let key = self.keys.remove(&number)?;
        let Entry { call, doing, .. } = self.entries.remove(&key)?;
        self.counts.remove(&call, doing);
        self.ready.remove(&key);
        if let Some(then) = call.tries.not_before {
            self.resting.remove(&(then, key));
        }
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
        if let Home::Disk(ticket) = call.home {
            self.count_part_out(&ticket);
        }
        Some(call)
    }

    fn count_part_out(&mut self, ticket: &Ticket) {
        if let Some(left) = self.parts.get_mut(&ticket.place) {
            *left -= 1;
            if *left == 0 {
                self.parts.remove(&ticket.place);
            }
        }
    }

    /// True where a call is the last that is left of its record.
    pub(super) fn is_last_part(&self, ticket: &Ticket) -> bool {
        self.parts.get(&ticket.place) == Some(&1)
    }

    pub(super) fn get(&self, number: Number) -> Option<&Sealed> {
        Some(&self.entries.get(self.keys.get(&number)?)?.call)
    }

    /// Notes that HoneyHive is being asked.
    pub(super) fn set_under_way(&mut self, number: Number) {
        self.set(number, Doing::UnderWay);
    }

    /// Notes that the disk is being asked to take a call.
    pub(super) fn set_writing(&mut self, number: Number) {
        self.set(number, Doing::Writing);
    }

    /// Notes that the disk is being told the outcome of a call.
    pub(super) fn set_settling(&mut self, number: Number, outcome: Outcome) {
        self.set(number, Doing::Settling);
        if let Some(entry) = self.entry_mut(number) {
            entry.outcome = Some(outcome);
        }
    }

    /// Notes that a call waits again.
    pub(super) fn set_waiting(&mut self, number: Number) {
        self.set(number, Doing::Ready);
    }

    /// Changes a call that waits, and lets it be tried from a time on.
    pub(super) fn change(
        &mut self,
        number: Number,
        not_before: Option<Instant>,
        change: impl FnOnce(&mut Sealed),
    ) {
        let Some(key) = self.keys.get(&number).copied() else {
            return;
        };
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        self.counts.remove(&entry.call, entry.doing);
        if let Some(then) = entry.call.tries.not_before {
            self.resting.remove(&(then, key));
        }
        change(&mut entry.call);
        entry.call.tries.not_before = not_before;
        self.counts.add(&entry.call, entry.doing);
        if matches!(entry.doing, Doing::Ready | Doing::Resting) {
            let doing = not_before.map_or(Doing::Ready, |_| Doing::Resting);
            self.set(number, doing);
        }
    }

    fn set(&mut self, number: Number, doing: Doing) {
        let Some(key) = self.keys.get(&number).copied() else {
            return;
        };
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
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

    fn entry_mut(&mut self, number: Number) -> Option<&mut Entry> {
        self.entries.get_mut(self.keys.get(&number)?)
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

    /// Takes a call out whose outcome the disk knows.
    pub(super) fn take_settled(&mut self, number: Number) -> Option<(Sealed, Outcome)> {
        let outcome = self.entry_mut(number)?.outcome.take()?;
        Some((self.remove(number)?, outcome))
    }

    /// The next call that may go: ready, wanted, and not behind another.
    pub(super) fn next(
        &self,
        shelf: Option<&Shelf>,
        is_wanted: impl Fn(&Sealed) -> bool,
    ) -> Option<Number> {
        let mut ready = self.ready.iter().filter_map(|key| self.at(key));
        let found = ready.find(|(key, call)| is_wanted(call) && !self.is_behind(*key, call, shelf));
        found.map(|(key, _)| key.number)
    }

    fn at(&self, key: &Key) -> Option<(Key, &Sealed)> {
        work::look();
        Some((*key, &self.entries.get(key)?.call))
    }

    /// The calls in memory that have to follow what is on disk.
    pub(super) fn followers(&self, shelf: &Shelf) -> Vec<Number> {
        let ready = self.ready.iter().filter_map(|key| self.at(key));
        let followers = ready.filter(|(key, call)| {
            key.is_in_memory && self.is_behind_disk(call, shelf) && !self.is_preceded(*key, call)
        });
        followers.map(|(key, _)| key.number).collect()
    }

    /// The calls in memory that nothing in memory precedes, so that they may go to disk, oldest first.
    pub(super) fn free_in_memory(&self, most: usize) -> Vec<Number> {
        let first = Key {
            is_in_memory: true,
            age: 0,
            number: 0,
        };
        let free = self.entries.range(first..).filter(|(key, it)| {
            it.is_waiting() && !it.was_refused && !self.is_preceded(**key, &it.call)
        });
        free.map(|(key, _)| key.number).take(most).collect()
    }

    fn is_behind(&self, key: Key, call: &Sealed, shelf: Option<&Shelf>) -> bool {
        let of_disk = |shelf| key.is_in_memory && self.is_behind_disk(call, shelf);
        shelf.is_some_and(of_disk) || self.is_preceded(key, call)
    }

    fn is_behind_disk(&self, call: &Sealed, shelf: &Shelf) -> bool {
        !shelf.is_empty() && disk_must_precede(shelf, Place::of(call), |id| self.knows(id))
    }

    /// True while an older call must go first. Asked are only those that have an id in common, and spans.
    fn is_preceded(&self, key: Key, call: &Sealed) -> bool {
        let precedes = |older: &Key| {
            let older = self.entries.get(older).filter(|it| it.outcome.is_none());
            older.is_some_and(|older| {
                must_precede(Place::of(&older.call), Place::of(call), |id| self.knows(id))
            })
        };
        let of_id = |id: &SessionId| {
            let keys = self.of_id.get(id);
            keys.is_some_and(|keys| keys.range(..key).any(precedes))
        };
        match (call.target, &call.about) {
            (Target::Start(id), _) => of_id(&id),
            (Target::Update(id), _) => of_id(&id) || self.spans.range(..key).any(precedes),
            (Target::Traces, Some(about)) => about.sessions.iter().any(of_id),
            (Target::Traces, None) => self.recalled_starts.range(..key).any(precedes),
        }
    }

    /// Remembers that HoneyHive has this session, or event.
    pub(super) fn note_known(&mut self, id: SessionId) {
        self.known.insert(id, ());
    }

    pub(super) fn knows(&self, id: SessionId) -> bool {
        self.known.contains(&id)
    }

    /// The calls of a session in memory.
    fn in_memory(&self, id: SessionId) -> impl Iterator<Item = &Entry> {
        let keys = self.of_id.get(&id).into_iter().flatten();
        keys.filter(|key| key.is_in_memory)
            .filter_map(|key| self.entries.get(key))
    }

    /// True while a REST call of this session is in memory.
    pub(super) fn holds(&self, id: SessionId) -> bool {
        self.in_memory(id).next().is_some()
    }

    /// True while the start of this session is in memory.
    pub(super) fn holds_start(&self, id: SessionId) -> bool {
        self.in_memory(id)
            .any(|it| matches!(it.call.target, Target::Start(_)))
    }

    /// True while spans are in the lane that may create this session or event.
    pub(super) fn may_create(&self, id: SessionId) -> bool {
        let mut spans = self.spans.iter().filter_map(|key| self.entries.get(key));
        spans.any(|it| {
            let about = it.call.about.as_ref();
            it.outcome.is_none() && about.is_none_or(|about| about.may_create(id))
        })
    }

    /// The starts that are in memory.
    pub(super) fn starts(&self) -> impl Iterator<Item = &Arc<StartRecord>> {
        let calls = self.entries.values().map(|it| &it.call);
        calls.filter_map(|call| call.start.as_ref())
    }

    /// The updates of a session that wait in memory.
    pub(super) fn updates_that_wait(&self, id: SessionId) -> Vec<Number> {
        let keys = self.of_id.get(&id).into_iter().flatten();
        let updates = keys.filter(|key| {
            let entry = self.entries.get(key);
            let waits = |it: &Entry| it.is_waiting() && it.call.target.is_update();
            key.is_in_memory && entry.is_some_and(waits)
        });
        updates.map(|key| key.number).collect()
    }

    /// How many calls of a kind in memory are ready to go.
    pub(super) const fn ready(&self, is_traces: bool) -> usize {
        self.counts.ready(is_traces)
    }

    /// How many calls of a kind HoneyHive is being asked.
    pub(super) const fn under_way(&self, is_traces: bool) -> usize {
        self.counts.under_way(is_traces)
    }

    /// How many of those are on disk.
    pub(super) const fn under_way_from_disk(&self, is_traces: bool) -> usize {
        self.counts.under_way_from_disk(is_traces)
    }

    /// True while the disk is being asked or told something.
    pub(super) const fn is_at_disk(&self) -> bool {
        self.counts.is_at_disk()
    }

    /// How many calls are being written, and how much memory that gives back.
    pub(super) const fn writing(&self) -> (usize, Load) {
        self.counts.writing()
    }

    /// How many records are read back and in memory, and how many bytes they take.
    pub(super) const fn recalled(&self) -> (usize, usize) {
        self.counts.recalled()
    }

    /// True while spans in memory are in the lane.
    pub(super) const fn has_spans_in_memory(&self) -> bool {
        self.counts.has_spans_in_memory()
    }

    /// Lets everything be tried at once: somebody waits.
    pub(super) fn forget_backoff(&mut self) {
        while let Some(&(then, _)) = self.resting.first() {
            self.wake(then);
        }
    }

    /// Lets what is on disk be tried at once, or not before then.
    pub(super) fn delay_disk(&mut self, until: Option<Instant>) {
        let first_in_memory = Key {
            is_in_memory: true,
            age: 0,
            number: 0,
        };
        let on_disk = self.entries.range(..first_in_memory);
        let numbers: Vec<_> = on_disk.map(|(key, _)| key.number).collect();
        for number in numbers {
            self.change(number, until, |_| {});
        }
    }

    /// Notes that the disk has refused a call; once is enough in the last writes.
    pub(super) fn note_refused(&mut self, number: Number, is_last: bool) {
        if let Some(entry) = self.entry_mut(number).filter(|_| is_last) {
            entry.was_refused = true;
        }
    }

    /// The call in memory that has waited longest and is not under way.
    pub(super) fn oldest(&self) -> Option<(Instant, Number)> {
        let waiting = self.entries.iter();
        let waiting = waiting.filter(|(key, it)| key.is_in_memory && it.is_waiting());
        waiting.map(|(key, it)| (it.call.since, key.number)).min()
    }

    /// What is left at the end.
    pub(super) fn into_calls(self) -> impl Iterator<Item = Sealed> {
        self.entries.into_values().map(|it| it.call)
    }

    /// Gives a call another body.
    pub(super) fn set_body(&mut self, number: Number, body: Body) {
        self.change(number, None, |call| call.body = body);
    }
}

impl Entry {
    const fn is_waiting(&self) -> bool {
        matches!(self.doing, Doing::Ready | Doing::Resting)
    }
}

impl Target {
    /// Where a record on disk goes.
    pub(super) const fn of(kind: Kind, id: [u8; 16]) -> Self {
        match kind {
            Kind::Start => Self::Start(SessionId::from_bytes(id)),
            Kind::Update => Self::Update(SessionId::from_bytes(id)),
            Kind::Traces => Self::Traces,
        }
    }
}
