//! [`Stop`] tells how far the end of delivery has come.

use std::time::Duration;

use tokio::time::Instant;

use crate::delivery::time::later;

/// The rest begins to go to disk at most this long before the end of a shutdown.
pub(super) const LAST_WRITES: Duration = Duration::from_millis(500);
/// A slow disk may hold a shutdown up this long after its end.
pub(super) const OVERTIME: Duration = Duration::from_millis(500);

/// The end of delivery has a deadline and a phase.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) at: Instant,
    /// The rest begins to go to disk at this time; without a disk, spans stop waiting for their start.
    pub(super) last_resort_at: Instant,
    pub(super) phase: Phase,
    /// The count is of the failed calls to the sessions' routes before the shutdown.
    pub(super) failed_before: u64,
}

/// The phases of a shutdown come in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Sending,
    /// The spans go without their start, where there is no disk.
    Rescuing,
    /// Running calls are ended, so that they can go to disk.
    Cutting,
    Starts,
    Spans,
    Rest,
    Over,
}

impl Stop {
    pub(super) const fn at(&self) -> Instant {
        self.at
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Sending => Some(self.last_resort_at),
            Phase::Rescuing | Phase::Over => None,
            _ => Some(later(self.at, OVERTIME)),
        }
    }
}
