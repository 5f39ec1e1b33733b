//! [`Sessions`] hold the open data of each session: its start, held back for a moment, and the updates so far.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::pile::{Opened, Pile};
use super::schedule::Schedule;
use crate::delivery::claim::Claim;
use crate::delivery::insertion_order::InsertionOrder;
use crate::delivery::ledger::Ledger;
use crate::delivery::maps::IdMap;
use crate::delivery::time::{SPAN_DELAY, later};
use crate::model::id::SessionId;
use crate::outbox::{StartRecord, Update};

/// An update waits this long at the most for the end of a request.
const LONGEST_REQUEST: Duration = Duration::from_secs(600);
/// A request's last update waits this long for the spans that may create its session.
const SPANS_FIRST: Duration = SPAN_DELAY.saturating_add(Duration::from_millis(500));

/// The piles are those of all sessions with open data.
#[derive(Debug)]
pub(in crate::delivery) struct Sessions {
    piles: IdMap<SessionId, Pile>,
    /// The order is that in which the piles began.
    order: InsertionOrder,
    schedule: Schedule,
    window: Duration,
}

impl Sessions {
    pub(in crate::delivery) fn new(window: Duration) -> Self {
        Self {
            piles: IdMap::default(),
            order: InsertionOrder::default(),
            schedule: Schedule::default(),
            window,
        }
    }

    /// Adds a start, which is held back for a moment.
    pub(in crate::delivery) fn add_start(
        &mut self,
        start: Arc<StartRecord>,
        claim: Claim,
        now: Instant,
    ) {
        let (id, until) = (start.id, later(now, self.window));
        let pile = self.pile(id, until, now);
        // The session is begun here, so nothing else need create it.
        pile.awaits_end = false;
        pile.awaits_spans = false;
        pile.starts.push_back((start, claim));
        let until = pile.due.min(until);
        self.set_due(id, until);
    }

    /// Adds an update, or several that moved here together.
    pub(in crate::delivery) fn add_updates(
        &mut self,
        id: SessionId,
        updates: Vec<Update>,
        claim: Claim,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let until = later(now, self.window);
        let is_end = updates.iter().any(|it| matches!(it, Update::End(_)));
        let pile = self.pile(id, until, now);
        let before = pile.claim.take();
        pile.claim = ledger.merge(before, claim);
        pile.updates.extend(updates);
        if is_end {
            // The request has ended, so only its spans may still create the session.
            let awaits_spans = std::mem::take(&mut pile.awaits_end);
            let until = if awaits_spans { now + SPANS_FIRST } else { now };
            // An end that waits already is not put off by the next.
            let had_end = std::mem::replace(&mut pile.has_end, true);
            let until = if had_end { pile.due.min(until) } else { until };
            self.set_due(id, until);
        }
    }

    /// Holds updates of a session back until the end of a request whose spans may create it.
    pub(in crate::delivery) fn await_end(&mut self, id: SessionId, now: Instant) {
        let until = later(now, LONGEST_REQUEST);
        let pile = self.pile(id, until, now);
        if pile.starts.is_empty() && !pile.has_end {
            pile.awaits_end = true;
            self.set_due(id, until);
        }
    }

    /// Holds updates of an event back until its span has had time to arrive.
    pub(in crate::delivery) fn await_spans(&mut self, id: SessionId, now: Instant) {
        if let Some(pile) = self.piles.get_mut(&id)
            && pile.starts.is_empty()
            && !std::mem::replace(&mut pile.awaits_spans, true)
        {
            let until = pile.due.max(now + SPANS_FIRST);
            self.set_due(id, until);
        }
    }

    /// Notes that a request has ended without an update of its own: its spans are on their way.
    pub(in crate::delivery) fn note_end(&mut self, id: SessionId, now: Instant) {
        if let Some(pile) = self.piles.get_mut(&id)
            && std::mem::take(&mut pile.awaits_end)
        {
            self.set_due(id, now + SPANS_FIRST);
        }
        self.remove_if_empty(id);
    }

    /// Takes out a start that was withdrawn. With `takes_all`, and where nobody else can know the id, everything else
    /// that had gathered is taken, too.
    pub(in crate::delivery) fn withdraw(
        &mut self,
        start: &StartRecord,
        takes_all: bool,
    ) -> Option<(Claim, Vec<Update>, Claim)> {
        let pile = self.piles.get_mut(&start.id)?;
        let own = pile.take_start(start);
        let (updates, claim) = if takes_all {
            pile.take_updates()
        } else {
            (Vec::new(), Claim::none())
        };
        self.remove_if_empty(start.id);
        self.unblock(start.id);
        Some((own, updates, claim))
    }

    /// Makes the open data of a session due now.
    pub(in crate::delivery) fn hold_no_longer(&mut self, id: SessionId, now: Instant) {
        self.set_due(id, now);
    }

    /// Makes the data due that a flush waits for. A flush does not wait for the end of a request, unless none will
    /// come.
    pub(in crate::delivery) fn hurry(
        &mut self,
        ledger: &mut Ledger,
        is_the_end: bool,
        now: Instant,
    ) {
        let mut urgent = Vec::new();
        for (id, pile) in &mut self.piles {
            if is_the_end {
                pile.awaits_end = false;
            }
            if pile.awaits_end {
                let claim = pile.claim.take();
                pile.claim = ledger.defer(claim);
            } else {
                urgent.push(*id);
            }
        }
        for id in urgent {
            self.set_due(id, now);
        }
    }

    pub(in crate::delivery) fn is_any_due(&self, now: Instant) -> bool {
        self.schedule.next(now).is_some()
    }

    /// Returns the next session that is due, blocked until it is sealed or unblocked.
    pub(in crate::delivery) fn next_due(&mut self, now: Instant) -> Option<SessionId> {
        let id = self.schedule.next(now)?;
        self.block(id);
        if let Some(pile) = self.piles.get_mut(&id) {
            // The wait for the end of a request is over.
            pile.awaits_end = false;
        }
        Some(id)
    }

    pub(in crate::delivery) fn block(&mut self, id: SessionId) {
        if let Some(pile) = self.piles.get(&id) {
            self.schedule.block(id, pile.due);
        }
    }

    /// Looks at a session again that something was in front of.
    pub(in crate::delivery) fn unblock(&mut self, id: SessionId) {
        if self.schedule.unblock(id)
            && let Some(pile) = self.piles.get(&id)
        {
            self.schedule.insert(id, pile.due);
        }
    }

    /// Looks at all sessions again that something was in front of.
    pub(in crate::delivery) fn unblock_all(&mut self) {
        for id in self.schedule.blocked() {
            self.unblock(id);
        }
    }

    /// Takes the part of a session that is sealed next, whether due or not. A start that was withdrawn stays until the
    /// record of its move comes.
    pub(in crate::delivery) fn open(&mut self, id: SessionId, now: Instant) -> Option<Opened> {
        let pile = self.piles.get_mut(&id)?;
        if let Some((start, _)) = pile.starts.front()
            && !start.take_for_sending()
        {
            return None;
        }
        let opened = pile.open();
        self.remove_if_empty(id);
        self.unblock(id);
        self.set_due(id, now);
        Some(opened)
    }

    fn pile(&mut self, id: SessionId, due: Instant, now: Instant) -> &mut Pile {
        self.piles.entry(id).or_insert_with(|| {
            self.schedule.insert(id, due);
            Pile::new(now, self.order.push(id), due)
        })
    }

    fn set_due(&mut self, id: SessionId, due: Instant) {
        let Some(pile) = self.piles.get_mut(&id) else {
            return;
        };
        let before = std::mem::replace(&mut pile.due, due);
        self.schedule.change(id, before, due);
    }

    fn remove_if_empty(&mut self, id: SessionId) {
        if self.piles.get(&id).is_some_and(Pile::is_empty) {
            self.remove(id);
        }
    }

    fn remove(&mut self, id: SessionId) -> Option<Pile> {
        let pile = self.piles.remove(&id)?;
        self.schedule.remove(id, pile.due);
        let piles = &self.piles;
        self.order.tidy(piles.len(), |stamp, id| {
            piles.get(&id).is_some_and(|pile| pile.stamp == stamp)
        });
        Some(pile)
    }

    /// Returns the sessions with open data, oldest first.
    pub(in crate::delivery) fn by_age(&self) -> impl Iterator<Item = SessionId> {
        self.in_order().map(|(id, _)| id)
    }

    pub(in crate::delivery) fn oldest(&self) -> Option<(Instant, SessionId)> {
        let (id, pile) = self.in_order().next()?;
        Some((pile.since, id))
    }

    fn in_order(&self) -> impl Iterator<Item = (SessionId, &Pile)> {
        self.order.iter().filter_map(|(stamp, id)| {
            let pile = self.piles.get(&id).filter(|pile| pile.stamp == stamp);
            Some((id, pile?))
        })
    }

    /// Gives up the open data of a session.
    pub(in crate::delivery) fn give_up(
        &mut self,
        id: SessionId,
    ) -> (Vec<(Arc<StartRecord>, Claim)>, Claim) {
        match self.remove(id) {
            Some(mut pile) => (pile.starts.drain(..).collect(), pile.claim.take()),
            None => (Vec::new(), Claim::none()),
        }
    }

    /// Gives up the updates of a session, but none of its starts.
    pub(in crate::delivery) fn give_up_updates(&mut self, id: SessionId) -> Claim {
        let Some(pile) = self.piles.get_mut(&id) else {
            return Claim::none();
        };
        let (_, claim) = pile.take_updates();
        self.remove_if_empty(id);
        claim
    }

    pub(in crate::delivery) fn has_start(&self, id: SessionId) -> bool {
        self.piles.get(&id).is_some_and(|it| !it.starts.is_empty())
    }

    /// Returns all starts that were not sealed.
    pub(in crate::delivery) fn starts(&self) -> impl Iterator<Item = &Arc<StartRecord>> {
        let starts = self.piles.values().flat_map(|pile| &pile.starts);
        starts.map(|(start, _)| start)
    }

    /// Returns true while a request is under way whose spans may create the session.
    pub(in crate::delivery) fn awaits_end(&self, id: SessionId) -> bool {
        self.piles.get(&id).is_some_and(|it| it.awaits_end)
    }

    /// Returns true for updates of an event whose span may still be on its way.
    pub(in crate::delivery) fn awaits_spans(&self, id: SessionId) -> bool {
        self.piles.get(&id).is_some_and(|it| it.awaits_spans)
    }

    /// Returns the claims that are left at the end.
    pub(in crate::delivery) fn into_claims(self) -> impl Iterator<Item = Claim> {
        self.piles.into_values().flat_map(|mut pile| {
            let starts = pile.starts.into_iter().map(|(_, claim)| claim);
            starts.chain([pile.claim.take()]).collect::<Vec<_>>()
        })
    }
}
