//! Times to come are computed without overflow.

use std::time::Duration;

use tokio::time::Instant;

/// Returns the time after a duration; a time that never comes where the clock's range is exceeded.
pub(super) fn after(time: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
    Instant::now() + time.min(NEVER)
}
