//! When to stop.

use std::future::pending;
use std::time::Duration;

/// How long answers that are under way may still take once it is time to stop.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// Resolves at ctrl-c, or at SIGTERM where there is such a thing.
pub async fn shutdown_signal() {
    tokio::select! {
        () = interrupt() => {}
        () = terminate() => {}
    }
    tracing::info!("stopping; answers under way have {DRAIN_LIMIT:?} to end");
}

/// A signal that cannot be listened for never comes.
async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut signals) => drop(signals.recv().await),
        Err(_) => pending().await,
    }
}

#[cfg(not(unix))]
async fn terminate() {
    pending().await
}
