//! Ctrl-c: the first cancels the run, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlC as Signal, ctrl_c};
use tokio::sync::watch;

use crate::outcome::Ending;

#[cfg(unix)]
fn listener() -> std::io::Result<Signal> {
    signal(SignalKind::interrupt())
}

#[cfg(windows)]
fn listener() -> std::io::Result<Signal> {
    ctrl_c()
}

/// Whether somebody has interrupted the program.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    is_told: Arc<AtomicBool>,
    told: watch::Receiver<bool>,
}

impl Interrupt {
    /// Listens from now on, and after the first, too: tokio leaves its handler installed.
    pub(crate) fn listen() -> Self {
        let (tell, told) = watch::channel(false);
        let is_told = Arc::new(AtomicBool::new(false));
        let first = Arc::clone(&is_told);
        let signals = listener();
        tokio::spawn(async move {
            let Ok(mut signals) = signals else {
                // Nothing can be listened to here, and so nothing is told.
                return std::future::pending().await;
            };
            signals.recv().await;
            first.store(true, Ordering::Relaxed);
            let _ = tell.send(true);
            signals.recv().await;
            std::process::exit(Ending::Interrupted.code().into());
        });
        Self { is_told, told }
    }

    pub(crate) fn is_told(&self) -> bool {
        self.is_told.load(Ordering::Relaxed)
    }

    /// Resolves at the first.
    pub(crate) async fn wait(mut self) {
        if self.told.wait_for(|told| *told).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
