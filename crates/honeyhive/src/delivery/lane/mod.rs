//! [`Lane`]: sealed calls that wait or are under way, from memory and from disk, in one order.

mod order;
pub(super) mod pressure;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::time::Instant;

use self::order::{Place, disk_must_precede, must_precede};
use super::recent::Recent;
use super::sealed::{Home, Sealed, Target};
use crate::model::id::SessionId;
use crate::outbox::StartRecord;
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

/// What a call in the lane does.
#[derive(Debug)]
pub(super) enum State {
    Waiting,
    /// HoneyHive is being asked.
    UnderWay,
    /// The disk is being asked to take it.
    Writing,
    /// It has its outcome, and the disk is being told.
    Settling(Outcome),
}

/// The outcome of a call that is on disk.
#[derive(Debug)]
pub(super) enum Outcome {
    Delivered(Answer),
    Dropped(DropReason),
}

#[derive(Debug)]
struct Entry {
    call: Sealed,
    state: State,
    /// The disk has refused it since the last writes began.
    was_refused: bool,
}

/// How many calls of a session are in memory.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    calls: u32,
    starts: u32,
}

/// The order in which calls go.
#[derive(Debug)]
pub(super) struct Lane {
    entries: BTreeMap<Key, Entry>,
    keys: HashMap<Number, Key>,
    numbers: u64,
    /// The sessions and events of the REST calls in memory.
    in_memory: HashMap<SessionId, Count>,
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
            in_memory: HashMap::new(),
            parts: BTreeMap::new(),
            known: Recent::new(),
        }
    }

    /// Adds a call behind all others of its home.
    pub(super) fn push(&mut self, call: Sealed) -> Number {
        if let Home::Disk(ticket) = call.home {
            self.parts.insert(ticket.place, 1);
        }
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
        if let Some(count) = self.count_of(&call) {
            count.calls += 1;
            count.starts += u32::from(matches!(call.target, Target::Start(_)));
        }
        self.keys.insert(key.number, key);
        let entry = Entry {
            call,
            state: State::Waiting,
            was_refused: false,
        };
        self.entries.insert(key, entry);
        key.number
    }

    /// Counts of a call in memory that is about one session or event.
    fn count_of(&mut self, call: &Sealed) -> Option<&mut Count> {
        let id = call.target.id().filter(|_| !call.home.is_disk())?;
        Some(self.in_memory.entry(id).or_default())
    }

    /// Replaces a call by its parts, which are as old as it was.
    pub(super) fn divide(&mut self, number: Number, parts: impl IntoIterator<Item = Sealed>) {
        let Some(age) = self.keys.get(&number).map(|key| key.age) else {
            return;
        };
        self.take_out(number);
        for part in parts {
            if let Home::Disk(ticket) = part.home {
                *self.parts.entry(ticket.place).or_default() += 1;
            }
            self.insert(part, age);
        }
    }

    /// Takes a call out.
    pub(super) fn remove(&mut self, number: Number) -> Option<Sealed> {
        let call = self.take_out(number)?;
        Some(call)
    }

    fn take_out(&mut self, number: Number) -> Option<Sealed> {
        let key = self.keys.remove(&number)?;
        let Entry { call, .. } = self.entries.remove(&key)?;
        if let Some(id) = call.target.id().filter(|_| key.is_in_memory)
            && let Some(count) = self.in_memory.get_mut(&id)
        {
            count.calls -= 1;
            count.starts -= u32::from(matches!(call.target, Target::Start(_)));
            if count.calls == 0 {
                self.in_memory.remove(&id);
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

    pub(super) fn get_mut(&mut self, number: Number) -> Option<&mut Sealed> {
        Some(&mut self.entries.get_mut(self.keys.get(&number)?)?.call)
    }

    pub(super) fn set(&mut self, number: Number, state: State) {
        if let Some(entry) = self
            .keys
            .get(&number)
            .and_then(|key| self.entries.get_mut(key))
        {
            entry.state = state;
        }
    }

    /// The outcome of a call that was told to the disk.
    pub(super) fn take_settled(&mut self, number: Number) -> Option<(Sealed, Outcome)> {
        let key = *self.keys.get(&number)?;
        let entry = self.entries.get_mut(&key)?;
        match std::mem::replace(&mut entry.state, State::Waiting) {
            State::Settling(outcome) => Some((self.take_out(number)?, outcome)),
            state => {
                entry.state = state;
                None
            }
        }
    }

    /// The next call that may go: due, wanted, and not behind another.
    pub(super) fn next(
        &self,
        now: Instant,
        shelf: Option<&Shelf>,
        is_wanted: impl Fn(&Sealed) -> bool,
    ) -> Option<Number> {
        let mut waiting = self.waiting().filter(|(_, it)| it.call.is_due(now));
        let found = waiting.find(|(key, entry)| {
            is_wanted(&entry.call) && !self.is_behind(**key, &entry.call, shelf)
        });
        found.map(|(key, _)| key.number)
    }

    /// The calls in memory that have to follow what is on disk.
    pub(super) fn followers(&self, now: Instant, shelf: &Shelf) -> Vec<Number> {
        let due = self.waiting().filter(|(_, it)| it.call.is_due(now));
        let followers = due.filter(|(key, it)| {
            key.is_in_memory
                && self.is_behind_disk(&it.call, shelf)
                && !self.is_preceded(**key, &it.call)
        });
        followers.map(|(key, _)| key.number).collect()
    }

    /// The calls in memory that nothing in memory precedes, so that they may go to disk, oldest first.
    pub(super) fn free_in_memory(&self, most: usize) -> Vec<Number> {
        let free = self.waiting().filter(|(key, it)| {
            key.is_in_memory && !it.was_refused && !self.is_preceded(**key, &it.call)
        });
        free.map(|(key, _)| key.number).take(most).collect()
    }

    fn waiting(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        let is_waiting = |it: &Entry| matches!(it.state, State::Waiting);
        self.entries.iter().filter(move |(_, it)| is_waiting(it))
    }

    fn is_behind(&self, key: Key, call: &Sealed, shelf: Option<&Shelf>) -> bool {
        let of_disk = |shelf| key.is_in_memory && self.is_behind_disk(call, shelf);
        shelf.is_some_and(of_disk) || self.is_preceded(key, call)
    }

    fn is_behind_disk(&self, call: &Sealed, shelf: &Shelf) -> bool {
        !shelf.is_empty() && disk_must_precede(shelf, Place::of(call), |id| self.knows(id))
    }

    /// True while an older call must go first.
    fn is_preceded(&self, key: Key, call: &Sealed) -> bool {
        let older = self
            .entries
            .range(..key)
            .filter(|(_, it)| !it.has_outcome());
        let mut older = older.map(|(_, it)| Place::of(&it.call));
        older.any(|older| must_precede(older, Place::of(call), |id| self.knows(id)))
    }

    /// Remembers that HoneyHive has this session, or event.
    pub(super) fn note_known(&mut self, id: SessionId) {
        self.known.insert(id, ());
    }

    pub(super) fn knows(&self, id: SessionId) -> bool {
        self.known.contains(&id)
    }

    /// True while a REST call of this session is in memory.
    pub(super) fn holds(&self, id: SessionId) -> bool {
        self.in_memory.contains_key(&id)
    }

    /// True while the start of this session is in memory.
    pub(super) fn holds_start(&self, id: SessionId) -> bool {
        self.in_memory.get(&id).is_some_and(|it| it.starts > 0)
    }

    /// True while spans are in the lane that may create this session or event.
    pub(super) fn may_create(&self, id: SessionId) -> bool {
        let left = self.entries.values().filter(|it| !it.has_outcome());
        let mut spans = left.filter(|it| it.call.target.is_traces());
        spans.any(|it| {
            it.call
                .about
                .as_ref()
                .is_none_or(|about| about.may_create(id))
        })
    }

    /// The starts that are in memory.
    pub(super) fn starts(&self) -> impl Iterator<Item = &Arc<StartRecord>> {
        let calls = self.entries.values().map(|it| &it.call);
        calls.filter_map(|call| call.start.as_ref())
    }

    /// The updates of a session that have not gone yet.
    pub(super) fn updates_that_wait(&self, id: SessionId) -> Vec<Number> {
        let of_it = self
            .waiting()
            .filter(|(key, it)| key.is_in_memory && it.call.target == Target::Update(id));
        of_it.map(|(key, _)| key.number).collect()
    }

    /// How many calls of a kind are ready to go.
    pub(super) fn ready(&self, now: Instant, is_traces: bool) -> usize {
        let of_kind = self.waiting().filter(|(key, it)| {
            key.is_in_memory && it.call.target.is_traces() == is_traces && it.call.is_due(now)
        });
        of_kind.count()
    }

    /// How many calls of a kind HoneyHive is being asked; `from_disk` counts only those.
    pub(super) fn under_way(&self, is_traces: bool, from_disk: bool) -> usize {
        let of_kind = self.entries.values().filter(|it| {
            matches!(it.state, State::UnderWay)
                && it.call.target.is_traces() == is_traces
                && (!from_disk || it.call.home.is_disk())
        });
        of_kind.count()
    }

    pub(super) fn is_under_way(&self) -> bool {
        let mut states = self.entries.values().map(|it| &it.state);
        states.any(|state| matches!(state, State::UnderWay))
    }

    /// True while the disk is being asked or told something.
    pub(super) fn is_at_disk(&self) -> bool {
        let mut states = self.entries.values().map(|it| &it.state);
        states.any(|state| matches!(state, State::Writing | State::Settling(_)))
    }

    /// How many calls are being written, and how much memory that gives back.
    pub(super) fn writing(&self) -> (usize, crate::outbox::Load) {
        let mut load = crate::outbox::Load::default();
        let writing = self
            .entries
            .values()
            .filter(|it| matches!(it.state, State::Writing));
        let count = writing.map(|it| load.add(it.call.claim.load())).count();
        (count, load)
    }

    /// How many records are read back and in memory, and how many bytes they take.
    pub(super) fn recalled(&self) -> (usize, usize) {
        let first_in_memory = Key {
            is_in_memory: true,
            age: 0,
            number: 0,
        };
        let recalled = self.entries.range(..first_in_memory);
        recalled.fold((0, 0), |(count, bytes), (_, it)| {
            (count + 1, bytes + it.call.bytes())
        })
    }

    /// True while spans in memory are in the lane.
    pub(super) fn has_spans_in_memory(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|(key, it)| key.is_in_memory && it.call.target.is_traces())
    }

    pub(super) fn has_any_in_memory(&self) -> bool {
        self.entries
            .keys()
            .next_back()
            .is_some_and(|key| key.is_in_memory)
    }

    /// Lets everything be tried at once: somebody waits.
    pub(super) fn forget_backoff(&mut self) {
        for entry in self.entries.values_mut() {
            entry.call.tries.not_before = None;
        }
    }

    /// Lets what is on disk be tried at once, or not before then.
    pub(super) fn delay_disk(&mut self, until: Option<Instant>) {
        let on_disk = self
            .entries
            .values_mut()
            .filter(|it| it.call.home.is_disk());
        on_disk.for_each(|it| it.call.tries.not_before = until);
    }

    /// Notes that the disk has refused a call; once is enough in the last writes.
    pub(super) fn note_refused(&mut self, number: Number, is_last: bool) {
        if is_last
            && let Some(entry) = self
                .keys
                .get(&number)
                .and_then(|key| self.entries.get_mut(key))
        {
            entry.was_refused = true;
        }
    }

    /// The call in memory that has waited longest and is not under way.
    pub(super) fn oldest(&self) -> Option<(Instant, Number)> {
        let waiting = self.waiting().filter(|(key, _)| key.is_in_memory);
        let ages = waiting.map(|(key, it)| (it.call.since, key.number));
        ages.min()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What is left at the end.
    pub(super) fn into_calls(self) -> impl Iterator<Item = Sealed> {
        self.entries.into_values().map(|it| it.call)
    }
}

impl Entry {
    const fn has_outcome(&self) -> bool {
        matches!(self.state, State::Settling(_))
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
