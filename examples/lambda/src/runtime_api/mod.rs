//! The stand-in for Lambda's runtime API, on loopback, hands events out and takes answers in.
//!
//! It has the four calls of <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html> that a runtime
//! makes, and tells whoever observes it about each of them before it answers.

mod routes;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// The function has this name.
pub const FUNCTION_NAME: &str = "word-count";

/// An invocation has this much time by default.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A `Call` is one of the function to the runtime API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The function asks for the next event: `GET …/invocation/next`
    Next,
    /// The function answers: `POST …/invocation/{request id}/response`
    Response(String),
    /// The function fails: `POST …/invocation/{request id}/error`
    Error(String),
    /// The function could not start: `POST …/init/error`
    InitError,
}

/// An `Outcome` is that of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The function has answered.
    Response(Value),
    /// The function has failed with this error.
    Error(Value),
}

/// `Queued` is an event on its way to the function.
#[derive(Debug)]
struct Queued {
    request_id: String,
    event: Vec<u8>,
    timeout: Duration,
}

struct Shared {
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Queued>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    /// The number of times that the next event was asked for.
    asked: watch::Sender<u64>,
    observe: Box<dyn Fn(&Call) + Send + Sync>,
}

/// A `RuntimeApi` is a running stand-in; dropping it stops the stand-in.
pub struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    queue: mpsc::UnboundedSender<Queued>,
    invocations: Mutex<u64>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    /// Starts a stand-in on any free port.
    ///
    /// # Errors
    ///
    /// Where there is no free port.
    pub async fn start() -> io::Result<Self> {
        Self::observed(|_| ()).await
    }

    /// Starts the API; `observe` sees every call before it is answered.
    ///
    /// # Errors
    ///
    /// Where there is no free port.
    pub async fn observed(observe: impl Fn(&Call) + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (queue, queued) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            queue: tokio::sync::Mutex::new(queued),
            waiting: Mutex::default(),
            asked: watch::Sender::new(0),
            observe: Box::new(observe),
        });
        let router = routes::router(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // Accepting goes on whatever a connection does.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            shared,
            queue,
            invocations: Mutex::new(0),
            server,
        })
    }

    /// Returns a command that runs a program as a function of this stand-in, with nothing else in its environment. The
    /// process is killed when its handle is dropped.
    #[must_use]
    pub fn function(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", self.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", FUNCTION_NAME)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .kill_on_drop(true);
        command
    }

    /// Gives the function an event, and waits for the outcome.
    pub async fn invoke(&self, event: impl Into<Vec<u8>>) -> Outcome {
        self.invoke_within(TIMEOUT, event).await
    }

    /// Invokes the function with a deadline so far from now. The function only learns of it: nothing happens then.
    pub async fn invoke_within(&self, timeout: Duration, event: impl Into<Vec<u8>>) -> Outcome {
        let (answer, answered) = oneshot::channel();
        let request_id = self.next_request_id();
        self.shared.waiting().insert(request_id.clone(), answer);
        let queued = Queued {
            request_id,
            event: event.into(),
            timeout,
        };
        // The receiver lives as long as the stand-in, and so does the sender of the answer.
        let _ = self.queue.send(queued);
        match answered.await {
            Ok(outcome) => outcome,
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until the function asks for an event and there is none: on Lambda it may be frozen from here on.
    pub async fn idle(&self) {
        let invocations = *lock(&self.invocations);
        let mut asked = self.shared.asked.subscribe();
        // The sender lives as long as the stand-in.
        let _ = asked.wait_for(|asked| *asked > invocations).await;
    }

    fn next_request_id(&self) -> String {
        let mut invocations = lock(&self.invocations);
        *invocations += 1;
        format!("request-{invocations}")
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Outcome>>> {
        lock(&self.waiting)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for RuntimeApi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RuntimeApi")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
