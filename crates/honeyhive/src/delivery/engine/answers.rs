//! What came back is settled, tried again, or given up.

use std::time::Duration;

use tokio::time::Instant;

use super::{Consignment, Done, Engine};
use crate::delivery::changes::Operation;
use crate::delivery::gate::{asked_for, backoff};
use crate::delivery::ledger::Tally;
use crate::delivery::notices::{SESSIONS, TRACES, UPDATES};
use crate::delivery::sink::Parcel;
use crate::error::StartError;
use crate::report::DropReason;
use crate::wire::{Answer, Failure};

/// A call that failed so often, while others got through, is given up. Where three calls in ten fail by chance,
/// that happens to one in two hundred million.
pub(super) const MOST_ATTEMPTS: u32 = 16;

/// A session that HoneyHive does not know is asked for again so often, after this time and then twice as
/// long each time.
const UNKNOWN_ATTEMPTS: u32 = 3;
pub(super) const UNKNOWN_WAIT: Duration = Duration::from_millis(500);

impl Engine {
    /// A call has come back.
    pub(super) fn came_back(&mut self, done: Option<Done>) {
        let now = Instant::now();
        match done {
            Some(Done::Session(operation, answer)) => {
                self.rest_in_flight -= 1;
                self.session_came_back(operation, answer, now);
            }
            Some(Done::Traces(consignment, answer)) => {
                self.traces_in_flight -= 1;
                self.traces_came_back(consignment, answer, now);
            }
            Some(Done::Spooled(number, is_traces, answer)) => {
                self.spooled_came_back(number, is_traces, answer, now);
            }
            // A call of ours neither panics nor is aborted.
            None => {}
        }
    }

    fn session_came_back(
        &mut self,
        operation: Operation,
        answer: Result<Answer, Failure>,
        now: Instant,
    ) {
        let failure = match answer {
            Ok(answer) => return self.session_succeeded(&operation, &answer, now),
            Err(failure) => failure,
        };
        if self.is_about_to_exist(&operation, &failure) {
            return self.wait_for_spans(operation, now);
        }
        let what = if operation.start.is_some() {
            SESSIONS
        } else {
            UPDATES
        };
        if is_too_large(&failure)
            && let Some(limit) = operation.next_cut(&self.plan.origin)
        {
            return self.try_shorter(operation, limit, what, now);
        }
        self.notices.failure(what, &failure, now);
        match failure {
            Failure::Transient {
                retry_after,
                may_have_it,
                detail,
            } => {
                self.retry_session(operation, may_have_it, retry_after, &detail, now);
            }
            Failure::Refused { status, message } => {
                let reason = drop_reason(status);
                if reason == DropReason::Unauthorized {
                    self.rest.refused_the_key(now);
                }
                self.give_up(
                    &operation,
                    reason,
                    &StartError::Rejected { status, message },
                );
            }
        }
    }

    /// What is too large by itself is sent with its longest texts cut.
    fn try_shorter(
        &mut self,
        mut operation: Operation,
        limit: usize,
        what: &'static str,
        now: Instant,
    ) {
        self.notices.cut(what, limit, now);
        operation.cut_to = Some(limit);
        self.sessions.retry(operation, false, now, &mut self.ledger);
    }

    /// A session that was linked to and that nobody has begun is created by its spans, which may come later
    /// than what it has to say itself.
    fn is_about_to_exist(&self, operation: &Operation, failure: &Failure) -> bool {
        matches!(failure, Failure::Refused { status: 404, .. })
            && operation.start.is_none()
            && (operation.attempts < UNKNOWN_ATTEMPTS
                || self.sessions.awaits_end(operation.id)
                || (self.sessions.awaits_spans(operation.id) && self.spans_are_held_up()))
    }

    /// Ingestion does not take spans just now.
    fn spans_are_held_up(&self) -> bool {
        self.consignments.iter().any(|it| it.attempts > 0)
    }

    fn wait_for_spans(&mut self, mut operation: Operation, now: Instant) {
        self.outbox.count_retry();
        if self.spans_are_held_up() {
            // It is given its tries when they have gone.
            operation.attempts = 0;
        }
        let at = now + UNKNOWN_WAIT * (1 << operation.attempts.min(UNKNOWN_ATTEMPTS));
        self.sessions.retry(operation, false, at, &mut self.ledger);
    }

    fn session_succeeded(&mut self, operation: &Operation, answer: &Answer, now: Instant) {
        if self.rest.succeeded() {
            self.recovered(SESSIONS);
        }
        if operation.start.is_some() && answer.session_id().is_some_and(|id| id != operation.id) {
            self.notices.other_id(now);
        }
        self.sessions.succeeded(operation, &mut self.ledger);
    }

    fn retry_session(
        &mut self,
        mut operation: Operation,
        may_have_it: bool,
        after: Option<Duration>,
        detail: &str,
        now: Instant,
    ) {
        let before = *operation
            .successes_before
            .get_or_insert(self.rest.successes());
        if operation.attempts + 1 >= MOST_ATTEMPTS && self.rest.successes() > before {
            let reason = DropReason::RetriesExhausted;
            return self.give_up(&operation, reason, &StartError::Dropped { reason });
        }
        self.outbox.count_retry();
        self.rest.failed(now, after);
        self.confirms.not_taken(operation.id, detail);
        if self.rest.width(now) == 0 {
            self.confirms.outage(detail);
        }
        let at = now + after.map_or_else(|| backoff(operation.attempts + 1), asked_for);
        self.sessions
            .retry(operation, may_have_it, at, &mut self.ledger);
    }

    pub(super) fn give_up(
        &mut self,
        operation: &Operation,
        reason: DropReason,
        error: &StartError,
    ) {
        if let Some(start) = &operation.start {
            self.spans.unstarted(start);
        }
        let ledger = &mut self.ledger;
        self.sessions
            .failed(operation, error, |tally| ledger.dropped(tally, reason));
    }

    fn traces_came_back(
        &mut self,
        mut consignment: Consignment,
        answer: Result<Answer, Failure>,
        now: Instant,
    ) {
        let failure = match answer {
            Ok(answer) => return self.traces_succeeded(&consignment, &answer, now),
            Err(failure) => failure,
        };
        if is_too_large(&failure) {
            if let Some(halves) = self.plan.sink.halves(&consignment.parcel) {
                return self.try_halves(&consignment, halves);
            }
            if let Some((parcel, limit)) = self.plan.sink.shortened(&consignment.parcel) {
                self.notices.cut(TRACES, limit, now);
                consignment.parcel = parcel;
                return self.consignments.push(consignment);
            }
        }
        self.notices.failure(TRACES, &failure, now);
        match failure {
            Failure::Transient { retry_after, .. } => {
                self.retry_traces(consignment, retry_after, now)
            }
            Failure::Refused { status, .. } => {
                let reason = drop_reason(status);
                if reason == DropReason::Unauthorized {
                    self.traces.refused_the_key(now);
                }
                self.ledger.dropped(consignment.tally, reason);
            }
        }
    }

    fn traces_succeeded(&mut self, consignment: &Consignment, answer: &Answer, now: Instant) {
        if self.traces.succeeded() {
            self.recovered(TRACES);
        }
        let rejected = self.plan.sink.rejected(answer);
        self.settle_taken(consignment.tally, rejected, now);
    }

    /// An outage is over. What is on disk has waited longest: it does not sit its pauses out.
    pub(super) fn recovered(&mut self, what: &'static str) {
        self.notices.recovered(what);
        if let Some(spooling) = &mut self.spooling {
            spooling.forget_backoff();
        }
    }

    /// What was taken has been delivered, but for what was `rejected` of it.
    pub(super) fn settle_taken(
        &mut self,
        tally: Tally,
        rejected: Option<(u64, String)>,
        now: Instant,
    ) {
        let Some((count, message)) = rejected else {
            return self.ledger.delivered(tally);
        };
        self.notices.rejected_spans(count, &message, now);
        let (rejected, taken) = tally.split(count);
        self.ledger.dropped(rejected, DropReason::Rejected);
        self.ledger.delivered(taken);
    }

    fn try_halves(&mut self, whole: &Consignment, halves: [(Parcel, u64); 2]) {
        let mut rest = whole.tally;
        for (parcel, count) in halves {
            let (tally, left) = rest.split(count);
            rest = left;
            self.consignments
                .push(Consignment::new(parcel, tally, whole.since));
        }
    }

    fn retry_traces(
        &mut self,
        mut consignment: Consignment,
        after: Option<Duration>,
        now: Instant,
    ) {
        let before = *consignment
            .successes_before
            .get_or_insert(self.traces.successes());
        consignment.attempts += 1;
        if consignment.attempts >= MOST_ATTEMPTS && self.traces.successes() > before {
            return self
                .ledger
                .dropped(consignment.tally, DropReason::RetriesExhausted);
        }
        self.outbox.count_retry();
        self.traces.failed(now, after);
        let wait = after.map_or_else(|| backoff(consignment.attempts), asked_for);
        consignment.retry_at = Some(now + wait);
        self.consignments.push(consignment);
    }
}

pub(super) const fn is_too_large(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused { status: 413, .. })
}

pub(super) const fn drop_reason(status: u16) -> DropReason {
    match status {
        401 | 403 => DropReason::Unauthorized,
        413 => DropReason::TooLarge,
        _ => DropReason::Rejected,
    }
}
