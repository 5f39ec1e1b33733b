//! [`Stop`]: how far the end of delivery has come.

use std::time::Duration;

use tokio::time::Instant;

use crate::delivery::time::later;

/// So long before the end of a shutdown's time what is left begins to go to disk, at the most.
pub(super) const LAST_WRITES: Duration = Duration::from_millis(500);
/// A disk that is slow holds a shutdown up for so long after its end, and no longer.
pub(super) const OVERTIME: Duration = Duration::from_millis(500);

/// The end of delivery.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) at: Instant,
    /// What is left begins to go to disk, or where there is none, spans stop waiting for their start.
    pub(super) last_resort_at: Instant,
    pub(super) phase: Phase,
    /// How many calls to the sessions' routes had failed before.
    pub(super) failed_before: u64,
}

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Sending,
    /// Without a disk: spans go without their start.
    Rescuing,
    /// What is under way ends, so that it can go to disk.
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
