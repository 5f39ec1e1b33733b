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
    has_come: Arc<AtomicBool>,
    receiver: watch::Receiver<bool>,
}

impl Interrupt {
    /// Listens from now on, also after the first signal: tokio leaves its handler installed. The listener has a thread of
    /// its own, so that functions which block the runtime's do not keep it waiting.
    pub(crate) fn listen() -> Self {
        let (sender, receiver) = watch::channel(false);
        let has_come = Arc::new(AtomicBool::new(false));
        let first = Arc::clone(&has_come);
        let runtime = Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime {
            let signals = {
                let _entered = runtime.enter();
                listener()
            };
            let listen = move || {
                // A system without these signals never sends.
                if let Ok(signals) = signals {
                    runtime.block_on(handle(signals, &first, &sender));
                }
            };
            let thread = thread::Builder::new().name("honeyhive-eval-signals".to_owned());
            // A failed thread drops the sender, and no interrupt ever comes.
            let _ = thread.spawn(listen);
        }
        Self { has_come, receiver }
    }

    pub(crate) fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Relaxed)
    }

    /// Resolves at the first signal.
    pub(crate) async fn wait(mut self) {
        if self.receiver.wait_for(|has_come| *has_come).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Sends at the first signal, and ends the process at the second.
async fn handle(mut signals: Signal, first: &AtomicBool, sender: &watch::Sender<bool>) {
    signals.recv().await;
    first.store(true, Ordering::Relaxed);
    let _ = sender.send(true);
    // A closed stderr needs no line.
    let _ = writeln!(
        io::stderr().lock(),
        "interrupted: what runs may go on for five seconds; another one ends the program at once"
    );
    signals.recv().await;
    std::process::exit(Ending::Interrupted.code().into());
}
