//! The shutdown writes to disk what it cannot deliver in time, or at least lets the spans go.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::ending::{LAST_WRITES, OVERTIME, Phase, Stop};
use super::state::{Core, Effect};
use crate::delivery::piles::Place;
use crate::delivery::time::later;
use crate::outbox::StartRecord;

impl Core {
    /// Plans the end. Where several callers set one, writing begins in time for the earliest.
    pub(super) fn stop(&mut self, timeout: Duration, now: Instant) {
        let margin = if self.disk.is_some() {
            LAST_WRITES.min(timeout / 10)
        } else {
            timeout / 2
        };
        let at = later(now, timeout);
        let last_resort_at = later(now, timeout - margin);
        let failed_before = self.routes.rest.failed_calls();
        let stop = self.stop.get_or_insert(Stop {
            at,
            last_resort_at,
            phase: Phase::Sending,
            failed_before,
        });
        stop.at = at;
        stop.last_resort_at = stop.last_resort_at.min(last_resort_at);
    }

    /// Returns true once spans no longer wait for their start.
    pub(super) fn has_rescued(&self) -> bool {
        let stop = self.stop.as_ref();
        stop.is_some_and(|stop| stop.phase == Phase::Rescuing)
    }

    /// Frees spans whose start does not get through by the end: they create their session.
    pub(super) fn rescue_spans(&mut self, now: Instant) {
        let Some(stop) = self.stop.as_mut().filter(|_| self.disk.is_none()) else {
            return;
        };
        let has_failed =
            self.routes.rest.is_outage() && self.routes.rest.failed_calls() > stop.failed_before;
        if stop.phase != Phase::Sending || !(has_failed || now >= stop.last_resort_at) {
            return;
        }
        stop.phase = Phase::Rescuing;
        let mut starts: Vec<Arc<StartRecord>> = self.piles.sessions.starts().cloned().collect();
        starts.extend(self.piles.jobs.starts().cloned());
        starts.extend(self.lane.starts().cloned());
        for start in starts {
            self.intake.labels.unstarted(&start);
        }
        let held: Vec<_> = self.piles.spans.held().collect();
        for id in held {
            self.piles.spans.release(id, Place::Free);
        }
    }

    pub(super) fn is_writing_the_rest(&self) -> bool {
        let writing = Phase::Cutting..=Phase::Rest;
        let stop = self.stop.as_ref();
        stop.is_some_and(|stop| writing.contains(&stop.phase))
    }

    /// Ends the calls under way, when the time of a shutdown is nearly over and there is a disk.
    pub(super) fn begin_writing_the_rest(&mut self, now: Instant) {
        let Some(stop) = self.stop.as_mut().filter(|_| self.disk.is_some()) else {
            return;
        };
        if stop.phase == Phase::Sending && now >= stop.last_resort_at {
            stop.phase = Phase::Cutting;
            self.effects.push(Effect::Cut);
            self.go_on_writing_the_rest(now);
        }
    }

    /// Writes the rest, in an order in which it can be read back: starts, spans, and updates of sessions that those
    /// create.
    pub(super) fn go_on_writing_the_rest(&mut self, now: Instant) {
        while let Some(phase) = self.stop.as_ref().map(|stop| stop.phase) {
            if self.is_in_overtime(now) {
                return self.have_written_the_rest(now);
            }
            match phase {
                Phase::Cutting if self.is_under_way() => return,
                Phase::Cutting => self.set_phase(Phase::Starts),
                Phase::Starts if self.write_sessions(true, now) => return,
                Phase::Starts => self.set_phase(Phase::Spans),
                Phase::Spans if self.write_spans(now) => return,
                Phase::Spans => self.set_phase(Phase::Rest),
                Phase::Rest if self.write_sessions(false, now) => return,
                _ => return self.have_written_the_rest(now),
            }
        }
    }

    const fn is_under_way(&self) -> bool {
        self.lane.under_way(false) + self.lane.under_way(true) > 0
    }

    fn set_phase(&mut self, phase: Phase) {
        if let Some(stop) = &mut self.stop {
            stop.phase = phase;
        }
    }

    /// Writes the open data of sessions that were or are begun here, or of all; true while that is under way.
    fn write_sessions(&mut self, only_known: bool, now: Instant) -> bool {
        self.write_calls(now);
        let ids: Vec<_> = self.piles.sessions.by_age().collect();
        for id in ids {
            let is_known = self.piles.sessions.has_start(id) || self.lane.knows(id);
            if (is_known || !only_known) && !self.is_behind_memory(id) {
                self.seal_session(id, true, now);
            }
        }
        self.is_at_work()
    }

    /// Writes the spans that are left; true while that is under way.
    fn write_spans(&mut self, now: Instant) -> bool {
        self.assign_strays(now);
        // The tracer's own session may have begun with the strays.
        if self.write_sessions(true, now) {
            return true;
        }
        while let Some(batch) = self.piles.spans.next_batch_behind(&mut self.ledger) {
            self.seal_spans(batch, true);
        }
        while let Some(batch) = self.piles.spans.next_batch(&mut self.ledger) {
            self.seal_spans(batch, true);
        }
        self.is_at_work()
    }

    fn write_calls(&mut self, now: Instant) {
        for number in self.lane.free_in_memory(usize::MAX, |_| true) {
            self.write(number, now);
        }
    }

    fn is_at_work(&self) -> bool {
        !self.piles.jobs.is_empty() || self.lane.is_at_disk()
    }

    fn have_written_the_rest(&mut self, now: Instant) {
        self.set_phase(Phase::Over);
        self.ledger.end_by(now);
    }

    /// Returns true once the overtime of a shutdown is over: nothing more is tried then.
    pub(super) fn is_in_overtime(&self, now: Instant) -> bool {
        let end = self.stop.as_ref().map(|stop| later(stop.at, OVERTIME));
        end.is_some_and(|end| now > end)
    }
}
