//! Delays end at moments in the future that no duration can overflow.

use std::time::Duration;

use tokio::time::Instant;

/// A span waits this long for others to make a batch.
pub(super) const SPAN_DELAY: Duration = Duration::from_secs(1);

/// Returns the moment `then` after `now`, and for a duration beyond the clock's range one that never comes.
pub(super) fn later(now: Instant, then: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
    now + then.min(NEVER)
}
