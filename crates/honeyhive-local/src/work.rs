//! Work that takes time must hold up nobody.

use crate::reply::Reply;
use crate::store::Failed;

/// A body up to this size is read on the spot; a larger one on a thread that holds up nobody.
const ON_THE_SPOT: usize = 16 * 1024;

/// Runs work that takes time where it holds up nobody; a small body is not worth the way there.
pub(crate) async fn by_size<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Reply> {
    if bytes <= ON_THE_SPOT {
        return Ok(work());
    }
    off_thread(work).await
}

/// Runs work that may block on a thread that may.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Reply> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failed::Broken(error.to_string()).into())
}
