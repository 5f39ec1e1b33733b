//! Sessions that are out of the sample, held back until it is known whether they failed or were slow.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;
use tokio::time::Instant;

use super::changes::Changes;
use super::ledger::Tally;
use super::recent::Recent;
use super::spans::Waiting;
use crate::attributes::{ERROR, EVENT_ID};
use crate::model::id::{EventId, SessionId};
use crate::model::truth::says_nothing;
use crate::outbox::{StartRecord, Timing};
use crate::sampling::SessionSampling;

/// What has not ended by then is taken to be well.
const LONGEST: Duration = Duration::from_secs(600);
/// After the end of a request its last spans are waited for.
const GRACE: Duration = super::spans::DELAY.saturating_add(Duration::from_millis(500));

/// An item that is held back. Its tally is parked.
#[derive(Debug)]
pub(crate) enum Held {
    Start(Arc<StartRecord>, Tally),
    /// About a session, or about an event of it.
    Changes(SessionId, Box<Changes>, Timing, Tally),
    Span(Box<Waiting>),
}

impl Held {
    pub(crate) fn tally_mut(&mut self) -> &mut Tally {
        match self {
            Self::Start(_, tally) | Self::Changes(.., tally) => tally,
            Self::Span(waiting) => &mut waiting.tally,
        }
    }

    /// What this says of its session.
    pub(crate) fn tells(&self, sampling: &SessionSampling) -> Told {
        let (failed, took, ended) = match self {
            Self::Start(..) => (false, Duration::ZERO, false),
            Self::Changes(_, changes, ..) => (changes.failed(), changes.took(), changes.is_end()),
            Self::Span(waiting) => (has_failed(&waiting.span), took(&waiting.span), false),
        };
        if (failed && sampling.keep_errors) || sampling.is_slow(took) {
            Told::Keep
        } else if ended {
            Told::Ended
        } else {
            Told::Nothing
        }
    }
}

fn has_failed(span: &SpanData) -> bool {
    let mut errors = span.attributes.iter().filter(|it| it.key.as_str() == ERROR);
    let mut says_so = || errors.any(|it| !says_nothing(&it.value));
    matches!(span.status, Status::Error { .. }) || says_so()
}

fn took(span: &SpanData) -> Duration {
    let took = span.end_time.duration_since(span.start_time);
    took.unwrap_or_default()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is sent after all.
    Keep,
    /// It is over, but for its last spans.
    Ended,
    Nothing,
}

#[derive(Debug)]
struct Undecided {
    held: Vec<Held>,
    since: Instant,
}

#[derive(Debug)]
pub(crate) struct Sampler {
    sampling: SessionSampling,
    undecided: HashMap<SessionId, Undecided>,
    /// Oldest first; entries of what has been decided are skipped.
    order: VecDeque<(Instant, SessionId)>,
    /// Those that have ended, with when they are decided.
    ending: VecDeque<(Instant, SessionId)>,
    /// Out of the sample, and sent after all.
    kept: Recent<SessionId, ()>,
    /// Whose an event is that has a name.
    events: Recent<SessionId, SessionId>,
    items: u64,
    bytes: u64,
    most_items: u64,
    most_bytes: u64,
    is_closing: bool,
}

impl Sampler {
    /// `None` where everything is in. What is held back takes half of what may be pending, at the most: the other
    /// half is for what is in.
    pub(crate) fn new(sampling: SessionSampling, items: usize, bytes: usize) -> Option<Self> {
        (!sampling.is_everything()).then(|| Self {
            sampling,
            undecided: HashMap::new(),
            order: VecDeque::new(),
            ending: VecDeque::new(),
            kept: Recent::new(),
            events: Recent::new(),
            items: 0,
            bytes: 0,
            most_items: items as u64 / 2,
            most_bytes: bytes as u64 / 2,
            is_closing: false,
        })
    }

    pub(crate) const fn sampling(&self) -> &SessionSampling {
        &self.sampling
    }

    /// Whether what belongs to this session does not go yet.
    pub(crate) fn holds(&self, id: SessionId) -> bool {
        !self.sampling.contains(id) && !self.kept.contains(&id)
    }

    /// Nothing is worth being held back.
    pub(crate) const fn is_closing(&self) -> bool {
        self.is_closing || !self.sampling.may_keep()
    }

    /// Remembers whose event a span becomes: what is added to it follows.
    pub(crate) fn note_event(&mut self, span: &SpanData, session: SessionId) {
        let name = span
            .attributes
            .iter()
            .find(|it| it.key.as_str() == EVENT_ID);
        if let Some(event) = name.and_then(|it| it.value.as_str().parse::<EventId>().ok()) {
            self.events.insert(event.as_session(), session);
        }
    }

    pub(crate) fn session_of_event(&self, event: SessionId) -> Option<SessionId> {
        self.events.get(&event).copied()
    }

    pub(crate) fn hold(&mut self, id: SessionId, mut held: Held, now: Instant) {
        let tally = *held.tally_mut();
        self.items += tally.items();
        self.bytes += tally.bytes();
        let order = &mut self.order;
        let undecided = self.undecided.entry(id).or_insert_with(|| {
            order.push_back((now, id));
            Undecided {
                held: Vec::new(),
                since: now,
            }
        });
        undecided.held.push(held);
    }

    /// It has ended: its last spans may be on their way.
    pub(crate) fn ended(&mut self, id: SessionId, now: Instant) {
        if self.undecided.contains_key(&id) {
            self.ending.push_back((now + GRACE, id));
        }
    }

    /// It is sent after all, and so is what comes later.
    pub(crate) fn keep(&mut self, id: SessionId) -> Vec<Held> {
        self.kept.insert(id, ());
        self.release(id)
    }

    /// What a start that was withdrawn takes along: all that was held with it, where nobody else can know its id.
    pub(crate) fn withdraw(&mut self, start: &StartRecord) -> Vec<Held> {
        let held = self.release(start.id);
        if start.is_fresh {
            return held;
        }
        let is_it =
            |held: &Held| matches!(held, Held::Start(it, _) if std::ptr::eq(it.as_ref(), start));
        let (own, others): (Vec<_>, Vec<_>) = held.into_iter().partition(is_it);
        let now = Instant::now();
        for held in others {
            self.hold(start.id, held, now);
        }
        own
    }

    /// What is out for good by now: ended well, or held back for too long or for want of room.
    pub(crate) fn decided(&mut self, now: Instant) -> Vec<Held> {
        let mut out = Vec::new();
        while let Some(&(then, id)) = self.ending.front()
            && then <= now
        {
            self.ending.pop_front();
            out.append(&mut self.release(id));
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

    /// Everything that is held back; from now on nothing is.
    pub(crate) fn close(&mut self) -> Vec<Held> {
        self.is_closing = true;
        let ids: Vec<_> = self.undecided.keys().copied().collect();
        ids.into_iter().flat_map(|id| self.release(id)).collect()
    }

    const fn is_too_full(&self) -> bool {
        self.items > self.most_items || self.bytes > self.most_bytes
    }

    fn release(&mut self, id: SessionId) -> Vec<Held> {
        let mut held = self
            .undecided
            .remove(&id)
            .map_or_else(Vec::new, |it| it.held);
        for tally in held.iter_mut().map(|it| *it.tally_mut()) {
            self.items -= tally.items();
            self.bytes -= tally.bytes();
        }
        held
    }

    /// An old session at the front must not keep all that came after it in memory.
    fn forget_decided(&mut self) {
        const SPARE: usize = 1_024;
        let undecided = &self.undecided;
        if self.order.len() > 2 * undecided.len() + SPARE {
            self.order
                .retain(|(since, id)| undecided.get(id).is_some_and(|it| it.since == *since));
        }
    }
}
