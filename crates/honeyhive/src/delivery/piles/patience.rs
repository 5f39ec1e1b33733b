//! [`Patience`] decides how long a span waits for others.

use std::time::Duration;

use tokio::time::Instant;

use super::waiting::Waiting;
use crate::delivery::time::SPAN_DELAY;

/// A span of a run waits this long for a whole batch, so that a long run takes no call more than a short one.
const RUN_DELAY: Duration = Duration::from_secs(60);
/// Spans are looked at in this interval while only spans of a run wait.
const LOOK: Duration = Duration::from_millis(100);

/// The spans of a run may wait longer than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::delivery) enum Patience {
    Little,
    Whole,
}

impl Patience {
    /// Returns true once a span has waited long enough.
    pub(super) fn is_over(self, waiting: &Waiting, now: Instant) -> bool {
        let delay = if self == Self::Whole && waiting.is_of_run {
            RUN_DELAY
        } else {
            SPAN_DELAY
        };
        now >= waiting.since + delay
    }
}

/// The last look at waiting spans was at this time.
#[derive(Debug, Default)]
pub(super) struct Looks(Option<Instant>);

impl Looks {
    /// Returns true where the spans were looked at a moment ago, and else notes that they are now.
    pub(super) fn are_recent(&mut self, now: Instant) -> bool {
        let are_recent = self.0.is_some_and(|last| now < last + LOOK);
        if !are_recent {
            self.0 = Some(now);
        }
        are_recent
    }
}
