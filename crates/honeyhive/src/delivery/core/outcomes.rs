//! A call that was delivered or given up is accounted for, and the items that waited for it go on.

use tokio::time::Instant;

use super::state::{Core, Effect};
use crate::delivery::claim::Claim;
use crate::delivery::disk::Request;
use crate::delivery::lane::{Number, Outcome};
use crate::delivery::sealed::{About, Home, Sealed, Target};
use crate::error::StartError;
use crate::report::DropReason;
use crate::wire::Answer;

impl Core {
    pub(super) fn delivered(&mut self, number: Number, answer: Answer, now: Instant) {
        let Some(call) = self.lane.get(number) else {
            return;
        };
        match call.target {
            Target::Start(id) => {
                if let Some(start) = &call.start {
                    start.settle(Ok(()));
                }
                if answer.is_of_another(id) {
                    self.notices.other_id(now);
                }
                self.lane.note_known(id);
            }
            Target::Traces => {
                for id in call.about.iter().flat_map(About::ids).collect::<Vec<_>>() {
                    self.lane.note_known(id);
                }
            }
            // HoneyHive may have answered 200 and forgotten.
            Target::Update(_) => {}
        }
        self.finish(number, Outcome::Delivered(answer), now);
    }

    /// Ends a call; the last one of a record on disk ends once the disk knows its outcome.
    fn finish(&mut self, number: Number, outcome: Outcome, now: Instant) {
        let home = self.lane.get(number).map(|call| call.home);
        if let Some(Home::Disk(ticket)) = home
            && self.lane.is_last_part(&ticket)
        {
            self.lane.set_settling(number, outcome);
            let settle = Request::Settle(number, ticket);
            return self.effects.push(Effect::Disk(settle));
        }
        if let Some(call) = self.lane.remove(number) {
            self.account(call, outcome, now);
        }
    }

    /// Accounts for a call that has left the lane, and checks the calls that waited for it.
    pub(super) fn account(&mut self, mut call: Sealed, outcome: Outcome, now: Instant) {
        let claim = call.claim.take();
        match outcome {
            Outcome::Dropped(reason) => self.ledger.dropped(claim, reason),
            Outcome::Delivered(answer) if call.target.is_traces() => {
                self.settle_taken(claim, &answer, now);
            }
            Outcome::Delivered(_) => self.ledger.delivered(claim),
        }
        self.is_gone(&call);
    }

    /// Checks the items that waited for a call that is in memory no longer.
    pub(super) fn is_gone(&mut self, call: &Sealed) {
        let ids = call.about.iter().flat_map(About::ids);
        ids.for_each(|id| self.piles.sessions.unblock(id));
        if call.about.is_none() && call.target.is_traces() {
            // The sessions of spans from disk are unknown.
            self.piles.sessions.unblock_all();
        }
        if let Some(id) = call.target.id() {
            self.rest_call_is_gone(id);
        }
    }

    /// Settles spans that were taken, but for those that were refused among them.
    fn settle_taken(&mut self, claim: Claim, answer: &Answer, now: Instant) {
        let Some((count, message)) = self.routes.sink.rejected(answer) else {
            return self.ledger.delivered(claim);
        };
        self.notices.rejected_spans(count, &message, now);
        let (rejected, taken) = claim.split(count);
        self.ledger.dropped(rejected, DropReason::Rejected);
        self.ledger.delivered(taken);
    }

    /// Gives a call up. Calls that would follow a start are given up with it; its spans are asked to create the
    /// session.
    pub(super) fn give_up(
        &mut self,
        number: Number,
        reason: DropReason,
        error: StartError,
        now: Instant,
    ) {
        let Some(call) = self.lane.get(number) else {
            return;
        };
        if let Target::Start(id) = call.target {
            let is_in_memory = !call.home.is_disk();
            if let Some(start) = call.start.clone() {
                start.settle(Err(error));
                self.intake.labels.unstarted(&start);
            }
            if is_in_memory {
                for update in self.lane.updates_that_wait(id) {
                    if let Some(update) = self.lane.remove(update) {
                        self.ledger.dropped(update.claim, reason);
                    }
                }
                let claim = self.piles.sessions.give_up_updates(id);
                self.ledger.dropped(claim, reason);
            }
        }
        self.finish(number, Outcome::Dropped(reason), now);
    }
}
