//! [`Spans`]: finished spans that wait: for company, for their session, or for its start.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use opentelemetry_sdk::trace::SpanData;
use tokio::time::Instant;

use crate::attributes::EVENT_ID;
use crate::delivery::claim::Claim;
use crate::delivery::ledger::Ledger;
use crate::delivery::seal::OpenSpan;
use crate::delivery::sealed::About;
use crate::delivery::time::SPAN_DELAY;
use crate::delivery::work;
use crate::model::id::{EventId, SessionId};

/// So many spans go in one request, at the most.
const BATCH_SPANS: usize = 512;
/// And about so many bytes before compression.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;

/// A span with its share of the accounts.
#[derive(Debug)]
pub(in crate::delivery) struct Waiting {
    pub(in crate::delivery) span: SpanData,
    pub(in crate::delivery) claim: Claim,
    pub(in crate::delivery) since: Instant,
    pub(in crate::delivery) session: Option<SessionId>,
}

impl Waiting {
    /// The event that the span becomes, where it has a name.
    pub(in crate::delivery) fn event(&self) -> Option<SessionId> {
        event_of(&self.span)
    }
}

/// The event that a span becomes, where it has a name.
pub(in crate::delivery) fn event_of(span: &SpanData) -> Option<SessionId> {
    let mut attributes = span.attributes.iter();
    let name = attributes.rfind(|it| it.key.as_str() == EVENT_ID)?;
    let event: EventId = name.value.as_str().parse().ok()?;
    Some(event.as_session())
}

/// Names a span while it waits: its age.
type Age = u64;

/// The spans that were taken in and not sealed.
#[derive(Debug, Default)]
pub(in crate::delivery) struct Spans {
    /// Boxed, since the neighbours of one that goes move up.
    waiting: BTreeMap<Age, Box<Waiting>>,
    ages: Age,
    /// Nobody has said whose they are.
    strays: BTreeSet<Age>,
    /// They may go.
    free: BTreeSet<Age>,
    /// They wait for the start of their session.
    held: HashMap<SessionId, BTreeSet<Age>>,
    /// They follow the start of their session to disk.
    behind: BTreeSet<Age>,
    /// How many there are of each session and of each named event.
    concerned: HashMap<SessionId, u32>,
}

/// Where a span waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::delivery) enum Place {
    Free,
    Held,
    Behind,
}

/// Spans that are sealed together.
#[derive(Debug)]
pub(in crate::delivery) struct Batch {
    pub(in crate::delivery) spans: Vec<OpenSpan>,
    pub(in crate::delivery) about: About,
    pub(in crate::delivery) claim: Claim,
    /// Since when the first of them has waited.
    pub(in crate::delivery) since: Instant,
}

impl Spans {
    /// Adds a span that nobody has said a session of.
    pub(in crate::delivery) fn add_stray(&mut self, waiting: Waiting) {
        let age = self.insert(waiting);
        self.strays.insert(age);
    }

    /// Adds a span of a session.
    pub(in crate::delivery) fn add(&mut self, waiting: Waiting, session: SessionId, place: Place) {
        let waiting = Waiting {
            session: Some(session),
            ..waiting
        };
        self.concern(&waiting, session);
        let age = self.insert(waiting);
        self.put(age, session, place);
    }

    fn insert(&mut self, waiting: Waiting) -> Age {
        work::look();
        self.ages += 1;
        self.waiting.insert(self.ages, Box::new(waiting));
        self.ages
    }

    fn put(&mut self, age: Age, session: SessionId, place: Place) {
        match place {
            Place::Free => self.free.insert(age),
            Place::Behind => self.behind.insert(age),
            Place::Held => self.held.entry(session).or_default().insert(age),
        };
    }

    fn concern(&mut self, waiting: &Waiting, session: SessionId) {
        for id in [Some(session), waiting.event()].into_iter().flatten() {
            *self.concerned.entry(id).or_default() += 1;
        }
    }

    /// Takes out those that nobody has said a session of, once it is time for them to go.
    pub(in crate::delivery) fn take_strays(&mut self) -> Vec<Waiting> {
        let strays = std::mem::take(&mut self.strays);
        let taken = strays.iter().filter_map(|age| self.waiting.remove(age));
        taken.map(|it| *it).collect()
    }

    pub(in crate::delivery) fn strays_are_due(&self, now: Instant, ledger: &Ledger) -> bool {
        self.strays.len() >= BATCH_SPANS || self.is_due(&self.strays, now, ledger)
    }

    pub(in crate::delivery) fn free_are_due(&self, now: Instant, ledger: &Ledger) -> bool {
        self.free.len() >= BATCH_SPANS || self.is_due(&self.free, now, ledger)
    }

    pub(in crate::delivery) fn behind_are_due(&self, now: Instant, ledger: &Ledger) -> bool {
        self.behind.len() >= BATCH_SPANS || self.is_due(&self.behind, now, ledger)
    }

    fn is_due(&self, ages: &BTreeSet<Age>, now: Instant, ledger: &Ledger) -> bool {
        let mut first = ages.iter().take(BATCH_SPANS);
        first.any(|age| {
            work::look();
            let waiting = self.waiting.get(age);
            waiting.is_some_and(|it| now >= it.since + SPAN_DELAY || ledger.is_urgent(&it.claim))
        })
    }

    /// Lets the spans of a session go, or follow its start to disk.
    pub(in crate::delivery) fn release(&mut self, session: SessionId, place: Place) {
        for age in self.held.remove(&session).unwrap_or_default() {
            self.put(age, session, place);
        }
    }

    /// Lets go what follows nothing on disk any more, of the first that do.
    pub(in crate::delivery) fn free_behind(&mut self, follows: impl Fn(SessionId) -> bool) {
        let first: Vec<_> = self.behind.iter().take(BATCH_SPANS).copied().collect();
        for age in first {
            let session = self.waiting.get(&age).and_then(|it| it.session);
            if session.is_none_or(|id| !follows(id)) {
                self.behind.remove(&age);
                self.free.insert(age);
            }
        }
    }

    /// The sessions whose spans wait for their start.
    pub(in crate::delivery) fn held(&self) -> impl Iterator<Item = SessionId> {
        self.held.keys().copied()
    }

    /// Moves the spans of a session to another.
    pub(in crate::delivery) fn move_all(&mut self, from: SessionId, to: SessionId, place: Place) {
        for age in self.held.remove(&from).unwrap_or_default() {
            if let Some(mut waiting) = self.waiting.remove(&age) {
                self.forget_concern(&waiting);
                waiting.session = Some(to);
                self.concern(&waiting, to);
                self.waiting.insert(age, waiting);
                self.put(age, to, place);
            }
        }
    }

    /// The next batch of those that may go, oldest first, and what is no longer concerned by any that waits.
    pub(in crate::delivery) fn next_batch(&mut self, ledger: &mut Ledger) -> Option<Batch> {
        let free = std::mem::take(&mut self.free);
        let (batch, rest) = self.batch_of(free, ledger);
        self.free = rest;
        batch
    }

    /// The next batch of those that follow a start to disk.
    pub(in crate::delivery) fn next_batch_behind(&mut self, ledger: &mut Ledger) -> Option<Batch> {
        let behind = std::mem::take(&mut self.behind);
        let (batch, rest) = self.batch_of(behind, ledger);
        self.behind = rest;
        batch
    }

    fn batch_of(
        &mut self,
        mut ages: BTreeSet<Age>,
        ledger: &mut Ledger,
    ) -> (Option<Batch>, BTreeSet<Age>) {
        let first = ages.first().and_then(|age| self.waiting.get(age));
        let Some(since) = first.map(|it| it.since) else {
            return (None, ages);
        };
        let mut batch = Batch {
            spans: Vec::with_capacity(BATCH_SPANS.min(ages.len())),
            about: About::default(),
            claim: Claim::none(),
            since,
        };
        while batch.spans.len() < BATCH_SPANS
            && batch.claim.bytes() < BATCH_BYTES
            && let Some(age) = ages.pop_first()
        {
            work::look();
            let Some(waiting) = self.waiting.remove(&age).map(|it| *it) else {
                continue;
            };
            self.forget_concern(&waiting);
            batch.about.events.extend(waiting.event());
            batch.claim = ledger.merge(batch.claim, waiting.claim);
            if let Some(session) = waiting.session {
                batch.about.sessions.push(session);
                batch.spans.push(OpenSpan::new(waiting.span, session));
            }
        }
        batch.about = batch.about.sorted();
        (Some(batch), ages)
    }

    fn forget_concern(&mut self, waiting: &Waiting) {
        for id in [waiting.session, waiting.event()].into_iter().flatten() {
            if let Some(count) = self.concerned.get_mut(&id) {
                *count -= 1;
                if *count == 0 {
                    self.concerned.remove(&id);
                }
            }
        }
    }

    /// True while a span waits that may create this session or event. Strays may be of any session.
    pub(in crate::delivery) fn may_create(&self, id: SessionId) -> bool {
        self.concerned.contains_key(&id)
    }

    pub(in crate::delivery) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Since when the first of them has waited.
    pub(in crate::delivery) fn oldest(&self) -> Option<Instant> {
        self.waiting.values().next().map(|waiting| waiting.since)
    }

    /// Takes the oldest span out, to make room.
    pub(in crate::delivery) fn evict(&mut self) -> Option<Waiting> {
        let (age, waiting) = self.waiting.pop_first()?;
        self.strays.remove(&age);
        self.free.remove(&age);
        self.behind.remove(&age);
        if let Some(session) = waiting.session {
            if let Some(held) = self.held.get_mut(&session) {
                held.remove(&age);
                if held.is_empty() {
                    self.held.remove(&session);
                }
            }
            self.forget_concern(&waiting);
        }
        Some(*waiting)
    }

    /// What is left at the end.
    pub(in crate::delivery) fn into_claims(self) -> impl Iterator<Item = Claim> {
        self.waiting.into_values().map(|it| it.claim)
    }
}
