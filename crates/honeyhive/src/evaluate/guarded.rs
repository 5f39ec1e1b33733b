//! The program's own futures run guarded: their panics are caught, their time is limited.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

use crate::panics::panic_text;

/// `Broken` says how a piece of the program's work failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    Panicked(String),
    TimedOut(Duration),
}

/// Calls the program's code; a panic in it goes no further.
pub(super) fn made<T>(make: impl FnOnce() -> T) -> Result<T, Broken> {
    // A panic becomes an error, so its half-done work is never used as a result.
    catch_unwind(AssertUnwindSafe(make)).map_err(|panic| Broken::Panicked(panic_text(&*panic)))
}

/// Runs a future of the program's: a panic goes no further, and at the limit it is dropped.
pub(super) async fn run<F: Future>(
    future: F,
    limit: Option<Duration>,
) -> Result<F::Output, Broken> {
    let mut future = pin!(future);
    let whole = poll_fn(|task| match made(|| future.as_mut().poll(task)) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panicked) => Poll::Ready(Err(panicked)),
    });
    match limit {
        None => whole.await,
        Some(limit) => timeout(limit, whole)
            .await
            .unwrap_or(Err(Broken::TimedOut(limit))),
    }
}

/// Runs all futures at once, and returns their results in their order.
pub(super) async fn all<T>(futures: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(Some).collect();
    let mut outputs: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|task| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if let Some(running) = future
                && let Poll::Ready(ready) = running.as_mut().poll(task)
            {
                *output = Some(ready);
                *future = None;
            }
        }
        if futures.iter().all(Option::is_none) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
