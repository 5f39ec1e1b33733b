//! A stopped server ends the sessions of the requests that it does not wait for.

use tokio::time::Instant;

use super::state::Core;
use crate::outbox::{Outcome, Record, SessionEnd, StartRecord, Update};

const CUT_OFF: &str = "the server was stopped before the request had ended";

impl Core {
    /// Ends the sessions of all requests that are under way, as far as they began here.
    pub(super) fn cut_off(&mut self, now: Instant) {
        let mut starts = std::mem::take(&mut self.under_way).into_starts();
        starts.extend(self.piles.sessions.starts().cloned());
        if let Some(sampler) = &self.intake.sampler {
            starts.extend(sampler.starts().cloned());
        }
        for start in starts {
            if !start.is_under_way() {
                continue;
            }
            let end = Update::End(cut_off(&start));
            let record = Record::Update(start.id, end, start.timing());
            start.set_ended();
            self.outbox.accept_late(record.load());
            self.take_record(record, now);
        }
    }
}

fn cut_off(start: &StartRecord) -> SessionEnd {
    // A clock that was set back leaves no duration.
    let duration = start.started_at.elapsed().unwrap_or_default();
    SessionEnd {
        error: Some(CUT_OFF.to_owned()),
        ..SessionEnd::of_work(start.started_at, duration, Outcome::Cancelled)
    }
}
