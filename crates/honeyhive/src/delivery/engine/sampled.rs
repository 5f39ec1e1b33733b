//! What is out of the sample is held back here, let through after all, or dropped.

use std::sync::Arc;

use tokio::time::Instant;

use super::Engine;
use crate::delivery::changes::Changes;
use crate::delivery::ledger::Tally;
use crate::delivery::sampling::{Held, Told};
use crate::delivery::spans::session_of;
use crate::model::id::SessionId;
use crate::outbox::{Inbox, StartRecord, Timing};
use crate::report::DropReason;

impl Engine {
    /// Whether what belongs to this session does not go yet.
    pub(super) fn holds(&self, id: SessionId) -> bool {
        self.sampler.as_ref().is_some_and(|it| it.holds(id))
    }

    /// Before what was added to events is taken in, it must be known whose they are.
    pub(super) fn note_events(&mut self, inbox: &Inbox) {
        let Some(sampler) = &mut self.sampler else {
            return;
        };
        for span in &inbox.spans {
            if let Some(session) = session_of(span) {
                sampler.note_event(span, session);
            }
        }
    }

    /// Takes in what was added to a session, or to an event.
    pub(super) fn update(
        &mut self,
        id: SessionId,
        changes: Changes,
        timing: Timing,
        tally: Tally,
        now: Instant,
    ) {
        let id = self.spans.current(id);
        match self.session_concerned(id, timing) {
            Some(session) if self.holds(session) => {
                self.hold(
                    session,
                    Held::Changes(id, Box::new(changes), timing, tally),
                    now,
                );
            }
            _ => self.change(id, changes, timing, tally, now),
        }
    }

    /// `None` for an event that is not remembered: it is in the sample, or long gone.
    fn session_concerned(&self, id: SessionId, timing: Timing) -> Option<SessionId> {
        if timing != Timing::AfterSpans {
            return Some(id);
        }
        let session = self.sampler.as_ref()?.session_of_event(id)?;
        Some(self.spans.current(session))
    }

    pub(super) fn hold(&mut self, id: SessionId, mut held: Held, now: Instant) {
        let Some(sampler) = &mut self.sampler else {
            return;
        };
        if sampler.is_closing() {
            return self.drop_held(held);
        }
        let told = held.tells(sampler.sampling());
        let tally = *held.tally_mut();
        if told == Told::Keep {
            let kept = sampler.keep(id).into_iter().chain([held]);
            return kept.for_each(|held| self.let_through(held, tally, now));
        }
        *held.tally_mut() = self.ledger.park(tally);
        sampler.hold(id, held, now);
        if told == Told::Ended {
            sampler.ended(id, now);
        }
    }

    pub(super) fn request_ended(&mut self, id: SessionId, now: Instant) {
        if let Some(sampler) = &mut self.sampler {
            sampler.ended(id, now);
        }
    }

    /// After all, with the item that told so.
    fn let_through(&mut self, mut held: Held, with: Tally, now: Instant) {
        let tally = self.ledger.resume_with(*held.tally_mut(), with);
        match held {
            Held::Start(start, _) => self.begin(start, tally, now),
            Held::Changes(id, changes, timing, _) => self.change(id, *changes, timing, tally, now),
            Held::Span(mut waiting) => {
                waiting.tally = tally;
                self.spans.take_back(*waiting);
            }
        }
    }

    fn drop_held(&mut self, mut held: Held) {
        // A flush is not told that it lost something.
        let tally = self.ledger.park(*held.tally_mut());
        if let Held::Start(start, _) = held {
            // Whoever waits for it has nothing to wait for; and if it fails later, its spans create it.
            start.settle(Ok(()));
            self.spans.unstarted(&start);
        }
        self.ledger.dropped(tally, DropReason::SampledOut);
    }

    /// Spans that have their session now, and whose session is out.
    pub(super) fn hold_spans(&mut self, now: Instant) {
        let Some(sampler) = &mut self.sampler else {
            return;
        };
        let held = self.spans.take_out(|span, id| {
            let is_held = sampler.holds(id);
            if is_held {
                sampler.note_event(span, id);
            }
            is_held
        });
        for (id, waiting) in held {
            // One of those before may have told that the session is kept.
            if self.holds(id) {
                self.hold(id, Held::Span(Box::new(waiting)), now);
            } else {
                self.spans.take_back(waiting);
            }
        }
    }

    /// What was held back with a start that was withdrawn goes along to where it was moved.
    pub(super) fn move_held(&mut self, start: &StartRecord, to: SessionId, now: Instant) {
        let Some(sampler) = &mut self.sampler else {
            return;
        };
        for mut held in sampler.withdraw(start) {
            let tally = self.ledger.resume(*held.tally_mut());
            match held {
                Held::Start(start, _) => self.withdraw_held(&start, to, tally, now),
                Held::Changes(id, changes, timing, _) => {
                    self.update(id, *changes, timing, tally, now);
                }
                Held::Span(mut waiting) => {
                    waiting.tally = tally;
                    self.spans.take_back(*waiting);
                }
            }
        }
    }

    fn withdraw_held(
        &mut self,
        start: &Arc<StartRecord>,
        to: SessionId,
        tally: Tally,
        now: Instant,
    ) {
        start.settle(Ok(()));
        let changes = Changes::of(start.began_with(), &self.plan.redactor);
        if changes.is_empty() {
            self.ledger.withdrawn(tally);
        } else {
            self.update(to, changes, start.timing(), tally, now);
        }
    }

    /// Drops what has turned out to be neither failed nor slow.
    pub(super) fn decide(&mut self, now: Instant) {
        if let Some(sampler) = &mut self.sampler {
            let out = sampler.decided(now);
            out.into_iter().for_each(|held| self.drop_held(held));
        }
    }

    /// Nothing more will be known.
    pub(super) fn decide_all(&mut self, now: Instant) {
        if self.sampler.is_none() {
            return;
        }
        self.assign_spans(now);
        if let Some(sampler) = &mut self.sampler {
            let out = sampler.close();
            out.into_iter().for_each(|held| self.drop_held(held));
        }
    }
}
