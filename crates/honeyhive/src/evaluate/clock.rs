//! Times that are to come.

use std::time::Duration;

use tokio::time::Instant;

/// Returns the time after a duration; beyond the clock's range one that never comes.
pub(super) fn after(time: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
    Instant::now() + time.min(NEVER)
}
