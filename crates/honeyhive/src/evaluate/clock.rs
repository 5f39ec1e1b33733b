//! Times that are to come.

use std::time::Duration;

use tokio::time::Instant;

/// The moment after so long, and for what is beyond the clock's range one that never comes.
pub(super) fn after(time: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
    Instant::now() + time.min(NEVER)
}
