//! The end of an invocation is one update of its session.

use std::time::Instant;

use super::handler::HandlerEnd;
use crate::outbox::SessionEnd;
use crate::session::Session;

/// The end of the session needs these data.
pub(super) struct Active {
    pub(super) session: Session,
    pub(super) began: Instant,
}

impl Active {
    pub(super) fn end(self, how: HandlerEnd) {
        let duration = self.began.elapsed();
        self.session.end(SessionEnd {
            error: how.error,
            whole_session: self.session.is_whole(),
            ..SessionEnd::of_work(self.session.start.started_at, duration, how.outcome)
        });
    }
}
