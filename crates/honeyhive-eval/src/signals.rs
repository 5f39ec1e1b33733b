//! The first ctrl-c cancels the run, the second ends the process.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::runtime::Builder;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlC as Signal, ctrl_c};
use tokio::sync::watch;

use crate::outcome::Ending;

#[cfg(unix)]
fn listener() -> io::Result<Signal> {
    signal(SignalKind::interrupt())
}

#[cfg(windows)]
fn listener() -> io::Result<Signal> {
    ctrl_c()
}

/// `Interrupt` knows whether somebody has interrupted the program.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    is_told: Arc<AtomicBool>,
    told: watch::Receiver<bool>,
}

impl Interrupt {
    /// Listens from now on, also after the first signal: tokio leaves its handler installed. The listener has a thread of
    /// its own, so that functions which block the runtime's do not keep it from hearing.
    pub(crate) fn listen() -> Self {
        let (tell, told) = watch::channel(false);
        let is_told = Arc::new(AtomicBool::new(false));
        let first = Arc::clone(&is_told);
        let runtime = Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime {
            let signals = {
                let _entered = runtime.enter();
                listener()
            };
            let hear = move || {
                // A system without these signals never calls `tell`.
                if let Ok(signals) = signals {
                    runtime.block_on(heard(signals, &first, &tell));
                }
            };
            let thread = thread::Builder::new().name("honeyhive-eval-signals".to_owned());
            // A failed thread drops `tell`, which is then never called.
            let _ = thread.spawn(hear);
        }
        Self { is_told, told }
    }

    pub(crate) fn is_told(&self) -> bool {
        self.is_told.load(Ordering::Relaxed)
    }

    /// Resolves at the first signal.
    pub(crate) async fn wait(mut self) {
        if self.told.wait_for(|told| *told).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Calls `tell` at the first signal, and ends the process at the second.
async fn heard(mut signals: Signal, first: &AtomicBool, tell: &watch::Sender<bool>) {
    signals.recv().await;
    first.store(true, Ordering::Relaxed);
    let _ = tell.send(true);
    // A closed stderr needs no line.
    let _ = writeln!(
        io::stderr().lock(),
        "interrupted: what runs may go on for five seconds; another one ends the program at once"
    );
    signals.recv().await;
    std::process::exit(Ending::Interrupted.code().into());
}
