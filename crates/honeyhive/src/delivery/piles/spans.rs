//! [`Spans`] hold finished spans that wait: for others, for their session, or for its start.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::company::Company;
use super::patience::{Looks, Patience};
use super::waiting::{Batch, Place, Waiting};
use crate::delivery::claim::Claim;
use crate::delivery::ledger::Ledger;
use crate::delivery::maps::IdMap;
use crate::delivery::seal::OpenSpan;
use crate::delivery::sealed::About;
use crate::delivery::work;
use crate::model::id::SessionId;

/// A request has this many spans at the most.
const BATCH_SPANS: usize = 512;
/// A request has about this size before compression.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;

/// A waiting span is named by its age.
type Age = u64;

/// The spans were taken in and are not sealed.
#[derive(Debug, Default)]
pub(in crate::delivery) struct Spans {
    /// The spans are in the order of their age, and boxed, since removing one moves its neighbours.
    waiting: BTreeMap<Age, Box<Waiting>>,
    ages: Age,
    /// The strays are the spans without a session.
    strays: BTreeSet<Age>,
    /// The free spans may go.
    free: BTreeSet<Age>,
    /// The held spans wait for the start of their session.
    held: IdMap<SessionId, BTreeSet<Age>>,
    held_by_age: BTreeSet<Age>,
    /// The oldest span that a start has freed since the last look has this age.
    let_go: Option<Age>,
    company: Company,
    looks: Looks,
    /// The spans follow the start of their session to disk.
    behind: BTreeSet<Age>,
    /// The spans of each session and of each named event are counted.
    concerned: IdMap<SessionId, u32>,
}

impl Spans {
    /// Adds a span without a session.
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
            Place::Held => {
                self.held_by_age.insert(age);
                self.held.entry(session).or_default().insert(age)
            }
        };
    }

    fn concern(&mut self, waiting: &Waiting, session: SessionId) {
        for id in [Some(session), waiting.event()].into_iter().flatten() {
            *self.concerned.entry(id).or_default() += 1;
        }
    }

    /// Takes out the spans without a session, once it is time for them to go.
    pub(in crate::delivery) fn take_strays(&mut self) -> Vec<Waiting> {
        let strays = std::mem::take(&mut self.strays);
        let taken = strays.iter().filter_map(|age| self.waiting.remove(age));
        taken.map(|it| *it).collect()
    }

    pub(in crate::delivery) fn strays_are_due(&self, now: Instant, ledger: &Ledger) -> bool {
        self.strays.len() >= BATCH_SPANS || self.is_due(&self.strays, now, ledger, Patience::Little)
    }

    /// Notes which spans starts have let go.
    pub(in crate::delivery) fn look(&mut self, now: Instant, ledger: &Ledger) {
        if let Some(oldest) = self.let_go.take() {
            let is_urgent = self.is_urgent(oldest, ledger);
            self.company.came(is_urgent, now);
        }
    }

    pub(in crate::delivery) fn free_are_due(
        &mut self,
        now: Instant,
        ledger: &Ledger,
        patience: Patience,
    ) -> bool {
        if self.free.len() >= BATCH_SPANS {
            return true;
        }
        // Spans that wait a minute are looked at now and then, not at every step.
        let rests = patience == Patience::Whole && !ledger.is_flushing();
        !(rests && self.looks.are_recent(now))
            && self.is_due(&self.free, now, ledger, patience)
            && !self.await_company(now, ledger)
    }

    /// Returns true while starts under way are about to let more spans go, that go in the same batch.
    fn await_company(&self, now: Instant, ledger: &Ledger) -> bool {
        let (Some(held), Some(free)) = (self.held_by_age.first(), self.free.first()) else {
            return false;
        };
        if self.is_urgent(*free, ledger) {
            self.is_urgent(*held, ledger)
                && self.company.more_urgent_may_come(now)
                && !ledger.is_half_over(now)
        } else {
            self.company.more_may_come(now)
        }
    }

    fn is_urgent(&self, age: Age, ledger: &Ledger) -> bool {
        let waiting = self.waiting.get(&age);
        waiting.is_some_and(|it| ledger.is_urgent(&it.claim))
    }

    pub(in crate::delivery) fn behind_are_due(&self, now: Instant, ledger: &Ledger) -> bool {
        self.behind.len() >= BATCH_SPANS || self.is_due(&self.behind, now, ledger, Patience::Little)
    }

    fn is_due(
        &self,
        ages: &BTreeSet<Age>,
        now: Instant,
        ledger: &Ledger,
        patience: Patience,
    ) -> bool {
        let mut bytes = 0;
        let mut first = ages.iter().take(BATCH_SPANS);
        first.any(|age| {
            work::look();
            self.waiting.get(age).is_some_and(|it| {
                bytes += it.claim.bytes();
                bytes >= BATCH_BYTES || patience.is_over(it, now) || ledger.is_urgent(&it.claim)
            })
        })
    }

    /// Lets the spans of a session go, or follow its start to disk.
    pub(in crate::delivery) fn release(&mut self, session: SessionId, place: Place) {
        for age in self.take_held(session) {
            self.put(age, session, place);
        }
    }

    fn take_held(&mut self, session: SessionId) -> BTreeSet<Age> {
        let ages = self.held.remove(&session).unwrap_or_default();
        for age in &ages {
            self.held_by_age.remove(age);
        }
        self.let_go = self.let_go.into_iter().chain(ages.first().copied()).min();
        ages
    }

    /// Frees the first spans that follow nothing on disk any more.
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

    /// Returns the sessions whose spans wait for their start.
    pub(in crate::delivery) fn held(&self) -> impl Iterator<Item = SessionId> {
        self.held.keys().copied()
    }

    /// Moves the spans of a session to another.
    pub(in crate::delivery) fn move_all(&mut self, from: SessionId, to: SessionId, place: Place) {
        for age in self.take_held(from) {
            if let Some(mut waiting) = self.waiting.remove(&age) {
                self.forget_concern(&waiting);
                waiting.session = Some(to);
                self.concern(&waiting, to);
                self.waiting.insert(age, waiting);
                self.put(age, to, place);
            }
        }
    }

    /// Returns the next batch of free spans, oldest first, and the sessions that no waiting span concerns any more.
    pub(in crate::delivery) fn next_batch(&mut self, ledger: &mut Ledger) -> Option<Batch> {
        self.company.left();
        let free = std::mem::take(&mut self.free);
        let (batch, rest) = self.batch_of(free, ledger);
        self.free = rest;
        batch
    }

    /// Takes the next batch of the spans that follow a start to disk.
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

    /// Returns true while a span waits that may create this session or event. Strays may be of any session.
    pub(in crate::delivery) fn may_create(&self, id: SessionId) -> bool {
        self.concerned.contains_key(&id)
    }

    pub(in crate::delivery) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns the time since which the oldest span has waited.
    pub(in crate::delivery) fn oldest(&self) -> Option<Instant> {
        self.waiting.values().next().map(|waiting| waiting.since)
    }

    /// Takes the oldest span out, to make room.
    pub(in crate::delivery) fn evict(&mut self) -> Option<Waiting> {
        let (age, waiting) = self.waiting.pop_first()?;
        self.strays.remove(&age);
        self.free.remove(&age);
        self.behind.remove(&age);
        self.held_by_age.remove(&age);
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

    /// Returns the claims that are left at the end.
    pub(in crate::delivery) fn into_claims(self) -> impl Iterator<Item = Claim> {
        self.waiting.into_values().map(|it| it.claim)
    }
}
