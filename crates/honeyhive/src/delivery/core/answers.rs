//! An answer of HoneyHive is judged, and the verdict carried out.

use tokio::time::Instant;

use super::state::Core;
use crate::delivery::claim::Claim;
use crate::delivery::lane::Number;
use crate::delivery::sealed::{Body, Parts, Sealed, Target};
use crate::delivery::verdict::{Circumstances, UNAUTHORIZED_PAUSE, Verdict, judge};
use crate::error::StartError;
use crate::report::DropReason;
use crate::wire::{Answer, Failure, Retry};

impl Core {
    /// Takes in the answer to a call.
    pub(super) fn answered(
        &mut self,
        number: Number,
        answer: Result<Answer, Failure>,
        now: Instant,
    ) {
        self.lane.set_waiting(number);
        let Some(call) = self.lane.get(number) else {
            return;
        };
        let target = call.target;
        if self.is_writing_the_rest() && matches!(answer, Err(Failure::Transient { .. })) {
            // The call was cut off by the shutdown, and goes to disk as it is.
            return;
        }
        let at = Circumstances {
            now,
            got_through: self.routes.gate(target.is_traces()).successes(),
            is_expected: self.is_expected(target),
            is_urgent: self.ledger.is_urgent(&call.claim),
            jitter: rand::random(),
            sink: &self.routes.sink,
        };
        let verdict = judge(call, &answer, &at);
        let is_expected = at.is_expected;
        self.note_answer(target, &answer, &verdict, now);
        match verdict {
            Verdict::Delivered => self.delivered(number, answer.unwrap_or_default(), now),
            Verdict::Again(then) => self.again(number, answer.err(), then, now),
            Verdict::Await(then) => self.wait_for(number, is_expected, then),
            Verdict::Smaller(parts) => self.make_smaller(number, parts, now),
            Verdict::Drop(reason) => {
                let error = error_of(reason, answer.err());
                self.give_up(number, reason, error, now);
            }
        }
    }

    /// Returns true while an item of ours may still create the target of a call.
    fn is_expected(&self, target: Target) -> bool {
        let Target::Update(id) = target else {
            return false;
        };
        self.piles.sessions.awaits_end(id) || self.may_be_created(id)
    }

    /// Passes HoneyHive's answer on to the gate and the log.
    fn note_answer(
        &mut self,
        target: Target,
        answer: &Result<Answer, Failure>,
        verdict: &Verdict,
        now: Instant,
    ) {
        let Err(failure) = answer else {
            return self.taken(target, now);
        };
        if !matches!(verdict, Verdict::Await(_) | Verdict::Smaller(_)) {
            self.notices.failure(target, failure, now);
        }
        match failure {
            Failure::Transient { retry, .. } => self.routes.gate_mut(target).failed(now, *retry),
            Failure::Refused {
                status: 401 | 403, ..
            } => self.routes.gate_mut(target).refused_the_key(now),
            Failure::Refused { .. } => {}
        }
    }

    /// Notes that HoneyHive takes calls. Those that have waited for the end of an outage, or for a key that is accepted, do
    /// not sit their pauses out.
    fn taken(&mut self, target: Target, now: Instant) {
        self.notices.taken(target);
        let ended = self.routes.gate_mut(target).succeeded(now);
        if ended.outage {
            self.notices.recovered(target);
            self.lane.hurry(target.is_traces(), now);
        }
        if ended.outage {
            self.lane.delay_disk(None);
        } else if ended.refusal {
            self.free_disk(now);
        }
    }

    /// Lets calls on disk go that have waited for a key, once in a pause: one that is refused for itself has the key refused
    /// each time that it is made.
    fn free_disk(&mut self, now: Instant) {
        if let Some(disk) = &mut self.disk
            && disk.keep_until.is_none_or(|then| now >= then)
        {
            disk.keep_until = Some(now + UNAUTHORIZED_PAUSE);
            self.lane.delay_disk(None);
        }
    }

    fn again(&mut self, number: Number, failure: Option<Failure>, then: Instant, now: Instant) {
        let Some(call) = self.lane.get(number) else {
            return;
        };
        let target = call.target;
        let got_through = self.routes.gate(target.is_traces()).successes();
        let Some(Failure::Transient { detail, retry }) = failure else {
            // The key was refused, so calls on disk wait until somebody has put that right.
            return self.lane.delay_disk(Some(now + UNAUTHORIZED_PAUSE));
        };
        self.lane.change(number, Some(then), |call| {
            call.tries.failed += 1;
            call.tries.unasked += u32::from(retry == Retry::Soon);
            call.tries.others_before.get_or_insert(got_through);
        });
        self.outbox.count_retry();
        if let Some(id) = target.id() {
            self.confirms.not_taken(id, &detail);
            if self.routes.rest.width(now) == 0 {
                self.confirms.outage(&detail);
            }
        }
    }

    fn wait_for(&mut self, number: Number, is_expected: bool, then: Instant) {
        self.outbox.count_retry();
        self.lane.change(number, Some(then), |call| {
            call.tries.unknown += u32::from(!is_expected);
        });
    }

    fn make_smaller(&mut self, number: Number, parts: Parts, now: Instant) {
        match parts {
            Parts::Cut(body, limit) => {
                if let Some(call) = self.lane.get(number) {
                    self.notices.cut(call.target, limit, now);
                }
                self.lane.set_body(number, body);
            }
            Parts::Halves(halves) => self.halve(number, halves),
        }
    }

    fn halve(&mut self, number: Number, halves: [(Body, u64); 2]) {
        let mut rest = Claim::none();
        self.lane
            .change(number, None, |call| rest = call.claim.take());
        let Some(call) = self.lane.get(number) else {
            return;
        };
        let (target, about, home, since) = (call.target, call.about.clone(), call.home, call.since);
        let last = halves.len() - 1;
        let parts = halves
            .into_iter()
            .enumerate()
            .map(|(index, (body, count))| {
                let count = if index == last { u64::MAX } else { count };
                let (claim, left) = rest.take().split(count);
                rest = left;
                Sealed {
                    about: about.clone(),
                    home,
                    ..Sealed::new(target, body, claim, since)
                }
            });
        let parts: Vec<_> = parts.collect();
        self.lane.divide(number, parts);
    }
}

/// Returns the error of a start that was given up.
fn error_of(reason: DropReason, failure: Option<Failure>) -> StartError {
    match failure {
        Some(Failure::Refused { status, message }) => StartError::Rejected { status, message },
        _ => StartError::Dropped { reason },
    }
}
