//! The core carries out commands from the outbox, for which callers wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::state::Core;
use crate::error::StartError;
use crate::outbox::{Command, Flushed, Reply, StartRecord};

impl Core {
    pub(super) fn obey(&mut self, command: Command, now: Instant) {
        match command {
            Command::Confirm(start, reply) => self.confirm(start, reply, now),
            Command::Flush(timeout, reply) => self.flush(timeout, reply, now),
            Command::EndRefused(start) => self.under_way.keep(start),
            Command::CutOff => self.cut_off(now),
            Command::Stop(timeout, reply) => {
                self.decide_all(now);
                self.stop(timeout, now);
                self.flush(timeout, reply, now);
            }
        }
    }

    /// Sends a start without holding it back, since a caller awaits the answer.
    fn confirm(
        &mut self,
        start: Arc<StartRecord>,
        reply: Reply<Result<(), StartError>>,
        now: Instant,
    ) {
        if self.holds(start.current_id()) {
            // No answer will come, or none before the session's end.
            return reply.send(Ok(()));
        }
        self.piles.sessions.hold_no_longer(start.id, now);
        self.confirms.add(start, reply, now);
        if self.routes.rest.width(now) == 0 {
            self.confirms.outage(self.notices.last_detail());
        }
    }

    fn flush(&mut self, timeout: Duration, reply: Reply<Flushed>, now: Instant) {
        self.ledger.flush(timeout, now, reply);
        if let Some(stop) = &self.stop {
            self.ledger.end_by(stop.at());
        }
        let is_the_end = self.stop.is_some();
        self.piles.sessions.hurry(&mut self.ledger, is_the_end, now);
        self.lane.forget_backoff();
        self.routes.rest.poke(now);
        self.routes.traces.poke(now);
    }
}
