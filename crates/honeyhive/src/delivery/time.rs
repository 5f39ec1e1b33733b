//! How long things wait, and moments that come later, however long the duration is.

use std::time::Duration;

use tokio::time::Instant;

/// A span waits this long for company.
pub(super) const SPAN_DELAY: Duration = Duration::from_secs(1);

/// The moment `then` after `now`, and for a duration beyond the clock's range one that never comes.
pub(super) fn later(now: Instant, then: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
    now + then.min(NEVER)
}
