//! What is known of each session that has something to deliver: its start, held back for a moment, and
//! the updates merged so far.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::changes::{Beginning, Changes, Operation};
use super::later;
use super::ledger::{Ledger, Tally};
use super::outputs::Outputs;
use super::recent::Recent;
use super::redactor::Redactor;
use crate::error::StartError;
use crate::model::id::SessionId;
use crate::outbox::StartRecord;
use crate::report::DropReason;

/// How long an update waits for the end of a request at the most.
const LONGEST_REQUEST: Duration = Duration::from_secs(600);
/// How long the update at the end of a request waits for the spans that may create its session.
const SPANS_FIRST: Duration = super::spans::DELAY.saturating_add(Duration::from_millis(500));

/// A session with something to deliver.
#[derive(Debug)]
struct Entry {
    start: Option<Beginning>,
    start_tally: Tally,
    /// Further starts of the same session, each sent after the one before: HoneyHive merges them.
    later: VecDeque<(Beginning, Tally)>,
    changes: Changes,
    changes_tally: Tally,
    /// Since when there has been something to deliver.
    since: Instant,
    /// Held back until here, so that what comes meanwhile goes along.
    hold_until: Instant,
    /// Not tried again before this.
    retry_at: Option<Instant>,
    attempts: u32,
    successes_before: Option<u64>,
    /// How long a text may be, where HoneyHive found the call too large.
    cut_to: Option<usize>,
    in_flight: bool,
    queued: bool,
    /// The body of a start that HoneyHive may have processed without our hearing of it: it is repeated as
    /// it was, since a session that exists takes no outputs from a second start.
    attempted: Option<Box<(Changes, Tally)>>,
    /// A request is under way whose spans may create the session.
    awaits_end: bool,
    /// It is an event, whose span may still be on its way.
    awaits_spans: bool,
}

impl Entry {
    fn new(hold_until: Instant) -> Self {
        Self {
            since: Instant::now(),
            start: None,
            start_tally: Tally::NONE,
            later: VecDeque::new(),
            changes: Changes::default(),
            changes_tally: Tally::NONE,
            hold_until,
            retry_at: None,
            attempts: 0,
            successes_before: None,
            cut_to: None,
            in_flight: false,
            queued: false,
            attempted: None,
            awaits_end: false,
            awaits_spans: false,
        }
    }

    fn take_up_next_start(&mut self) {
        if self.start.is_none()
            && !self.in_flight
            && let Some((start, tally)) = self.later.pop_front()
        {
            self.start = Some(start);
            self.start_tally = tally;
        }
    }

    fn take_changes(&mut self) -> (Changes, Tally) {
        let tally = std::mem::replace(&mut self.changes_tally, Tally::NONE);
        (std::mem::take(&mut self.changes), tally)
    }

    /// As far as a start has a place for them. The items of what stays behind are settled with it.
    fn take_changes_for_start(&mut self) -> (Changes, Tally) {
        let (changes, tally) = self.take_changes();
        let (now, rest) = changes.split_for_start();
        if rest.is_empty() {
            return (now, tally);
        }
        self.changes = rest;
        self.changes_tally = tally;
        (now, Tally::NONE)
    }

    /// A start that was withdrawn, as what it leaves to the session it was moved to.
    fn take_back(&mut self, start: &StartRecord, redactor: &Redactor) -> (Changes, Tally) {
        let is_it = |held: &Beginning| std::ptr::eq(held.record.as_ref(), start);
        let later = self.later.iter().position(|(held, _)| is_it(held));
        let tally = if let Some((_, tally)) = later.and_then(|index| self.later.remove(index)) {
            tally
        } else if self.start.as_ref().is_some_and(is_it) {
            self.start = None;
            let tally = std::mem::replace(&mut self.start_tally, Tally::NONE);
            self.take_up_next_start();
            tally
        } else {
            // It was never kept here; what it had to say is among the changes.
            return (Changes::default(), Tally::NONE);
        };
        (Changes::of(start.began_with(), redactor), tally)
    }

    const fn holds_an_end(&self) -> bool {
        self.changes.end_time.is_some()
    }

    fn has_work(&self) -> bool {
        self.start.is_some() || !self.changes.is_empty() || self.changes_tally.items() > 0
    }

    fn is_due(&self, now: Instant, ledger: &Ledger, urgency: Urgency) -> bool {
        if self.in_flight || self.queued || !self.has_work() {
            return false;
        }
        let urgency_counts = match urgency {
            Urgency::Counts => true,
            Urgency::CountsForSessions => !self.awaits_spans,
            Urgency::DoesNotCount => false,
        };
        if let Some(then) = self.retry_at {
            return now >= then;
        }
        let attempted = self.attempted.as_ref().map(|it| it.1);
        let is_urgent = || {
            [Some(self.start_tally), Some(self.changes_tally), attempted]
                .into_iter()
                .flatten()
                .any(|tally| ledger.is_urgent(tally))
        };
        now >= self.hold_until || (urgency_counts && is_urgent())
    }
}

/// For what a flush hurries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Urgency {
    Counts,
    /// But not for events: spans are still to be sent, and theirs may be among them.
    CountsForSessions,
    /// Sessions, too, are made by spans that are still to be sent.
    DoesNotCount,
}

/// All sessions with something to deliver.
#[derive(Debug)]
pub(crate) struct Sessions {
    entries: HashMap<SessionId, Entry>,
    ready: VecDeque<SessionId>,
    /// HoneyHive has these.
    known: Recent<SessionId, ()>,
    outputs: Outputs,
    window: Duration,
    redactor: Arc<Redactor>,
}

impl Sessions {
    pub(crate) fn new(window: Duration, redactor: Arc<Redactor>) -> Self {
        Self {
            entries: HashMap::new(),
            ready: VecDeque::new(),
            known: Recent::new(),
            outputs: Outputs::default(),
            window,
            redactor,
        }
    }

    pub(crate) fn start(&mut self, start: Arc<StartRecord>, tally: Tally, now: Instant) {
        let hold_until = later(now, self.window);
        let entry = self.entry(start.id, hold_until);
        // It is begun here after all.
        entry.awaits_end = false;
        entry.awaits_spans = false;
        entry.hold_until = entry.hold_until.min(hold_until);
        entry.later.push_back((Beginning::new(start), tally));
        entry.take_up_next_start();
    }

    pub(crate) fn change(
        &mut self,
        id: SessionId,
        changes: Changes,
        tally: Tally,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let hold_until = later(now, self.window);
        let entry = self.entry(id, hold_until);
        if changes.end_time.is_some() {
            // Nothing more is expected, unless it is the spans that create the session.
            let awaits_spans = std::mem::take(&mut entry.awaits_end);
            let until = if awaits_spans { now + SPANS_FIRST } else { now };
            // An end that waits already is not put off by the next.
            entry.hold_until = if entry.holds_an_end() {
                entry.hold_until.min(until)
            } else {
                until
            };
        }
        if entry.start.is_none() && entry.changes.is_empty() {
            // What is new deserves its own tries.
            entry.attempts = 0;
        }
        entry.changes.merge(changes);
        entry.changes_tally = ledger.merge(entry.changes_tally, tally);
    }

    /// A request of a session that HoneyHive may not know is under way: until its spans have arrived, an
    /// update would find nothing.
    pub(crate) fn await_end(&mut self, id: SessionId, now: Instant) {
        if self.known.contains(&id)
            || self.start_is_pending(id)
            || self.entries.get(&id).is_some_and(Entry::holds_an_end)
        {
            return;
        }
        let entry = self.entry(id, later(now, LONGEST_REQUEST));
        entry.awaits_end = true;
        entry.hold_until = later(now, LONGEST_REQUEST);
    }

    /// What was said is about an event: until its span has arrived, an update would find nothing.
    pub(crate) fn await_spans(&mut self, id: SessionId, now: Instant) {
        if self.known.contains(&id) || self.start_is_pending(id) {
            // It is a session, or was added to before.
            return;
        }
        if let Some(entry) = self.entries.get_mut(&id)
            && !std::mem::replace(&mut entry.awaits_spans, true)
        {
            entry.hold_until = entry.hold_until.max(now + SPANS_FIRST);
        }
    }

    /// Takes back a start that was not sent, and gives what goes to the new id: what it began with, as far as a session that
    /// exists takes it; and so does all else that had gathered, where nobody else can know the first id.
    pub(crate) fn withdraw(
        &mut self,
        start: &StartRecord,
        ledger: &mut Ledger,
    ) -> Option<(Changes, Tally)> {
        start.settle(Ok(()));
        let entry = self.entries.get_mut(&start.id)?;
        let (mut changes, mut tally) = entry.take_back(start, &self.redactor);
        if start.is_fresh && !entry.in_flight {
            let (gathered, more) = entry.take_changes();
            changes.merge(gathered);
            tally = ledger.merge(tally, more);
        }
        self.forget_if_idle(start.id);
        if changes.is_empty() {
            ledger.withdrawn(tally);
            return None;
        }
        Some((changes, tally))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What there is of a session goes now.
    pub(crate) fn hold_no_longer(&mut self, id: SessionId, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.hold_until = now;
        }
    }

    fn entry(&mut self, id: SessionId, hold_until: Instant) -> &mut Entry {
        self.entries
            .entry(id)
            .or_insert_with(|| Entry::new(hold_until))
    }

    /// True while HoneyHive has not been told of the session's start, which its spans wait for.
    pub(crate) fn start_is_pending(&self, id: SessionId) -> bool {
        self.entries.get(&id).is_some_and(|entry| {
            entry.start.is_some()
                || (entry.in_flight && entry.start_tally.items() > 0)
                || !entry.later.is_empty()
        })
    }

    /// Queues what is due: held back long enough, or waited for by a flush.
    pub(crate) fn queue_due(&mut self, now: Instant, ledger: &Ledger, urgency: Urgency) {
        for (id, entry) in &mut self.entries {
            if now >= entry.hold_until {
                // Nobody waits longer than this for an end.
                entry.awaits_end = false;
            }
            if entry.is_due(now, ledger, urgency) {
                entry.queued = true;
                self.ready.push_back(*id);
            }
        }
    }

    /// Lets everything that waits for a retry be tried at once.
    pub(crate) fn forget_backoff(&mut self) {
        for entry in self.entries.values_mut() {
            entry.retry_at = None;
        }
    }

    /// The next call to make.
    pub(crate) fn next(&mut self) -> Option<Operation> {
        loop {
            let id = self.ready.pop_front()?;
            if let Some(operation) = self.take_operation(id) {
                return Some(operation);
            }
        }
    }

    fn take_operation(&mut self, id: SessionId) -> Option<Operation> {
        let is_queued = self.entries.get(&id)?.queued;
        if is_queued { self.take(id) } else { None }
    }

    /// The next call of this session, whether it is due or not.
    pub(super) fn take(&mut self, id: SessionId) -> Option<Operation> {
        let entry = self.entries.get_mut(&id)?;
        entry.queued = false;
        if entry.in_flight || !entry.has_work() {
            return None;
        }
        if let Some(start) = &entry.start
            && !start.take_for_sending()
        {
            // It has been withdrawn; the record of its move is on the way.
            return None;
        }
        entry.in_flight = true;
        let mut start = entry.start.take();
        if let Some(start) = &mut start {
            start.prepare(&self.redactor);
        }
        let is_frozen = entry.attempted.is_some();
        let (mut changes, tally) = match (&start, entry.attempted.take()) {
            (_, Some(attempted)) => *attempted,
            (Some(_), None) => entry.take_changes_for_start(),
            (None, None) => entry.take_changes(),
        };
        changes.with_earlier_outputs(id, &mut self.outputs);
        Some(Operation {
            id,
            start,
            changes,
            tally,
            attempts: entry.attempts,
            successes_before: entry.successes_before,
            cut_to: entry.cut_to,
            is_frozen,
        })
    }

    /// The call got through: its items are done.
    pub(crate) fn succeeded(&mut self, operation: &Operation, ledger: &mut Ledger) {
        self.known.insert(operation.id, ());
        self.end(operation, &Ok(()), |tally| ledger.delivered(tally));
        ledger.delivered(operation.tally);
        self.forget_if_idle(operation.id);
    }

    /// The call will never get through: its items are lost, and so is what would have followed a start.
    pub(crate) fn failed(
        &mut self,
        operation: &Operation,
        error: &StartError,
        mut drop_items: impl FnMut(Tally),
    ) {
        let started = operation.start.is_some();
        self.end(operation, &Err(error.clone()), &mut drop_items);
        drop_items(operation.tally);
        if started && let Some(entry) = self.entries.get_mut(&operation.id) {
            entry.changes = Changes::default();
            drop_items(std::mem::replace(&mut entry.changes_tally, Tally::NONE));
        }
        self.forget_if_idle(operation.id);
    }

    fn end(
        &mut self,
        operation: &Operation,
        outcome: &Result<(), StartError>,
        settle_start: impl FnOnce(Tally),
    ) {
        let Some(entry) = self.entries.get_mut(&operation.id) else {
            return;
        };
        entry.in_flight = false;
        entry.attempts = 0;
        entry.successes_before = None;
        entry.cut_to = None;
        entry.retry_at = None;
        if let Some(start) = &operation.start {
            start.settle(outcome.clone());
            settle_start(std::mem::replace(&mut entry.start_tally, Tally::NONE));
        }
        entry.take_up_next_start();
    }

    fn forget_if_idle(&mut self, id: SessionId) {
        if self
            .entries
            .get(&id)
            .is_some_and(|entry| !entry.has_work() && !entry.in_flight)
        {
            self.entries.remove(&id);
        }
    }

    /// The call is worth another try. The content of an update goes back under what came meanwhile; that of
    /// a start stays as it is where HoneyHive `may_have` it.
    pub(crate) fn retry(
        &mut self,
        operation: Operation,
        may_have: bool,
        at: Instant,
        ledger: &mut Ledger,
    ) {
        let entry = self.entry(operation.id, at);
        entry.in_flight = false;
        entry.attempts = operation.attempts + 1;
        entry.successes_before = operation.successes_before;
        entry.cut_to = operation.cut_to;
        entry.retry_at = Some(at);
        let is_frozen = operation.start.is_some() && (may_have || operation.is_frozen);
        entry.start = operation.start;
        // A start that came meanwhile goes with what is tried again.
        entry.take_up_next_start();
        if is_frozen {
            entry.attempted = Some(Box::new((operation.changes, operation.tally)));
            return;
        }
        let mut changes = operation.changes;
        changes.merge(std::mem::take(&mut entry.changes));
        entry.changes = changes;
        entry.changes_tally = ledger.merge(operation.tally, entry.changes_tally);
    }

    /// Those that wait and are not under way, the oldest first.
    pub(super) fn by_age(&self) -> Vec<(Instant, SessionId)> {
        let waiting = self.entries.iter().filter(|(_, entry)| !entry.in_flight);
        let mut by_age: Vec<_> = waiting.map(|(id, entry)| (entry.since, *id)).collect();
        by_age.sort_unstable_by_key(|(since, _)| *since);
        by_age
    }

    /// Gives a session's items up, to make room; answers the starts that were among them.
    pub(super) fn evict(
        &mut self,
        id: SessionId,
        mut drop_items: impl FnMut(Tally),
    ) -> Vec<Arc<StartRecord>> {
        let Some(entry) = self.entries.remove(&id) else {
            return Vec::new();
        };
        drop_items(entry.changes_tally);
        drop_items(entry.attempted.map_or(Tally::NONE, |it| it.1));
        let first = entry.start.map(|start| (start, entry.start_tally));
        let starts = first.into_iter().chain(entry.later);
        starts
            .map(|(start, tally)| {
                drop_items(tally);
                start.settle(Err(StartError::Dropped {
                    reason: DropReason::QueueFull,
                }));
                start.record
            })
            .collect()
    }

    /// HoneyHive has this session, or event.
    pub(crate) fn knows(&self, id: SessionId) -> bool {
        self.known.contains(&id)
    }

    pub(crate) fn note_known(&mut self, id: SessionId) {
        self.known.insert(id, ());
    }

    /// What ends with this call.
    pub(crate) fn tallies(&self, operation: &Operation) -> [Tally; 2] {
        let start = self.entries.get(&operation.id).map(|it| it.start_tally);
        let start = start.filter(|_| operation.start.is_some());
        [start.unwrap_or(Tally::NONE), operation.tally]
    }

    /// The call was not made: it is on disk, and what ends with it is accounted for there.
    pub(crate) fn left_to_disk(&mut self, operation: &Operation, ledger: &mut Ledger) -> Tally {
        let [start, changes] = self.tallies(operation);
        if let Some(entry) = self.entries.get_mut(&operation.id) {
            entry.in_flight = false;
            entry.attempts = 0;
            entry.successes_before = None;
            entry.cut_to = None;
            entry.retry_at = None;
            if operation.start.is_some() {
                entry.start_tally = Tally::NONE;
            }
            entry.take_up_next_start();
        }
        self.forget_if_idle(operation.id);
        ledger.merge(start, changes)
    }

    /// The call was not made now: it is made later, not before then.
    pub(crate) fn put_back(&mut self, operation: Operation, at: Instant, ledger: &mut Ledger) {
        let attempts = operation.attempts;
        let id = operation.id;
        self.retry(operation, false, at, ledger);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.attempts = attempts;
        }
    }

    /// A request has ended without an update of its own: its spans are on their way.
    pub(crate) fn ended(&mut self, id: SessionId, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&id)
            && std::mem::take(&mut entry.awaits_end)
        {
            entry.hold_until = now + SPANS_FIRST;
        }
    }

    /// What waits for the end of its request is not waited for by a flush.
    pub(crate) fn defer_awaiting(&mut self, ledger: &mut Ledger) {
        for entry in self.entries.values_mut().filter(|entry| entry.awaits_end) {
            entry.changes_tally = ledger.defer(entry.changes_tally);
        }
    }

    /// No request will end any more.
    pub(crate) fn await_no_longer(&mut self) {
        for entry in self.entries.values_mut() {
            entry.awaits_end = false;
        }
    }

    /// True for what was said of an event whose span may still be on its way.
    pub(crate) fn awaits_spans(&self, id: SessionId) -> bool {
        self.entries
            .get(&id)
            .is_some_and(|entry| entry.awaits_spans)
    }

    /// True while a request is under way whose spans may create the session.
    pub(crate) fn awaits_end(&self, id: SessionId) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.awaits_end)
    }
}
