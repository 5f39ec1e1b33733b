//! What goes to disk, and what comes back from there.

use std::time::Duration;

use tokio::time::Instant;

use super::answers::{MOST_ATTEMPTS, UNKNOWN_ATTEMPTS, UNKNOWN_WAIT, drop_reason};
use super::{Consignment, Done, Engine, REST_WIDTH, TRACES_WIDTH, unless_cut};
use crate::api::{Answer, Failure};
use crate::config::SessionTransport;
use crate::delivery::changes::Operation;
use crate::delivery::gate::{Gate, asked_for, backoff};
use crate::delivery::later;
use crate::delivery::ledger::{Ledger, Tally};
use crate::delivery::notices::{SESSIONS, TRACES, UPDATES};
use crate::delivery::sink::{Parcel, Ready};
use crate::delivery::spans::Batch;
use crate::delivery::spooling::{Spooling, Unread, ready_call};
use crate::error::Error;
use crate::outbox::DropReason;
use crate::spool::{Kind, Note, Refused};

/// From this share of the room in memory on things go to disk while HoneyHive takes nothing,
const FULL_IN_AN_OUTAGE: f64 = 0.5;
/// and from this one on they do anyway,
const FULL: f64 = 0.75;
/// until it is down to this.
const RELIEVED: f64 = 0.375;
/// What cannot go to disk now is tried again after this time.
const NO_ROOM_WAIT: Duration = Duration::from_secs(1);
/// So long before the end of a shutdown's time what is left begins to go to disk, at the most.
const LAST_WRITES: Duration = Duration::from_millis(500);
/// A disk that is slow holds a shutdown up for so long after its end, and no longer.
const OVERTIME: Duration = Duration::from_millis(500);
/// A refused key is somebody's to put right: what is on disk can wait for that.
const UNAUTHORIZED_PAUSE: Duration = Duration::from_secs(60);

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

    /// Writes to disk what memory cannot hold, oldest first.
    pub(super) async fn relieve(&mut self, now: Instant) {
        let is_outage = self.rest.is_outage() || self.traces.is_outage();
        let limit = if is_outage { FULL_IN_AN_OUTAGE } else { FULL };
        if self.spooling.is_none() || self.outbox.fullness() < limit {
            return;
        }
        let mut after_spans = Vec::new();
        for held_too in [false, true] {
            if held_too {
                self.sessions.queue_held(false);
            }
            while self.is_too_full()
                && let Some(operation) = self.sessions.next()
            {
                if self.is_of_the_unknown(&operation) {
                    after_spans.push(operation);
                } else if !self.spool_operation(operation, now) {
                    break;
                }
            }
        }
        let all_gone = self.spool_spans(now, Self::is_too_full).await;
        for operation in after_spans {
            if all_gone {
                self.spool_operation(operation, now);
            } else {
                let at = now + NO_ROOM_WAIT;
                self.sessions.put_back(operation, at, &mut self.ledger);
            }
        }
    }

    fn is_too_full(&self) -> bool {
        self.outbox.fullness() > RELIEVED
    }

    /// Writes spans to disk while there is need; true where none is left in memory.
    async fn spool_spans(&mut self, now: Instant, is_needed: impl Fn(&Self) -> bool) -> bool {
        while is_needed(self) && !self.consignments.is_empty() {
            let oldest = self.consignments.remove(0);
            if !self.spool_consignment(&oldest, now) {
                self.consignments.insert(0, oldest);
                return false;
            }
        }
        self.assign_spans(now);
        while is_needed(self)
            && let Some(batch) = self.next_batch_for_disk(|_, _| true)
        {
            if !self.spool_batch(batch, now).await {
                return false;
            }
        }
        self.consignments.is_empty() && self.spans.len() == 0
    }

    /// The spans of sessions whose start is on disk follow it there.
    pub(super) async fn spool_spans_behind_their_start(&mut self, now: Instant) {
        let is_idle = |spooling: &Spooling| spooling.is_empty();
        if self.spooling.as_ref().is_none_or(is_idle) || !self.spans.is_due(now, &self.ledger) {
            return;
        }
        while let Some(batch) = self.next_batch_for_disk(Spooling::has_start) {
            if !self.spool_batch(batch, now).await {
                return;
            }
        }
    }

    /// Spans that do not wait for a start in memory.
    fn next_batch_for_disk(
        &mut self,
        goes: impl Fn(&Spooling, crate::SessionId) -> bool,
    ) -> Option<Batch> {
        let by_rest = self.plan.transport == SessionTransport::Rest;
        let (sessions, spooling) = (&self.sessions, self.spooling.as_ref()?);
        self.spans
            .next_batch(&self.plan.origin, &mut self.ledger, |id| {
                (by_rest && sessions.start_is_pending(id)) || !goes(spooling, id)
            })
    }

    async fn spool_batch(&mut self, batch: Batch, now: Instant) -> bool {
        let Some(parcel) = self.plan.sink.pack(batch.spans).await else {
            self.ledger.dropped(batch.tally, DropReason::Rejected);
            return true;
        };
        let consignment = Consignment::new(parcel, batch.tally, batch.since);
        let is_written = self.spool_consignment(&consignment, now);
        if !is_written {
            self.consignments.push(consignment);
        }
        is_written
    }

    fn spool_consignment(&mut self, consignment: &Consignment, now: Instant) -> bool {
        let Parcel::Encoded(payload) = &consignment.parcel else {
            return false;
        };
        let call = Ready::Traces(payload.clone());
        let tally = consignment.tally;
        let is_written = self.append(&call, tally.items(), tally.epoch(), now);
        if is_written {
            self.ledger.spooled(tally);
        }
        is_written
    }

    /// True where the call has to go to disk because something older is there that comes first.
    pub(super) fn belongs_on_disk(&self, operation: &Operation) -> bool {
        let Some(spooling) = &self.spooling else {
            return false;
        };
        spooling.has_any(operation.id)
            || (spooling.has_traces() && self.is_of_the_unknown(operation))
    }

    /// HoneyHive may not know what this is about before spans have told it.
    fn is_of_the_unknown(&self, operation: &Operation) -> bool {
        operation.start.is_none() && !self.sessions.knows(operation.id)
    }

    /// Writes a call to disk instead of making it. Where that is not possible it waits in memory, and the
    /// answer is false.
    pub(super) fn spool_operation(&mut self, operation: Operation, now: Instant) -> bool {
        let [start, changes] = self.sessions.tallies(&operation);
        let items = start.items() + changes.items();
        let epoch = start.epoch().min(changes.epoch());
        let call = ready_call(&operation.call(&self.plan.origin));
        let is_written = call.is_some_and(|call| self.append(&call, items, epoch, now));
        if !is_written {
            let at = now + NO_ROOM_WAIT;
            self.sessions.put_back(operation, at, &mut self.ledger);
            return false;
        }
        if let (Some(start), Some(spooling)) = (&operation.start, &mut self.spooling) {
            spooling.remember_start(&start.record);
        }
        let tally = self.sessions.left_to_disk(&operation, &mut self.ledger);
        self.ledger.spooled(tally);
        true
    }

    fn append(&mut self, call: &Ready, items: u64, epoch: u64, now: Instant) -> bool {
        if self.is_in_overtime() {
            return false;
        }
        let Some(spooling) = &mut self.spooling else {
            return false;
        };
        match spooling.append(call, items, epoch) {
            Ok(()) => true,
            Err(Refused::Full) => {
                self.notices.spool_full(now);
                false
            }
            Err(Refused::Failed(error)) => {
                self.notices.spool_failed(&error, now);
                false
            }
        }
    }

    /// Makes the calls that are on disk, oldest first. They take half of what the gates let through, so that
    /// what is new does not wait for all of them.
    pub(super) fn dispatch_spooled(&mut self, now: Instant) {
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
            let rest = has_room(&self.rest, REST_WIDTH, self.rest_in_flight, now);
            let traces = has_room(&self.traces, TRACES_WIDTH, self.traces_in_flight, now);
            let next = spooling.next(now, |kind| match kind {
                Kind::Traces => traces,
                _ => rest,
            });
            let Some((number, call)) = next else {
                break;
            };
            match call {
                Ready::Traces(_) => self.traces_in_flight += 1,
                _ => self.rest_in_flight += 1,
            }
            let sink = self.plan.sink.clone();
            let cut = self.cut.subscribe();
            self.calls.spawn(async move {
                let is_traces = matches!(call, Ready::Traces(_));
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
                    start.settle(Err(Error::Dropped(DropReason::Unreadable)));
                    self.spans.unstarted(&start);
                }
            }
            Unread::Later(error) => self.notices.spool_failed(&error, now),
        }
    }

    fn settle_as(&mut self, note: &Note, reason: DropReason) {
        self.ledger.dropped(tally_of(note), reason);
    }

    /// A call that is on disk has come back.
    pub(super) fn spooled_came_back(
        &mut self,
        number: u64,
        answer: Result<Answer, Failure>,
        now: Instant,
    ) {
        let Some(recalled) = self.spooling.as_mut().and_then(|it| it.get(number)) else {
            return;
        };
        recalled.in_flight = false;
        let (call, attempts) = (recalled.call.clone(), recalled.attempts);
        let failure = match answer {
            Ok(answer) => return self.spooled_succeeded(number, &call, &answer, now),
            Err(failure) => failure,
        };
        if matches!(call, Ready::Update(..))
            && matches!(failure, Failure::Refused { status: 404, .. })
            && attempts < UNKNOWN_ATTEMPTS
        {
            // What creates it may be under way.
            return self.recall_again(number, now + UNKNOWN_WAIT * (1 << attempts));
        }
        if matches!(failure, Failure::Refused { status: 413, .. })
            && self.spool_halves(number, &call, now)
        {
            return;
        }
        let what = match call {
            Ready::Start(..) => SESSIONS,
            Ready::Update(..) => UPDATES,
            Ready::Traces(_) => TRACES,
        };
        self.notices.failure(what, &failure, now);
        match failure {
            Failure::Transient { retry_after, .. } => {
                self.retry_spooled(number, &call, retry_after, now);
            }
            Failure::Refused {
                status: 401 | 403, ..
            } => {
                gate_of(&mut self.rest, &mut self.traces, &call).refused_the_key(now);
                if let Some(spooling) = &mut self.spooling {
                    spooling.pause_until = Some(now + UNAUTHORIZED_PAUSE);
                }
            }
            Failure::Refused { status, message } => {
                let error = Error::Rejected { status, message };
                self.give_up_spooled(number, drop_reason(status), error);
            }
        }
    }

    fn spooled_succeeded(&mut self, number: u64, call: &Ready, answer: &Answer, now: Instant) {
        let what = match call {
            Ready::Traces(_) => TRACES,
            _ => SESSIONS,
        };
        if gate_of(&mut self.rest, &mut self.traces, call).succeeded() {
            self.notices.recovered(what);
        }
        let Some(spooling) = &mut self.spooling else {
            return;
        };
        let start = spooling.start_of(number);
        let Some(note) = spooling.settle(number) else {
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
        let tally = tally_of(&note);
        let rejected = match call {
            Ready::Traces(_) => self.plan.sink.rejected(answer),
            _ => None,
        };
        self.settle_taken(tally, rejected, now);
    }

    fn retry_spooled(&mut self, number: u64, call: &Ready, after: Option<Duration>, now: Instant) {
        let gate = gate_of(&mut self.rest, &mut self.traces, call);
        let successes = gate.successes();
        let Some(recalled) = self.spooling.as_mut().and_then(|it| it.get(number)) else {
            return;
        };
        let before = *recalled.successes_before.get_or_insert(successes);
        let attempts = recalled.attempts + 1;
        if attempts >= MOST_ATTEMPTS && successes > before {
            let reason = DropReason::RetriesExhausted;
            return self.give_up_spooled(number, reason, Error::Dropped(reason));
        }
        gate.failed(now, after);
        self.recall_again(
            number,
            now + after.map_or_else(|| backoff(attempts), asked_for),
        );
    }

    fn recall_again(&mut self, number: u64, at: Instant) {
        self.outbox.count_retry();
        if let Some(recalled) = self.spooling.as_mut().and_then(|it| it.get(number)) {
            recalled.attempts += 1;
            recalled.retry_at = Some(at);
        }
    }

    /// The next start of this process will not find it on disk any more: its spans are asked to create it.
    fn give_up_spooled(&mut self, number: u64, reason: DropReason, error: Error) {
        let Some(spooling) = &mut self.spooling else {
            return;
        };
        if let Some(start) = spooling.start_of(number) {
            start.settle(Err(error));
            self.spans.unstarted(&start);
        }
        if let Some(note) = spooling.settle(number) {
            self.settle_as(&note, reason);
        }
    }

    /// Too many spans for one call: two take their place on disk.
    fn spool_halves(&mut self, number: u64, call: &Ready, now: Instant) -> bool {
        let Ready::Traces(payload) = call else {
            return false;
        };
        let parcel = Parcel::Encoded(payload.clone());
        let Some(halves) = self.plan.sink.halves(&parcel) else {
            return false;
        };
        let Some(recalled) = self.spooling.as_mut().and_then(|it| it.get(number)) else {
            return false;
        };
        let note = recalled.ticket.note;
        let mut rest = tally_of(&note);
        for (parcel, count) in halves {
            let (tally, left) = rest.split(count);
            rest = left;
            let mut half = Consignment::new(parcel, tally, now);
            if !self.spool_consignment(&half, now) {
                half.tally = self.ledger.recalled(tally);
                self.consignments.push(half);
            }
        }
        // Only now: a process that is killed in between leaves them twice rather than never.
        if let Some(spooling) = &mut self.spooling {
            spooling.settle(number);
        }
        true
    }

    /// When what is left begins to go to disk, where there is a spool and an end.
    pub(super) fn last_writes_at(&self) -> Option<Instant> {
        self.spooling.as_ref()?;
        self.last_writes_at
    }

    pub(super) fn plan_last_writes(&mut self, now: Instant, timeout: Duration) {
        let margin = LAST_WRITES.min(timeout / 10);
        self.last_writes_at = Some(later(now, timeout - margin));
    }

    /// The time of a shutdown is over: what is left goes to disk, and what is under way with it.
    pub(super) async fn spool_the_rest(&mut self, now: Instant) {
        self.cut.send_replace(true);
        while let Some(done) = self.calls.join_next().await {
            self.came_back_at_the_end(done.ok(), now);
        }
        self.spool_starts(now);
        self.assign_spans(now);
        // The tracer's own session may have begun with that.
        self.spool_starts(now);
        self.spool_spans(now, |_| true).await;
        self.sessions.queue_held(true);
        while let Some(operation) = self.sessions.next() {
            self.spool_operation(operation, now);
        }
    }

    fn is_in_overtime(&self) -> bool {
        let end = self.stop_at.map(|at| later(at, OVERTIME));
        end.is_some_and(|end| Instant::now() > end)
    }

    fn spool_starts(&mut self, now: Instant) {
        loop {
            self.sessions.queue_held(true);
            let mut others = Vec::new();
            let mut started = false;
            while let Some(operation) = self.sessions.next() {
                if operation.start.is_none() {
                    others.push(operation);
                } else {
                    started |= self.spool_operation(operation, now);
                }
            }
            for operation in others {
                self.sessions.put_back(operation, now, &mut self.ledger);
            }
            if !started {
                return;
            }
        }
    }

    fn came_back_at_the_end(&mut self, done: Option<Done>, now: Instant) {
        match done {
            Some(Done::Session(operation, Err(Failure::Transient { .. }))) => {
                self.rest_in_flight -= 1;
                self.sessions.put_back(operation, now, &mut self.ledger);
            }
            Some(Done::Traces(consignment, Err(Failure::Transient { .. }))) => {
                self.traces_in_flight -= 1;
                self.consignments.push(consignment);
            }
            Some(Done::Spooled(_, _, Err(Failure::Transient { .. }))) => {}
            done => self.came_back(done),
        }
    }
}

const fn tally_of(note: &Note) -> Tally {
    Ledger::on_disk(note.mark, note.items as u64)
}

/// Half of what gets through, but one at least.
fn has_room(gate: &Gate, width: usize, in_flight: usize, now: Instant) -> bool {
    let open = gate.width(now);
    !gate.is_unauthorized(now) && in_flight < open.min((width / 2).max(1))
}

const fn gate_of<'a>(rest: &'a mut Gate, traces: &'a mut Gate, call: &Ready) -> &'a mut Gate {
    match call {
        Ready::Traces(_) => traces,
        _ => rest,
    }
}
