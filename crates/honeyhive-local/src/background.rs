//! A server lives on a thread and a runtime of its own, so that it answers whatever kind of runtime its user has, or
//! has blocked.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Semaphore, oneshot};

use crate::connection;
use crate::exchange::Entrance;

/// `STOP_WITHIN` bounds the wait at the end, for a badly overloaded machine: no call blocks the thread.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// The server tries again after this time where it cannot accept, as without a free file descriptor.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// The runtime has at most this many threads for reads of the store and for large bodies; an idle one ends.
const MOST_THREADS: usize = 8;

/// `Background` is a running server; dropping it stops the server and everything that is still waiting in it.
#[derive(Debug)]
pub(crate) struct Background {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    stopped: Mutex<mpsc::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    pub(crate) fn start(listener: TcpListener, entrance: Entrance) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let (stop, stopping) = oneshot::channel();
        let (started, starting) = mpsc::sync_channel(1);
        let (stopped_sender, stopped) = mpsc::sync_channel(1);
        let builder = thread::Builder::new().name("honeyhive-local".to_owned());
        let thread = builder.spawn(move || {
            run(listener, entrance, stopping, &started);
            // The handle may have been dropped without waiting.
            let _ = stopped_sender.send(());
        })?;
        let handle = starting.recv().map_err(io::Error::other)??;
        Ok(Self {
            handle,
            stop: Some(stop),
            stopped: Mutex::new(stopped),
            thread: Some(thread),
        })
    }

    /// Returns the server's runtime, for timers that need none of the caller's.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        let stopped = self
            .stopped
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let in_time = stopped.recv_timeout(STOP_WITHIN);
        let has_ended = in_time != Err(mpsc::RecvTimeoutError::Timeout);
        if let Some(thread) = self.thread.take().filter(|_| has_ended) {
            // Joining fails only where the thread panicked, and a drop must not.
            let _ = thread.join();
        }
    }
}

fn run(
    listener: TcpListener,
    entrance: Entrance,
    stopping: oneshot::Receiver<()>,
    started: &mpsc::SyncSender<io::Result<Handle>>,
) {
    let runtime = match prepare(listener) {
        Ok((runtime, listener)) => {
            let _ = started.send(Ok(runtime.handle().clone()));
            runtime.block_on(accept(listener, entrance, stopping));
            runtime
        }
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    // Calls that hang on purpose are dropped.
    runtime.shutdown_background();
}

fn prepare(listener: TcpListener) -> io::Result<(Runtime, tokio::net::TcpListener)> {
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(MOST_THREADS)
        .build()?;
    let guard = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    drop(guard);
    Ok((runtime, listener))
}

/// Takes connections until the handle is dropped.
async fn accept(
    listener: tokio::net::TcpListener,
    entrance: Entrance,
    mut stopping: oneshot::Receiver<()>,
) {
    let places = Arc::new(Semaphore::new(entrance.max_connections()));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            _ = &mut stopping => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let served = connection::serve(stream, entrance.clone());
                tokio::spawn(async move {
                    served.await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN_AFTER).await,
        }
    }
}
