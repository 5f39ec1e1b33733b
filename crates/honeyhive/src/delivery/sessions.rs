//! What is known of each session that has something to deliver: its start, held back for a moment, and
//! the updates merged so far.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::changes::{Changes, Operation};
use super::later;
use super::ledger::{Ledger, Tally};
use super::recent::Recent;
use crate::enrichment::Enrichment;
use crate::error::Error;
use crate::id::SessionId;
use crate::outbox::StartRecord;

/// How long an update waits for the end of a request at the most.
const LONGEST_REQUEST: Duration = Duration::from_secs(600);
/// How long the update at the end of a request waits for the spans that may create its session.
const SPANS_FIRST: Duration = super::spans::DELAY.saturating_add(Duration::from_millis(500));

/// A session with something to deliver.
#[derive(Debug)]
struct Entry {
    start: Option<Arc<StartRecord>>,
    start_tally: Tally,
    /// Further starts of the same session, each sent after the one before: HoneyHive merges them.
    later: VecDeque<(Arc<StartRecord>, Tally)>,
    changes: Changes,
    changes_tally: Tally,
    /// Held back until here, so that what comes meanwhile goes along.
    hold_until: Instant,
    /// Not tried again before this.
    retry_at: Option<Instant>,
    attempts: u32,
    successes_before: Option<u64>,
    in_flight: bool,
    queued: bool,
    /// The body of a start that HoneyHive may have processed without our hearing of it: it is repeated as
    /// it was, since a session that exists takes no outputs from a second start.
    attempted: Option<(Changes, Tally)>,
    /// A request is under way whose spans may create the session.
    awaits_end: bool,
}

impl Entry {
    fn new(hold_until: Instant) -> Self {
        Self {
            start: None,
            start_tally: Tally::NONE,
            later: VecDeque::new(),
            changes: Changes::default(),
            changes_tally: Tally::NONE,
            hold_until,
            retry_at: None,
            attempts: 0,
            successes_before: None,
            in_flight: false,
            queued: false,
            attempted: None,
            awaits_end: false,
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

    fn has_work(&self) -> bool {
        self.start.is_some() || !self.changes.is_empty() || self.changes_tally.items() > 0
    }

    fn is_due(&self, now: Instant, ledger: &Ledger, urgency_counts: bool) -> bool {
        if self.in_flight || self.queued || !self.has_work() {
            return false;
        }
        if let Some(then) = self.retry_at {
            return now >= then;
        }
        let attempted = self.attempted.as_ref().map(|(_, tally)| *tally);
        let is_urgent = || {
            [Some(self.start_tally), Some(self.changes_tally), attempted]
                .into_iter()
                .flatten()
                .any(|tally| ledger.is_urgent(tally))
        };
        now >= self.hold_until || (urgency_counts && is_urgent())
    }
}

/// All sessions with something to deliver.
#[derive(Debug)]
pub(crate) struct Sessions {
    entries: HashMap<SessionId, Entry>,
    ready: VecDeque<SessionId>,
    /// HoneyHive has these.
    known: Recent<SessionId, ()>,
    window: Duration,
}

impl Sessions {
    pub(crate) fn new(window: Duration) -> Self {
        Self {
            entries: HashMap::new(),
            ready: VecDeque::new(),
            known: Recent::new(),
            window,
        }
    }

    pub(crate) fn start(&mut self, start: Arc<StartRecord>, tally: Tally, now: Instant) {
        let hold_until = later(now, self.window);
        let entry = self.entry(start.id, hold_until);
        entry.later.push_back((start, tally));
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
            entry.hold_until = if awaits_spans { now + SPANS_FIRST } else { now };
        }
        if entry.start.is_none() {
            // What is new deserves its own tries.
            entry.attempts = 0;
        }
        entry.changes.merge(changes);
        entry.changes_tally = ledger.merge(entry.changes_tally, tally);
    }

    /// A request of a session that HoneyHive may not know is under way: until its spans have arrived, an
    /// update would find nothing.
    pub(crate) fn await_end(&mut self, id: SessionId, now: Instant) {
        if self.known.contains(&id) || self.start_is_pending(id) {
            return;
        }
        let entry = self.entry(id, later(now, LONGEST_REQUEST));
        entry.awaits_end = true;
        entry.hold_until = later(now, LONGEST_REQUEST);
    }

    /// Takes back a start that was not sent; what had gathered for it goes to the new id, as far as a
    /// session that exists takes it.
    pub(crate) fn withdraw(
        &mut self,
        start: &StartRecord,
        to: SessionId,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let Some(entry) = self.entries.get_mut(&start.id) else {
            return;
        };
        let is_it = |held: &Arc<StartRecord>| std::ptr::eq(held.as_ref(), start);
        if let Some(index) = entry.later.iter().position(|(held, _)| is_it(held)) {
            let later = entry.later.remove(index);
            later
                .into_iter()
                .for_each(|(_, tally)| ledger.withdrawn(tally));
            return start.settle(Ok(()));
        }
        if !entry.start.as_ref().is_some_and(is_it) {
            return;
        }
        start.settle(Ok(()));
        entry.start = None;
        let tally = std::mem::replace(&mut entry.start_tally, Tally::NONE);
        if !entry.later.is_empty() {
            // What had gathered is the other's too.
            entry.take_up_next_start();
            return ledger.withdrawn(tally);
        }
        if let Some(entry) = self.entries.remove(&start.id) {
            self.move_to(to, start, tally, entry, ledger, now);
        }
    }

    /// Hands what a session had gathered to the one it was moved to.
    fn move_to(
        &mut self,
        to: SessionId,
        start: &StartRecord,
        start_tally: Tally,
        entry: Entry,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let began_with = Enrichment::new()
            .metadata(&start.metadata)
            .user_properties(&start.user_properties);
        let mut changes = Changes::of(began_with);
        let mut tally = entry.changes_tally;
        if changes.is_empty() {
            ledger.withdrawn(start_tally);
        } else {
            tally = ledger.merge(start_tally, tally);
        }
        changes.merge(entry.changes);
        if !changes.is_empty() {
            self.change(to, changes, tally, ledger, now);
        }
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

    /// Queues what is due: held back long enough, or, where `urgency_counts`, waited for by a flush.
    pub(crate) fn queue_due(&mut self, now: Instant, ledger: &Ledger, urgency_counts: bool) {
        for (id, entry) in &mut self.entries {
            if entry.is_due(now, ledger, urgency_counts) {
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
        let entry = self.entries.get_mut(&id)?;
        entry.queued = false;
        if entry.in_flight {
            return None;
        }
        if let Some(start) = &entry.start
            && !start.take_for_sending()
        {
            // It has been withdrawn; the record of its move is on the way.
            return None;
        }
        entry.in_flight = true;
        let start = entry.start.take();
        let (changes, tally) = match (&start, entry.attempted.take()) {
            (_, Some(attempted)) => attempted,
            (Some(_), None) => entry.take_changes_for_start(),
            (None, None) => entry.take_changes(),
        };
        Some(Operation {
            id,
            start,
            changes,
            tally,
            attempts: entry.attempts,
            successes_before: entry.successes_before,
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
        error: &Error,
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
        outcome: &Result<(), Error>,
        settle_start: impl FnOnce(Tally),
    ) {
        let Some(entry) = self.entries.get_mut(&operation.id) else {
            return;
        };
        entry.in_flight = false;
        entry.attempts = 0;
        entry.successes_before = None;
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
        entry.retry_at = Some(at);
        entry.start = operation.start;
        if entry.start.is_some() && may_have {
            entry.attempted = Some((operation.changes, operation.tally));
            return;
        }
        let mut changes = operation.changes;
        changes.merge(std::mem::take(&mut entry.changes));
        entry.changes = changes;
        entry.changes_tally = ledger.merge(operation.tally, entry.changes_tally);
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

    /// True while a request is under way whose spans may create the session.
    pub(crate) fn awaits_end(&self, id: SessionId) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.awaits_end)
    }
}
