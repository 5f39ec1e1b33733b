//! What must happen when something ends.

use std::time::{Duration, Instant};

use super::HoneyHiveTracer;
use crate::outbox::{Outcome, SessionEnd, Update};
use crate::processor::LAST_FLUSH;
use crate::session::Session;

/// Shuts the tracer down when dropped: keep it in `main`.
///
/// It blocks the thread that drops it, [`timeout`](Self::timeout) at the most. Without a guard and
/// without a call of [`shutdown`](HoneyHiveTracer::shutdown), what was recorded last can be lost when
/// the process ends.
#[derive(Debug)]
#[must_use = "the tracer is shut down when the guard is dropped"]
pub struct ShutdownGuard {
    tracer: HoneyHiveTracer,
    timeout: Duration,
}

impl ShutdownGuard {
    pub(super) const fn new(tracer: HoneyHiveTracer) -> Self {
        Self {
            tracer,
            timeout: LAST_FLUSH,
        }
    }

    /// How long the shutdown may take (default 5 s).
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Drop for ShutdownGuard {
    fn drop(&mut self) {
        match self.tracer.shutdown_blocking(self.timeout) {
            Ok(_) | Err(crate::FlushError::ShutDown) => {}
            Err(error) => tracing::warn!(target: "honeyhive", "at shutdown: {error}"),
        }
    }
}

/// Ends a session: as complete when it is told so, else by how it is dropped.
#[derive(Debug)]
pub(super) struct EndOfSession {
    session: Session,
    began: Instant,
    outcome: Option<Outcome>,
}

impl EndOfSession {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session,
            began: Instant::now(),
            outcome: None,
        }
    }

    pub(super) fn complete(mut self) {
        self.outcome = Some(Outcome::Complete);
    }
}

impl Drop for EndOfSession {
    fn drop(&mut self) {
        let (outcome, error) = match self.outcome {
            Some(outcome) => (outcome, None),
            None if std::thread::panicking() => (Outcome::Panicked, Some("panicked")),
            None => (
                Outcome::Cancelled,
                Some("cancelled: the future was dropped before its end"),
            ),
        };
        let duration = self.began.elapsed();
        self.session.update(Update::End(SessionEnd {
            ended_at: self.session.start.started_at + duration,
            duration,
            outcome,
            status_code: None,
            grpc_status: None,
            time_to_first_byte: None,
            response_bytes: None,
            error: error.map(str::to_owned),
            whole_session: self.session.is_whole(),
        }));
    }
}
