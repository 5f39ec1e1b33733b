//! What goes to disk: what memory cannot hold, and whatever follows what is there.

use std::time::Duration;

use tokio::time::Instant;

use super::{Consignment, Engine, TICK};
use crate::SessionId;
use crate::delivery::changes::Operation;
use crate::delivery::sink::{Parcel, Ready};
use crate::delivery::spans::Batch;
use crate::delivery::spooling::{Spooling, ready_call};
use crate::outbox::WAKE_FOR_DISK;
use crate::report::DropReason;
use crate::settings::SessionTransport;
use crate::spool::Refused;

/// From this share of the room in memory on things go to disk while HoneyHive takes nothing,
const FULL_IN_AN_OUTAGE: f64 = 0.5;
/// and from this one on they do anyway,
const FULL: f64 = WAKE_FOR_DISK as f64 / 8.0;
/// until it is down to this.
const RELIEVED: f64 = 0.375;
/// What cannot go to disk now is tried again after this time.
const NO_ROOM_WAIT: Duration = Duration::from_secs(1);

impl Engine {
    /// Writes to disk what memory cannot hold, oldest first.
    pub(super) async fn relieve(&mut self, now: Instant) {
        if !self.should_relieve(now) {
            return;
        }
        let before = self.outbox.stats().spooled;
        let unknown = self.spool_sessions(now);
        if self.spool_spans(now, Self::is_too_full).await && self.traces_in_flight == 0 {
            self.spool_unknown(unknown, now);
        }
        if self.outbox.stats().spooled == before {
            // It goes the usual way meanwhile; and to look through all of it takes time.
            self.relieve_after = Some(now + TICK);
        }
    }

    /// Writes what had to wait for spans, once they are on disk.
    fn spool_unknown(&mut self, unknown: Vec<SessionId>, now: Instant) {
        for id in unknown {
            if !self.is_too_full() || !self.spool_session(id, now) {
                return;
            }
        }
    }

    fn should_relieve(&self, now: Instant) -> bool {
        let is_outage = self.rest.is_outage() || self.traces.is_outage();
        let limit = if is_outage { FULL_IN_AN_OUTAGE } else { FULL };
        self.spooling.is_some()
            && self.relieve_after.is_none_or(|then| now >= then)
            && self.disk_takes_more(now)
            && self.outbox.fullness() >= limit
    }

    fn is_too_full(&self) -> bool {
        self.outbox.fullness() > RELIEVED
    }

    /// Writes what sessions have to say, as far as that need not come after spans. Returns what has to.
    fn spool_sessions(&mut self, now: Instant) -> Vec<SessionId> {
        let mut unknown = Vec::new();
        for (_, id) in self.sessions.by_age() {
            if !self.is_too_full() {
                break;
            }
            if self.sessions.awaits_end(id) || self.sessions.awaits_spans(id) {
                continue;
            }
            if !self.sessions.start_is_pending(id) && !self.sessions.knows(id) {
                unknown.push(id);
            } else if !self.spool_session(id, now) {
                break;
            }
        }
        unknown
    }

    /// Writes what a session has to say at once; false where there was no room for it.
    fn spool_session(&mut self, id: SessionId, now: Instant) -> bool {
        self.sessions
            .take(id)
            .is_none_or(|operation| self.spool_operation(operation, now))
    }

    /// Writes spans to disk while there is need; true where none is left in memory.
    pub(super) async fn spool_spans(
        &mut self,
        now: Instant,
        is_needed: impl Fn(&Self) -> bool,
    ) -> bool {
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
        if self.spooling.as_ref().is_none_or(is_idle) || !self.spool_those_behind_disk(now) {
            return;
        }
        while self.spans.is_due(now, &self.ledger)
            && let Some(batch) = self.next_batch_for_disk(Spooling::has_start)
        {
            if !self.spool_batch(batch, now).await {
                return;
            }
        }
    }

    /// Those that found no room before; false where they still do not.
    fn spool_those_behind_disk(&mut self, now: Instant) -> bool {
        while let Some(index) = self.consignments.iter().position(|it| it.is_behind_disk) {
            let waiting = self.consignments.remove(index);
            if !self.spool_consignment(&waiting, now) {
                self.consignments.insert(index, waiting);
                return false;
            }
        }
        true
    }

    /// Spans that do not wait for a start in memory.
    fn next_batch_for_disk(
        &mut self,
        goes: impl Fn(&Spooling, SessionId) -> bool,
    ) -> Option<Batch> {
        let by_rest = self.plan.transport == SessionTransport::Rest;
        let (sessions, spooling) = (&self.sessions, self.spooling.as_ref()?);
        self.spans
            .next_batch(&self.plan.origin, &mut self.ledger, |id| {
                (by_rest && sessions.start_is_pending(id)) || !goes(spooling, id)
            })
    }

    /// Where there is no room it waits in memory, behind what is on disk: that may be its session's start.
    async fn spool_batch(&mut self, batch: Batch, now: Instant) -> bool {
        let Some(parcel) = self.plan.sink.pack(batch.spans).await else {
            self.ledger.dropped(batch.tally, DropReason::Rejected);
            return true;
        };
        let mut consignment = Consignment::new(parcel, batch.tally, batch.since);
        let is_written = self.spool_consignment(&consignment, now);
        if !is_written {
            consignment.is_behind_disk = true;
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
        if !self.disk_takes_more(now) {
            return self.keep_in_memory(operation, now);
        }
        let [start, changes] = self.sessions.tallies(&operation);
        let items = start.items() + changes.items();
        let epoch = start.epoch().min(changes.epoch());
        let call = ready_call(&operation.call(&self.plan.origin));
        let is_written = call.is_some_and(|call| self.append(&call, items, epoch, now));
        if !is_written {
            return self.keep_in_memory(operation, now);
        }
        if let (Some(start), Some(spooling)) = (&operation.start, &mut self.spooling) {
            spooling.remember_start(&start.record);
        }
        let tally = self.sessions.left_to_disk(&operation, &mut self.ledger);
        self.ledger.spooled(tally);
        true
    }

    /// It waits for room on disk where it has to go there, and else goes the usual way.
    fn keep_in_memory(&mut self, operation: Operation, now: Instant) -> bool {
        let wait = if self.belongs_on_disk(&operation) {
            NO_ROOM_WAIT
        } else {
            Duration::ZERO
        };
        self.sessions
            .put_back(operation, now + wait, &mut self.ledger);
        false
    }

    /// What was refused lately would be refused again, and to prepare a call takes time. At the end everything is tried.
    fn disk_takes_more(&self, now: Instant) -> bool {
        let is_the_end = self.last_writes_at().is_some_and(|then| now >= then);
        if is_the_end {
            !self.is_in_overtime()
        } else {
            self.refused_until.is_none_or(|then| now >= then)
        }
    }

    fn append(&mut self, call: &Ready, items: u64, epoch: u64, now: Instant) -> bool {
        if !self.disk_takes_more(now) {
            return false;
        }
        let Some(spooling) = &mut self.spooling else {
            return false;
        };
        let Err(refused) = spooling.append(call, items, epoch) else {
            return true;
        };
        self.refused_until = Some(now + NO_ROOM_WAIT);
        match refused {
            Refused::Full => self.notices.spool_full(now),
            Refused::Failed(error) => self.notices.spool_failed(&error, now),
        }
        false
    }
}
