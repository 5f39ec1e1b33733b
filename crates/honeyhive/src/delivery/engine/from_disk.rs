//! What comes back from disk, by this process or by the next.

use std::time::Duration;

use tokio::time::Instant;

use super::answers::{MOST_ATTEMPTS, UNKNOWN_WAIT, drop_reason, is_too_large};
use super::{Done, Engine, REST_WIDTH, TRACES_WIDTH, unless_cut};
use crate::delivery::gate::{Gate, asked_for, backoff};
use crate::delivery::ledger::{Ledger, Tally};
use crate::delivery::notices::{SESSIONS, TRACES, UPDATES};
use crate::delivery::sink::Ready;
use crate::delivery::spooling::Unread;
use crate::error::StartError;
use crate::report::DropReason;
use crate::spool::{Kind, Note};
use crate::wire::{Answer, Failure};

/// A refused key is somebody's to put right: what is on disk can wait for that.
const UNAUTHORIZED_PAUSE: Duration = Duration::from_secs(60);
/// So often HoneyHive is asked for what it does not know: another process may have on disk what creates it.
const UNKNOWN_ATTEMPTS: u32 = 10;
const LONGEST_UNKNOWN_WAIT: Duration = Duration::from_secs(30);

/// How much of what the gates let through may come from disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// What is new does not wait for all that is on disk.
    Half,
    /// There is nothing else to do.
    Whole,
}

/// Calls under way that came from disk.
#[derive(Debug, Default)]
pub(super) struct FromDisk {
    rest: usize,
    traces: usize,
}

impl Engine {
    /// Takes over what processes have left that are gone.
    pub(super) fn look_for_left_spools(&mut self, now: Instant) {
        let Some(spooling) = &mut self.spooling else {
            return;
        };
        match spooling.look(self.ledger.epoch(), now) {
            Some(Ok(found)) => {
                self.ledger.inherit(found.items + found.lost);
                let lost = Ledger::on_disk(self.ledger.epoch(), found.lost);
                self.ledger.dropped(lost, DropReason::Unreadable);
                self.outbox.count_set_aside(found.set_aside);
                self.notices.found_in_spool(&found);
            }
            Some(Err(error)) => self.notices.spool_failed(&error, now),
            None => {}
        }
    }

    /// Makes the calls that are on disk, oldest first.
    pub(super) fn dispatch_spooled(&mut self, share: Share, now: Instant) {
        let Some(spooling) = &mut self.spooling else {
            return;
        };
        self.outbox.count_set_aside(spooling.take_set_aside());
        if spooling.is_empty() {
            return;
        }
        let mut unread = Vec::new();
        loop {
            unread.extend(spooling.read_ahead());
            let rest = has_room(&self.rest, self.rest_in_flight, now)
                && share.allows(self.from_disk.rest, REST_WIDTH);
            let traces = has_room(&self.traces, self.traces_in_flight, now)
                && share.allows(self.from_disk.traces, TRACES_WIDTH);
            let next = spooling.next(now, |kind| match kind {
                Kind::Traces => traces,
                _ => rest,
            });
            let Some((number, call)) = next else {
                break;
            };
            let is_traces = matches!(call, Ready::Traces(_));
            if is_traces {
                self.traces_in_flight += 1;
                self.from_disk.traces += 1;
            } else {
                self.rest_in_flight += 1;
                self.from_disk.rest += 1;
            }
            let sink = self.plan.sink.clone();
            let cut = self.cut.subscribe();
            self.calls.spawn(async move {
                let answer = unless_cut(cut, sink.make(call)).await;
                Done::Spooled(number, is_traces, answer)
            });
        }
        for unread in unread {
            self.unreadable(unread, now);
        }
    }

    fn unreadable(&mut self, unread: Unread, now: Instant) {
        match unread {
            Unread::Lost { items, starts } => {
                self.notices.spool_unreadable(now);
                self.ledger.lost_on_disk(&items);
                for start in starts {
                    start.settle(Err(StartError::Dropped {
                        reason: DropReason::Unreadable,
                    }));
                    self.spans.unstarted(&start);
                }
            }
            Unread::Later(error) => self.notices.spool_failed(&error, now),
        }
    }

    /// A call that is on disk has come back.
    pub(super) fn spooled_came_back(
        &mut self,
        number: u64,
        is_traces: bool,
        answer: Result<Answer, Failure>,
        now: Instant,
    ) {
        self.spooled_was_cut_off(number, is_traces);
        let Some(recalled) = self.spooling.as_mut().and_then(|it| it.get(number)) else {
            return;
        };
        let call = recalled.call.clone();
        match answer {
            Ok(answer) => self.spooled_succeeded(number, &call, &answer, now),
            Err(failure) => self.spooled_failed(number, &call, failure, now),
        }
    }

    pub(super) fn spooled_was_cut_off(&mut self, number: u64, is_traces: bool) {
        if is_traces {
            self.traces_in_flight -= 1;
            self.from_disk.traces -= 1;
        } else {
            self.rest_in_flight -= 1;
            self.from_disk.rest -= 1;
        }
        if let Some(recalled) = self.spooling.as_mut().and_then(|it| it.get(number)) {
            recalled.in_flight = false;
        }
    }

    fn spooled_failed(&mut self, number: u64, call: &Ready, failure: Failure, now: Instant) {
        if self.is_unknown_so_far(number, call, &failure) {
            return self.recall_when_known(number, now);
        }
        if is_too_large(&failure) && self.recall_smaller(number, call, now) {
            return;
        }
        self.notices.failure(what_is(call), &failure, now);
        match failure {
            Failure::Transient { retry_after, .. } => {
                self.retry_spooled(number, call, retry_after, now);
            }
            Failure::Refused {
                status: 401 | 403, ..
            } => {
                gate_of(&mut self.rest, &mut self.traces, call).refused_the_key(now);
                if let Some(spooling) = &mut self.spooling {
                    spooling.pause_until = Some(now + UNAUTHORIZED_PAUSE);
                }
            }
            Failure::Refused { status, message } => {
                let error = StartError::Rejected { status, message };
                self.give_up_spooled(number, drop_reason(status), error);
            }
        }
    }

    fn spooled_succeeded(&mut self, number: u64, call: &Ready, answer: &Answer, now: Instant) {
        if gate_of(&mut self.rest, &mut self.traces, call).succeeded() {
            self.recovered(what_is(call));
        }
        let Some(spooling) = &mut self.spooling else {
            return;
        };
        let start = spooling.start_of(number);
        let Some(note) = spooling.end(number) else {
            return;
        };
        if let Ready::Start(id, _) | Ready::Update(id, _) = call {
            self.sessions.note_known(*id);
        }
        if let Ready::Start(id, _) = call {
            if let Some(start) = start {
                start.settle(Ok(()));
            }
            if answer.session_id().is_some_and(|given| given != *id) {
                self.notices.other_id(now);
            }
        }
        let rejected = match call {
            Ready::Traces(_) => self.plan.sink.rejected(answer),
            _ => None,
        };
        self.settle_taken(tally_of(&note), rejected, now);
    }

    fn retry_spooled(&mut self, number: u64, call: &Ready, after: Option<Duration>, now: Instant) {
        let gate = gate_of(&mut self.rest, &mut self.traces, call);
        let successes = gate.successes();
        let Some(recalled) = self.spooling.as_mut().and_then(|it| it.get(number)) else {
            return;
        };
        let before = *recalled.successes_before.get_or_insert(successes);
        recalled.attempts += 1;
        let attempts = recalled.attempts;
        if attempts >= MOST_ATTEMPTS && successes > before {
            let reason = DropReason::RetriesExhausted;
            return self.give_up_spooled(number, reason, StartError::Dropped { reason });
        }
        gate.failed(now, after);
        let wait = after.map_or_else(|| backoff(attempts), asked_for);
        recalled.retry_at = Some(now + wait);
        self.outbox.count_retry();
    }

    /// What creates it may be under way, or on the disk of another process.
    fn is_unknown_so_far(&self, number: u64, call: &Ready, failure: &Failure) -> bool {
        let is_unknown = matches!(call, Ready::Update(..))
            && matches!(failure, Failure::Refused { status: 404, .. });
        let Some(spooling) = self.spooling.as_ref().filter(|_| is_unknown) else {
            return false;
        };
        spooling.is_about_to_send_traces() || spooling.times_unknown(number) < UNKNOWN_ATTEMPTS
    }

    fn recall_when_known(&mut self, number: u64, now: Instant) {
        self.outbox.count_retry();
        if let Some(recalled) = self.spooling.as_mut().and_then(|it| it.get(number)) {
            let wait = UNKNOWN_WAIT * (1 << recalled.times_unknown.min(10));
            recalled.times_unknown += 1;
            recalled.retry_at = Some(now + wait.min(LONGEST_UNKNOWN_WAIT));
        }
    }

    /// What is too large for one call is tried in two halves, and what is too large by itself with its longest texts
    /// cut. It stays on disk as it was until all of it has its outcome.
    fn recall_smaller(&mut self, number: u64, call: &Ready, now: Instant) -> bool {
        let halves = self.plan.sink.halves_of(call);
        let shortened = || self.plan.sink.shortened_of(call);
        let Some(recalled) = self.spooling.as_mut().and_then(|it| it.get(number)) else {
            return false;
        };
        if let Some(halves) = halves {
            recalled.split(halves);
            return true;
        }
        let Some((shorter, limit)) = shortened() else {
            return false;
        };
        recalled.call = shorter;
        self.notices.cut(what_is(call), limit, now);
        true
    }

    /// The next start of this process will not find it on disk any more: its spans are asked to create it.
    fn give_up_spooled(&mut self, number: u64, reason: DropReason, error: StartError) {
        let Some(spooling) = &mut self.spooling else {
            return;
        };
        if let Some(start) = spooling.start_of(number) {
            start.settle(Err(error));
            self.spans.unstarted(&start);
        }
        if let Some(note) = spooling.end(number) {
            self.ledger.dropped(tally_of(&note), reason);
        }
    }
}

impl Share {
    /// One at least, however narrow the way is.
    fn allows(self, from_disk: usize, width: usize) -> bool {
        self == Self::Whole || from_disk < (width / 2).max(1)
    }
}

fn has_room(gate: &Gate, in_flight: usize, now: Instant) -> bool {
    !gate.is_unauthorized(now) && in_flight < gate.width(now)
}

const fn tally_of(note: &Note) -> Tally {
    Ledger::on_disk(note.mark, note.items as u64)
}

const fn what_is(call: &Ready) -> &'static str {
    match call {
        Ready::Start(..) => SESSIONS,
        Ready::Update(..) => UPDATES,
        Ready::Traces(_) => TRACES,
    }
}

const fn gate_of<'a>(rest: &'a mut Gate, traces: &'a mut Gate, call: &Ready) -> &'a mut Gate {
    match call {
        Ready::Traces(_) => traces,
        _ => rest,
    }
}
