//! Memory is relieved: items that it cannot hold go to disk, oldest first, and so do calls that wait for the end of a
//! lasting outage.

use tokio::time::Instant;

use super::state::Core;
use crate::delivery::gate::Gate;
use crate::delivery::lane::pressure::{LASTING, RELIEF_PAUSE, RELIEVED, WRITES, is_too_full};
use crate::delivery::sealed::Sealed;

/// A search for items to write looks at this many sessions at the most.
const LOOKED_AT: usize = 1_024;

impl Core {
    /// Writes the calls to disk that wait for the end of a lasting outage: a process that is killed loses what is in memory.
    /// Spans stay while REST calls get through, for updates of sessions from elsewhere would have to follow them to disk.
    pub(super) fn outlast_an_outage(&mut self, now: Instant) {
        let lasts = |gate: &Gate| gate.is_outage_of(LASTING, now);
        if !lasts(&self.routes.rest) || !self.disk_takes_more(now) {
            return;
        }
        let with_spans = lasts(&self.routes.traces);
        let waits = |call: &Sealed| with_spans || !call.target.is_traces();
        for number in self.lane.free_in_memory(self.free_writes(), waits) {
            self.write(number, now);
        }
    }

    /// Writes items that memory cannot hold to disk, oldest first.
    pub(super) fn relieve(&mut self, now: Instant) {
        if !self.should_relieve(now) {
            return;
        }
        let mut issued = self.relieve_calls(now);
        issued |= self.relieve_sessions(now, true);
        issued |= self.relieve_spans(now);
        if self.piles.spans.is_empty()
            && !self.lane.has_spans_in_memory()
            && self.piles.jobs.len(true) == 0
        {
            issued |= self.relieve_sessions(now, false);
        }
        if let Some(disk) = &mut self.disk
            && !issued
            && !self.outbox.has_gathered()
            && self.piles.jobs.for_disk().0 == 0
            && self.lane.writing().0 == 0
        {
            // Nothing can go to disk now, so items go the usual way: another search would only take time.
            disk.is_relieving = false;
            disk.relieve_after = Some(now + RELIEF_PAUSE);
        }
    }

    /// Returns true while memory is being relieved to disk.
    pub(super) fn is_relieving(&self, now: Instant) -> bool {
        let wants_to = self.disk.as_ref().is_some_and(|disk| disk.is_relieving);
        let is_at_work = self.lane.writing().0 + self.piles.jobs.for_disk().0 > 0;
        (wants_to || is_at_work) && self.disk_takes_more(now)
    }

    fn should_relieve(&mut self, now: Instant) -> bool {
        let fullness = self.fullness_to_come();
        let is_outage = self.routes.rest.is_outage() || self.routes.traces.is_outage();
        let takes_more = self.disk_takes_more(now);
        let Some(disk) = &mut self.disk else {
            return false;
        };
        if fullness <= RELIEVED {
            disk.is_relieving = false;
        } else if is_too_full(fullness, is_outage)
            && disk.relieve_after.is_none_or(|then| now >= then)
        {
            disk.is_relieving = true;
        }
        disk.is_relieving && takes_more
    }

    /// Returns how full memory is once everything on its way to disk has arrived there.
    fn fullness_to_come(&self) -> f64 {
        let mut leaving = self.lane.writing().1;
        leaving.add(self.piles.jobs.for_disk().1);
        self.outbox.fullness_without(leaving)
    }

    fn relief_room(&self) -> usize {
        if self.fullness_to_come() <= RELIEVED {
            return 0;
        }
        self.free_writes()
    }

    /// Returns how many more calls may be on their way to disk.
    fn free_writes(&self) -> usize {
        WRITES.saturating_sub(self.lane.writing().0 + self.piles.jobs.for_disk().0)
    }

    fn relieve_calls(&mut self, now: Instant) -> bool {
        let free = self.lane.free_in_memory(self.relief_room(), |_| true);
        for number in &free {
            self.write(*number, now);
        }
        !free.is_empty()
    }

    /// Writes the open data of sessions: of those that HoneyHive knows or whose start is on its way or on disk, or of the
    /// others.
    fn relieve_sessions(&mut self, now: Instant, only_known: bool) -> bool {
        let ids: Vec<_> = self.piles.sessions.by_age().take(LOOKED_AT).collect();
        let mut issued = false;
        let mut room = self.relief_room();
        for id in ids {
            if room == 0 {
                break;
            }
            let is_known = self.piles.sessions.has_start(id)
                || self.lane.knows(id)
                || self.has_start_on_disk(id);
            let waits = self.piles.sessions.awaits_end(id) || self.piles.sessions.awaits_spans(id);
            if waits || is_known != only_known || self.is_behind_memory(id) {
                continue;
            }
            if self.seal_session(id, true, now) {
                issued = true;
                room = self.relief_room();
            }
        }
        issued
    }

    fn relieve_spans(&mut self, now: Instant) -> bool {
        if self.relief_room() > 0 {
            self.assign_strays(now);
        }
        let mut issued = false;
        while self.relief_room() > 0 {
            let behind = self.piles.spans.next_batch_behind(&mut self.ledger);
            let Some(batch) = behind.or_else(|| self.piles.spans.next_batch(&mut self.ledger))
            else {
                break;
            };
            self.seal_spans(batch, true);
            issued = true;
        }
        issued
    }
}
