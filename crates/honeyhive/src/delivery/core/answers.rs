//! Calls go out, and what came back is settled, tried again, or given up.

use tokio::time::Instant;

use super::state::{Core, Effect, REST_WIDTH, TRACES_WIDTH};
use crate::delivery::claim::Claim;
use crate::delivery::disk::Request;
use crate::delivery::gate::Gate;
use crate::delivery::lane::{Number, Outcome};
use crate::delivery::sealed::{About, Body, Home, Parts, Sealed, Target};
use crate::delivery::verdict::{Circumstances, UNAUTHORIZED_PAUSE, Verdict, judge};
use crate::error::StartError;
use crate::report::DropReason;
use crate::wire::{Answer, Failure};

impl Core {
    /// Makes the calls that may go, as many as the gates let through.
    pub(super) fn send(&mut self, now: Instant) {
        self.drop_unauthorized(now);
        // What is new does not wait for all that is on disk, and the disk gets at least one call through.
        let half = |width: usize| (width / 2).max(1);
        self.send_some(now, |call, from_disk| {
            let width = if call.target.is_traces() {
                TRACES_WIDTH
            } else {
                REST_WIDTH
            };
            call.home.is_disk() && from_disk < half(width)
        });
        self.send_some(now, |call, _| !call.home.is_disk());
        self.send_some(now, |call, _| call.home.is_disk());
    }

    /// Sends calls that are wanted, given how many of their kind are under way from disk.
    fn send_some(&mut self, now: Instant, is_wanted: impl Fn(&Sealed, usize) -> bool) {
        let mut rest = self.room(now, false);
        let mut traces = self.room(now, true);
        let mut from_disk = [false, true].map(|it| self.lane.under_way_from_disk(it));
        while rest + traces > 0 {
            let shelf = self.disk.as_ref().map(|disk| disk.shelf());
            let next = self.lane.next(shelf, |call| {
                let is_traces = call.target.is_traces();
                let room = if is_traces { traces } else { rest };
                room > 0 && is_wanted(call, from_disk[usize::from(is_traces)])
            });
            let Some(call) = next.and_then(|number| self.lane.get(number)) else {
                return;
            };
            let is_traces = call.target.is_traces();
            from_disk[usize::from(is_traces)] += usize::from(call.home.is_disk());
            let room = if is_traces { &mut traces } else { &mut rest };
            *room -= 1;
            let number = next.unwrap_or_default();
            self.effects.push(Effect::Call {
                number,
                target: call.target,
                items: call.claim.items(),
                body: call.body.clone(),
            });
            self.lane.set_under_way(number);
        }
    }

    fn room(&self, now: Instant, is_traces: bool) -> usize {
        let gate = if is_traces { &self.traces } else { &self.rest };
        if gate.is_unauthorized(now) {
            return 0;
        }
        gate.width(now)
            .saturating_sub(self.lane.under_way(is_traces))
    }

    /// Drops what a key that was just refused would be refused for.
    fn drop_unauthorized(&mut self, now: Instant) {
        let (rest, traces) = (
            self.rest.is_unauthorized(now),
            self.traces.is_unauthorized(now),
        );
        if !rest && !traces {
            return;
        }
        loop {
            let shelf = self.disk.as_ref().map(|disk| disk.shelf());
            let next = self.lane.next(shelf, |call| {
                let is_refused = if call.target.is_traces() {
                    traces
                } else {
                    rest
                };
                is_refused && !call.home.is_disk()
            });
            let Some(number) = next else {
                return;
            };
            let reason = DropReason::Unauthorized;
            self.give_up(number, reason, StartError::Dropped { reason }, now);
        }
    }

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
            // It was cut off, and goes to disk as it is.
            return;
        }
        let at = Circumstances {
            now,
            got_through: self.gate(target).successes(),
            is_expected: self.is_expected(target),
            jitter: rand::random(),
            sink: &self.sink,
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

    const fn gate(&self, target: Target) -> &Gate {
        if target.is_traces() {
            &self.traces
        } else {
            &self.rest
        }
    }

    /// True while something of ours may still create what a call updates.
    fn is_expected(&self, target: Target) -> bool {
        let Target::Update(id) = target else {
            return false;
        };
        self.sessions.awaits_end(id) || self.may_be_created(id)
    }

    /// Tells the gate and the log what HoneyHive has said.
    fn note_answer(
        &mut self,
        target: Target,
        answer: &Result<Answer, Failure>,
        verdict: &Verdict,
        now: Instant,
    ) {
        let Err(failure) = answer else {
            if self.gate_of(target).succeeded() {
                self.recovered(target);
            }
            return;
        };
        if !matches!(verdict, Verdict::Await(_) | Verdict::Smaller(_)) {
            self.notices.failure(target, failure, now);
        }
        match failure {
            Failure::Transient { retry_after, .. } => {
                self.gate_of(target).failed(now, *retry_after)
            }
            Failure::Refused {
                status: 401 | 403, ..
            } => self.gate_of(target).refused_the_key(now),
            Failure::Refused { .. } => {}
        }
    }

    /// Notes that an outage is over. What is on disk has waited longest: it does not sit its pauses out.
    fn recovered(&mut self, target: Target) {
        self.notices.recovered(target);
        self.lane.delay_disk(None);
    }

    fn delivered(&mut self, number: Number, answer: Answer, now: Instant) {
        let Some(call) = self.lane.get(number) else {
            return;
        };
        match call.target {
            Target::Start(id) => {
                if let Some(start) = &call.start {
                    start.settle(Ok(()));
                }
                if answer.session_id().is_some_and(|given| given != id) {
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

    /// Ends a call; where it is the last of a record on disk, once the disk knows.
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

    /// Accounts for a call that has left the lane, and looks at what waited for it.
    pub(super) fn account(&mut self, call: Sealed, outcome: Outcome, now: Instant) {
        match outcome {
            Outcome::Dropped(reason) => self.ledger.dropped(call.claim, reason),
            Outcome::Delivered(answer) if call.target.is_traces() => {
                self.settle_taken(call.claim, &answer, now);
            }
            Outcome::Delivered(_) => self.ledger.delivered(call.claim),
        }
        for id in call.about.iter().flat_map(About::ids) {
            self.sessions.unblock(id);
        }
        if let Some(id) = call.target.id() {
            self.rest_call_is_gone(id);
        }
    }

    /// Settles spans that were taken, but for those that were refused among them.
    fn settle_taken(&mut self, claim: Claim, answer: &Answer, now: Instant) {
        let Some((count, message)) = self.sink.rejected(answer) else {
            return self.ledger.delivered(claim);
        };
        self.notices.rejected_spans(count, &message, now);
        let (rejected, taken) = claim.split(count);
        self.ledger.dropped(rejected, DropReason::Rejected);
        self.ledger.delivered(taken);
    }

    fn again(&mut self, number: Number, failure: Option<Failure>, then: Instant, now: Instant) {
        let Some(call) = self.lane.get(number) else {
            return;
        };
        let target = call.target;
        let got_through = self.gate(target).successes();
        let Some(Failure::Transient { detail, .. }) = failure else {
            // The key was refused; what is on disk waits until somebody has put that right.
            return self.lane.delay_disk(Some(now + UNAUTHORIZED_PAUSE));
        };
        self.lane.change(number, Some(then), |call| {
            call.tries.failed += 1;
            call.tries.others_before.get_or_insert(got_through);
        });
        self.outbox.count_retry();
        if let Some(id) = target.id() {
            self.confirms.not_taken(id, &detail);
            if self.rest.width(now) == 0 {
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

    /// Gives a call up. What would have followed a start goes with it; its spans are asked to create the session.
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
                self.labels.unstarted(&start);
            }
            if is_in_memory {
                for update in self.lane.updates_that_wait(id) {
                    if let Some(update) = self.lane.remove(update) {
                        self.ledger.dropped(update.claim, reason);
                    }
                }
                let claim = self.sessions.give_up_updates(id);
                self.ledger.dropped(claim, reason);
            }
        }
        self.finish(number, Outcome::Dropped(reason), now);
    }
}

/// What the start of a session that was given up is told.
fn error_of(reason: DropReason, failure: Option<Failure>) -> StartError {
    match failure {
        Some(Failure::Refused { status, message }) => StartError::Rejected { status, message },
        _ => StartError::Dropped { reason },
    }
}
