//! Sessions that are out of the sample are held back, let through after all, or dropped.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::state::Core;
use crate::delivery::claim::Claim;
use crate::delivery::intake::{Held, Hint, session_of};
use crate::delivery::piles::Waiting;
use crate::model::id::SessionId;
use crate::outbox::{Inbox, SpanWent, StartRecord, Timing, Update};
use crate::report::DropReason;

impl Core {
    /// Returns whether items of this session are held back.
    pub(super) fn holds(&self, id: SessionId) -> bool {
        self.intake.sampler.as_ref().is_some_and(|it| it.holds(id))
    }

    /// Notes the events that spans become, before updates of those are taken in.
    pub(super) fn note_events(&mut self, inbox: &Inbox) {
        let Some(sampler) = &mut self.intake.sampler else {
            return;
        };
        for span in &inbox.spans {
            if let Some(session) = session_of(span) {
                sampler.note_event(span, session);
            }
        }
    }

    /// Takes in an update of a session, or of an event.
    pub(super) fn update(
        &mut self,
        id: SessionId,
        updates: Vec<Update>,
        timing: Timing,
        claim: Claim,
        now: Instant,
    ) {
        let id = self.intake.labels.current(id);
        match self.session_concerned(id, timing) {
            Some(session) if self.holds(session) => {
                self.hold(session, Held::Updates(id, updates, timing, claim), now);
            }
            _ => self.change(id, updates, timing, claim, now),
        }
    }

    /// Returns the session of an event; `None` for an event that is not remembered: it is in the sample, or long gone.
    fn session_concerned(&self, id: SessionId, timing: Timing) -> Option<SessionId> {
        if timing != Timing::AfterSpans {
            return Some(id);
        }
        let session = self.intake.sampler.as_ref()?.session_of_event(id)?;
        Some(self.intake.labels.current(session))
    }

    pub(super) fn hold_span(&mut self, waiting: Waiting, session: SessionId, now: Instant) {
        if let Some(sampler) = &mut self.intake.sampler {
            sampler.note_event(&waiting.span, session);
        }
        let waiting = Waiting {
            session: Some(session),
            ..waiting
        };
        self.hold(session, Held::Span(Box::new(waiting)), now);
    }

    pub(super) fn hold(&mut self, id: SessionId, mut held: Held, now: Instant) {
        let Some(sampler) = &mut self.intake.sampler else {
            return self.let_through(held, now);
        };
        if sampler.is_closing() {
            return self.drop_held(held);
        }
        let hint = held.hint(sampler.sampling());
        if hint == Hint::Keep {
            let epoch = held.claim_mut().epoch();
            self.keep(id, epoch, now);
            return self.let_through(held, now);
        }
        let claim = held.claim_mut().take();
        *held.claim_mut() = self.ledger.hold_back(claim);
        sampler.hold(id, held, now);
        if let Hint::Ended(at) = hint {
            sampler.note_end(id, at, now);
        }
    }

    /// Lets a session through after all; a flush that waits for what proves it waits for its earlier items, too.
    fn keep(&mut self, id: SessionId, epoch: u64, now: Instant) {
        let Some(sampler) = &mut self.intake.sampler else {
            return;
        };
        for mut earlier in sampler.keep(id) {
            let claim = earlier.claim_mut().take();
            *earlier.claim_mut() = self.ledger.resume_with(claim, epoch);
            self.let_through(earlier, now);
        }
    }

    /// Lets a session and its later items through, whatever the sample.
    pub(super) fn exempt(&mut self, id: SessionId, now: Instant) {
        let Some(sampler) = &mut self.intake.sampler else {
            return;
        };
        for mut earlier in sampler.keep(id) {
            let claim = earlier.claim_mut().take();
            *earlier.claim_mut() = self.ledger.resume(claim);
            self.let_through(earlier, now);
        }
    }

    /// Takes note of the end of a request whose root is left out.
    pub(super) fn root_ended(&mut self, id: SessionId, went: SpanWent, epoch: u64, now: Instant) {
        let Some(sampler) = &self.intake.sampler else {
            return;
        };
        if sampler.sampling().keeps(went.has_failed, went.took) {
            self.keep(id, epoch, now);
        } else {
            self.request_ended(id, now);
        }
    }

    pub(super) fn request_ended(&mut self, id: SessionId, now: Instant) {
        if let Some(sampler) = &mut self.intake.sampler {
            sampler.note_end(id, SystemTime::now(), now);
        }
    }

    fn let_through(&mut self, held: Held, now: Instant) {
        match held {
            Held::Start(start, claim) => self.begin(start, claim, now),
            Held::Updates(id, updates, timing, claim) => {
                self.change(id, updates, timing, claim, now);
            }
            Held::Span(waiting) => match waiting.session {
                Some(session) => {
                    let session = self.intake.labels.current(session);
                    let place = self.place_of(session);
                    self.piles.spans.add(*waiting, session, place);
                }
                None => self.piles.spans.add_stray(*waiting),
            },
        }
    }

    fn drop_held(&mut self, mut held: Held) {
        // A sampled-out item is no loss, so a flush does not hear of it.
        let claim = held.claim_mut().take();
        let claim = self.ledger.hold_back(claim);
        if let Held::Start(start, _) = held {
            // The start's caller need not wait; and if the session fails later, its spans create it.
            start.settle(Ok(()));
            self.intake.labels.unstarted(&start);
        }
        self.ledger.dropped(claim, DropReason::SampledOut);
    }

    /// Moves the items that were held back with a withdrawn start to the session's new id.
    pub(super) fn move_held(&mut self, start: &StartRecord, to: SessionId, now: Instant) {
        let Some(sampler) = &mut self.intake.sampler else {
            return;
        };
        for mut held in sampler.withdraw(start, now) {
            let claim = held.claim_mut().take();
            let claim = self.ledger.resume(claim);
            match held {
                Held::Start(start, _) => self.withdraw_held(&start, to, claim, now),
                Held::Updates(id, updates, timing, _) => {
                    self.update(id, updates, timing, claim, now);
                }
                Held::Span(mut waiting) => {
                    waiting.claim = claim;
                    let session = waiting
                        .session
                        .map_or(to, |id| self.intake.labels.current(id));
                    self.add_span(*waiting, session, now);
                }
            }
        }
    }

    fn withdraw_held(
        &mut self,
        start: &Arc<StartRecord>,
        to: SessionId,
        claim: Claim,
        now: Instant,
    ) {
        start.settle(Ok(()));
        let began_with = start.began_with();
        if began_with.is_empty() {
            self.ledger.withdrawn(claim);
        } else {
            let updates = vec![Update::Enrich(Box::new(began_with))];
            self.update(to, updates, start.timing(), claim, now);
        }
    }

    /// Drops the items of sessions that neither failed nor were slow.
    pub(super) fn decide(&mut self, now: Instant) {
        if let Some(sampler) = &mut self.intake.sampler {
            let out = sampler.decided(now);
            out.into_iter().for_each(|held| self.drop_held(held));
        }
    }

    /// Drops all that is held back: nothing more will be known.
    pub(super) fn decide_all(&mut self, now: Instant) {
        if self.intake.sampler.is_none() {
            return;
        }
        self.assign_strays(now);
        if let Some(sampler) = &mut self.intake.sampler {
            let out = sampler.close();
            out.into_iter().for_each(|held| self.drop_held(held));
        }
    }
}
