//! Ctrl-c: the first cancels the run, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::ctrl_c;
use tokio::sync::watch;

use crate::outcome::Ending;

/// Whether somebody has interrupted the program.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    is_told: Arc<AtomicBool>,
    told: watch::Receiver<bool>,
}

impl Interrupt {
    /// Listens from now on, again after the first: tokio leaves its handler installed.
    pub(crate) fn listen() -> Self {
        let (tell, told) = watch::channel(false);
        let is_told = Arc::new(AtomicBool::new(false));
        let first = Arc::clone(&is_told);
        tokio::spawn(async move {
            if ctrl_c().await.is_err() {
                // Nothing can be listened to here, and so nothing is told.
                std::future::pending::<()>().await;
            }
            first.store(true, Ordering::Relaxed);
            let _ = tell.send(true);
            if ctrl_c().await.is_ok() {
                std::process::exit(Ending::Interrupted.code().into());
            }
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
