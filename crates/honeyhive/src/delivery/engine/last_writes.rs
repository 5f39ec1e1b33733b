//! The end of a shutdown's time: what is left goes to disk.

use std::time::Duration;

use tokio::time::Instant;

use super::{Done, Engine};
use crate::delivery::later;
use crate::wire::Failure;

/// So long before the end of a shutdown's time what is left begins to go to disk, at the most.
const LAST_WRITES: Duration = Duration::from_millis(500);
/// A disk that is slow holds a shutdown up for so long after its end, and no longer.
const OVERTIME: Duration = Duration::from_millis(500);

impl Engine {
    /// When what is left begins to go to disk, where there is a spool and an end.
    pub(super) fn last_writes_at(&self) -> Option<Instant> {
        self.spooling.as_ref()?;
        self.last_writes_at
    }

    /// Who was promised the earliest end still finds everything written by then.
    pub(super) fn plan_last_writes(&mut self, now: Instant, timeout: Duration) {
        let margin = LAST_WRITES.min(timeout / 10);
        let at = later(now, timeout - margin);
        self.last_writes_at = Some(self.last_writes_at.map_or(at, |earlier| earlier.min(at)));
    }

    pub(super) fn is_in_overtime(&self) -> bool {
        let end = self.stop_at.map(|at| later(at, OVERTIME));
        end.is_some_and(|end| Instant::now() > end)
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
        for (_, id) in self.sessions.by_age() {
            while let Some(operation) = self.sessions.take(id) {
                if !self.spool_operation(operation, now) {
                    break;
                }
            }
            if self.is_in_overtime() {
                return;
            }
        }
    }

    /// A session may have begun more than once.
    fn spool_starts(&mut self, now: Instant) {
        for (_, id) in self.sessions.by_age() {
            while self.sessions.start_is_pending(id)
                && let Some(operation) = self.sessions.take(id)
            {
                if !self.spool_operation(operation, now) {
                    break;
                }
            }
            if self.is_in_overtime() {
                return;
            }
        }
    }

    fn came_back_at_the_end(&mut self, done: Option<Done>, now: Instant) {
        match done {
            Some(Done::Session(mut operation, Err(Failure::Transient { .. }))) => {
                self.rest_in_flight -= 1;
                // HoneyHive may have it.
                operation.is_frozen = true;
                self.sessions.put_back(operation, now, &mut self.ledger);
            }
            Some(Done::Traces(consignment, Err(Failure::Transient { .. }))) => {
                self.traces_in_flight -= 1;
                self.consignments.push(consignment);
            }
            Some(Done::Spooled(number, is_traces, Err(Failure::Transient { .. }))) => {
                self.spooled_was_cut_off(number, is_traces);
            }
            done => self.came_back(done),
        }
    }
}
