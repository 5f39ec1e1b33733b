//! The gates let a number of calls go out at a time.

use tokio::time::Instant;

use super::state::{Core, Effect};
use crate::delivery::routes::{REST_WIDTH, TRACES_WIDTH};
use crate::delivery::sealed::Sealed;
use crate::error::StartError;
use crate::report::DropReason;

impl Core {
    /// Makes the calls that may go, as many as the gates let through.
    pub(super) fn send(&mut self, now: Instant) {
        self.drop_unauthorized(now);
        self.send_all(now);
        self.look_for_a_shortage(now);
    }

    /// Tells the gate of REST calls whether it has room for those that wait. Until the next ones are sealed, a gate that has just
    /// let many through tells nothing.
    fn look_for_a_shortage(&mut self, now: Instant) {
        let is_full = self.lane.under_way(false) >= self.routes.rest.width(now);
        let waiting = self.lane.ready(false) + self.piles.jobs.len(false);
        let do_some_wait = waiting > 0 || self.piles.sessions.is_any_due(now);
        if is_full || !do_some_wait {
            self.routes.rest.note_shortage(do_some_wait, now);
        }
    }

    fn send_all(&mut self, now: Instant) {
        if self.disk.is_none() {
            return self.send_some(now, |_, _| true);
        }
        // New calls do not wait for the whole disk, and the disk gets at least one call through.
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
        let room = |is_traces| {
            let under_way = self.lane.under_way(is_traces);
            self.routes.room(is_traces, under_way, now)
        };
        let (mut rest, mut traces) = (room(false), room(true));
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

    /// Drops the calls whose key has just been refused.
    fn drop_unauthorized(&mut self, now: Instant) {
        let (rest, traces) = (
            self.routes.rest.is_unauthorized(now),
            self.routes.traces.is_unauthorized(now),
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
}
