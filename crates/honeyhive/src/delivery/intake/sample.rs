//! Sessions that are out of the sample are held back until it is known whether they failed or were slow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry_sdk::trace::SpanData;
use tokio::time::Instant;

use crate::delivery::claim::Claim;
use crate::delivery::maps::IdMap;
use crate::delivery::piles::{Waiting, event_of};
use crate::delivery::recent::Recent;
use crate::delivery::time::SPAN_DELAY;
use crate::model::id::SessionId;
use crate::outbox::{SpanWent, StartRecord, Timing, Update};
use crate::sampling::SessionSampling;

/// A session of this age that has not ended counts as neither failed nor slow.
const LONGEST: Duration = Duration::from_secs(600);
/// The last spans of a request have this time to arrive after its end.
const GRACE: Duration = SPAN_DELAY.saturating_add(Duration::from_millis(500));

/// An item is held back together with its claim.
#[derive(Debug)]
pub(in crate::delivery) enum Held {
    Start(Arc<StartRecord>, Claim),
    /// The updates are of a session, or of an event of it.
    Updates(SessionId, Vec<Update>, Timing, Claim),
    Span(Box<Waiting>),
}

impl Held {
    pub(in crate::delivery) const fn claim_mut(&mut self) -> &mut Claim {
        match self {
            Self::Start(_, claim) | Self::Updates(.., claim) => claim,
            Self::Span(waiting) => &mut waiting.claim,
        }
    }

    /// Returns what the item proves about its session.
    pub(in crate::delivery) fn hint(&self, sampling: &SessionSampling) -> Hint {
        let (failed, took, end) = match self {
            Self::Start(..) => (false, Duration::ZERO, None),
            Self::Updates(_, updates, ..) => (
                updates.iter().any(Update::has_failed),
                updates.iter().map(Update::took).max().unwrap_or_default(),
                updates.iter().filter_map(Update::ended_at).max(),
            ),
            Self::Span(waiting) => {
                let went = SpanWent::of(&waiting.span);
                (went.has_failed, went.took, None)
            }
        };
        match end {
            _ if sampling.keeps(failed, took) => Hint::Keep,
            Some(ended_at) => Hint::Ended(ended_at),
            None => Hint::Nothing,
        }
    }

    /// Returns true for an item that belongs to a turn of the session which began after that moment.
    fn began_after(&self, end: Ended) -> bool {
        match self {
            Self::Start(start, _) => start.started_at > end.at,
            Self::Span(waiting) => waiting.span.start_time > end.at,
            Self::Updates(..) => false,
        }
    }
}

/// A turn of a session, a request or a unit of work, has ended.
#[derive(Debug, Clone, Copy)]
struct Ended {
    at: SystemTime,
    /// So many items have been held back by then.
    held: u64,
}

/// An item gives such evidence about the session that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::delivery) enum Hint {
    /// The session is sent after all.
    Keep,
    /// A turn of the session is over, except for its last spans.
    Ended(SystemTime),
    Nothing,
}

#[derive(Debug)]
struct Undecided {
    /// Each held item has a number.
    held: Vec<(u64, Held)>,
    since: Instant,
}

#[derive(Debug)]
pub(in crate::delivery) struct Sampler {
    sampling: SessionSampling,
    undecided: IdMap<SessionId, Undecided>,
    /// The held sessions are in order, the oldest first; entries of decided ones are skipped.
    order: VecDeque<(Instant, SessionId)>,
    /// The turns have ended, and are decided at these times.
    ending: VecDeque<(Instant, SessionId, Ended)>,
    /// So many items have been held back so far.
    numbers: u64,
    /// The sessions are out of the sample, and are sent after all.
    kept: Recent<SessionId, ()>,
    /// The events whose ids are known have these sessions.
    events: Recent<SessionId, SessionId>,
    items: u64,
    bytes: u64,
    most_items: u64,
    most_bytes: u64,
    is_closing: bool,
}

impl Sampler {
    /// Returns a sampler; `None` where everything is in the sample. Held items take at most half of the queue: the
    /// other half is for items in the sample.
    pub(in crate::delivery) fn new(
        sampling: SessionSampling,
        items: usize,
        bytes: usize,
    ) -> Option<Self> {
        (!sampling.is_everything()).then(|| Self {
            sampling,
            undecided: IdMap::default(),
            order: VecDeque::new(),
            ending: VecDeque::new(),
            numbers: 0,
            kept: Recent::new(),
            events: Recent::new(),
            items: 0,
            bytes: 0,
            most_items: items as u64 / 2,
            most_bytes: bytes as u64 / 2,
            is_closing: false,
        })
    }

    pub(in crate::delivery) const fn sampling(&self) -> &SessionSampling {
        &self.sampling
    }

    /// Returns whether items of this session are held back.
    pub(in crate::delivery) fn holds(&self, id: SessionId) -> bool {
        !self.sampling.contains(id) && !self.kept.contains(&id)
    }

    /// Returns the starts that are held back.
    pub(in crate::delivery) fn starts(&self) -> impl Iterator<Item = &Arc<StartRecord>> {
        let held = self.undecided.values().flat_map(|it| &it.held);
        held.filter_map(|(_, held)| match held {
            Held::Start(start, _) => Some(start),
            Held::Updates(..) | Held::Span(_) => None,
        })
    }

    /// Returns whether holding back has ended: at the shutdown, or where the sampling keeps no item afterwards.
    pub(in crate::delivery) const fn is_closing(&self) -> bool {
        self.is_closing || !self.sampling.may_keep()
    }

    /// Remembers the session of the event that a span becomes, for later updates.
    pub(in crate::delivery) fn note_event(&mut self, span: &SpanData, session: SessionId) {
        if let Some(event) = event_of(span) {
            self.events.insert(event, session);
        }
    }

    pub(in crate::delivery) fn session_of_event(&self, event: SessionId) -> Option<SessionId> {
        self.events.get(&event).copied()
    }

    pub(in crate::delivery) fn hold(&mut self, id: SessionId, mut held: Held, now: Instant) {
        let claim = held.claim_mut();
        self.items += claim.items();
        self.bytes += claim.bytes();
        self.numbers += 1;
        let order = &mut self.order;
        let undecided = self.undecided.entry(id).or_insert_with(|| {
            order.push_back((now, id));
            Undecided {
                held: Vec::new(),
                since: now,
            }
        });
        undecided.held.push((self.numbers, held));
    }

    /// Notes that a turn has ended: its last spans may be on their way.
    pub(in crate::delivery) fn note_end(&mut self, id: SessionId, at: SystemTime, now: Instant) {
        if self.undecided.contains_key(&id) {
            let held = self.numbers;
            self.ending.push_back((now + GRACE, id, Ended { at, held }));
        }
    }

    /// Lets a session and its later items through after all.
    pub(in crate::delivery) fn keep(&mut self, id: SessionId) -> Vec<Held> {
        self.kept.insert(id, ());
        self.release(id)
    }

    /// Withdraws a start, and returns all items that were held with it, where nobody else can know its id.
    pub(in crate::delivery) fn withdraw(&mut self, start: &StartRecord, now: Instant) -> Vec<Held> {
        let held = self.release(start.id);
        if start.is_fresh {
            return held;
        }
        let is_it =
            |held: &Held| matches!(held, Held::Start(it, _) if std::ptr::eq(it.as_ref(), start));
        let (own, others): (Vec<_>, Vec<_>) = held.into_iter().partition(is_it);
        for held in others {
            self.hold(start.id, held, now);
        }
        own
    }

    /// Returns the items that are out for good by now: ended well, or held back for too long or for want of room.
    pub(in crate::delivery) fn decided(&mut self, now: Instant) -> Vec<Held> {
        let mut out = Vec::new();
        while let Some(&(then, id, end)) = self.ending.front()
            && then <= now
        {
            self.ending.pop_front();
            out.append(&mut self.release_until(id, end));
        }
        while let Some(&(since, id)) = self.order.front() {
            let is_current = self.undecided.get(&id).is_some_and(|it| it.since == since);
            if is_current && since + LONGEST > now && !self.is_too_full() {
                break;
            }
            self.order.pop_front();
            if is_current {
                out.append(&mut self.release(id));
            }
        }
        self.forget_decided();
        out
    }

    /// Returns everything that is held back, and holds nothing back from now on.
    pub(in crate::delivery) fn close(&mut self) -> Vec<Held> {
        self.is_closing = true;
        let ids: Vec<_> = self.undecided.keys().copied().collect();
        ids.into_iter().flat_map(|id| self.release(id)).collect()
    }

    const fn is_too_full(&self) -> bool {
        self.items > self.most_items || self.bytes > self.most_bytes
    }

    fn release(&mut self, id: SessionId) -> Vec<Held> {
        let held = self.undecided.remove(&id);
        self.count_out(held.map_or_else(Vec::new, |it| it.held))
    }

    /// Releases the items of the turns that have ended by then: those held back before, and later spans from before.
    /// Items that began after that belong to the next turn.
    fn release_until(&mut self, id: SessionId, end: Ended) -> Vec<Held> {
        let Some(mut undecided) = self.undecided.remove(&id) else {
            return Vec::new();
        };
        let belongs = |(number, held): &mut (u64, Held)| match held {
            Held::Updates(..) => *number <= end.held,
            held => !held.began_after(end),
        };
        let ended = undecided.held.extract_if(.., belongs).collect();
        if !undecided.held.is_empty() {
            self.undecided.insert(id, undecided);
        }
        self.count_out(ended)
    }

    fn count_out(&mut self, held: Vec<(u64, Held)>) -> Vec<Held> {
        let mut held: Vec<_> = held.into_iter().map(|(_, held)| held).collect();
        for claim in held.iter_mut().map(Held::claim_mut) {
            self.items -= claim.items();
            self.bytes -= claim.bytes();
        }
        held
    }

    /// Forgets decided sessions: an undecided old one at the front must not keep all later ones in memory.
    fn forget_decided(&mut self) {
        const SPARE: usize = 1_024;
        let undecided = &self.undecided;
        if self.order.len() > 2 * undecided.len() + SPARE {
            self.order
                .retain(|(since, id)| undecided.get(id).is_some_and(|it| it.since == *since));
        }
    }

    /// Returns the claims that are left at the end.
    pub(in crate::delivery) fn into_claims(mut self) -> Vec<Claim> {
        let mut left = self.close();
        left.iter_mut()
            .map(|held| held.claim_mut().take())
            .collect()
    }
}
