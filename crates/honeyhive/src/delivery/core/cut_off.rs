//! Requests that a stopped server does not wait for: their sessions end with it.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::state::Core;
use crate::outbox::{Outcome, Record, SessionEnd, StartRecord, Update};

const CUT_OFF: &str = "the server was stopped before the request had ended";

/// The number of sessions from which on those that have ended are looked for.
const MANY: usize = 64;

/// The sessions whose requests were under way when their starts were sealed, and maybe still are.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    starts: Vec<Arc<StartRecord>>,
    /// The length that the list has before it is tidied up.
    most: usize,
}

impl UnderWay {
    /// Notes a session, if its request is under way: that of a short request ends before its start is sealed.
    pub(super) fn note(&mut self, start: &Arc<StartRecord>) {
        if !start.is_under_way() {
            return;
        }
        if self.starts.len() >= self.most {
            self.starts.retain(|start| start.is_under_way());
            self.most = MANY.max(2 * self.starts.len());
        }
        self.starts.push(Arc::clone(start));
    }
}

impl Core {
    /// Ends the sessions of all requests that are under way, as far as they began here.
    pub(super) fn cut_off(&mut self, now: Instant) {
        let mut starts = std::mem::take(&mut self.under_way).starts;
        starts.extend(self.piles.sessions.starts().cloned());
        if let Some(sampler) = &self.intake.sampler {
            starts.extend(sampler.starts().cloned());
        }
        starts.retain(|start| start.is_under_way());
        for start in starts {
            let end = Update::End(cut_off(&start));
            let record = Record::Update(start.id, end, start.timing());
            self.outbox.accept_late(record.load());
            self.take_record(record, now);
        }
    }
}

fn cut_off(start: &StartRecord) -> SessionEnd {
    let ended_at = SystemTime::now();
    let duration = ended_at.duration_since(start.started_at);
    SessionEnd {
        ended_at,
        duration: duration.unwrap_or_default(),
        outcome: Outcome::Cancelled,
        status_code: None,
        grpc_status: None,
        time_to_first_byte: None,
        response_bytes: None,
        error: Some(CUT_OFF.to_owned()),
        whole_session: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::SessionId;
    use crate::model::object::Object;
    use crate::outbox::Inputs;

    fn request() -> Arc<StartRecord> {
        let inputs = Inputs::Object(Object::new());
        let mut start =
            StartRecord::new(SessionId::new(), "chat".into(), inputs, SystemTime::now());
        start.will_end = true;
        Arc::new(start)
    }

    #[test]
    fn requests_that_have_ended_are_forgotten_and_others_are_kept() {
        let mut under_way = UnderWay::default();
        let running: Vec<_> = (0..100).map(|_| request()).collect();
        for start in &running {
            under_way.note(start);
            for _ in 0..100 {
                let short = request();
                under_way.note(&short);
                short.set_ended();
            }
        }
        assert!(under_way.starts.len() <= 2 * running.len());
        under_way.starts.retain(|start| start.is_under_way());
        let ids = |starts: &[Arc<StartRecord>]| starts.iter().map(|it| it.id).collect::<Vec<_>>();
        assert_eq!(ids(&under_way.starts), ids(&running));
    }
}
