//! An adapter is the part of a framework that runs the conformance table.
//!
//! # The application that every adapter serves
//!
//! Every endpoint of [`app::ENDPOINTS`](crate::app::ENDPOINTS), whose bodies are shared: the adapter reads the
//! path parameter, the body and, where there is one, the `CurrentSession` into a [`Call`](crate::app::Call), runs the handler
//! and turns the [`Reply`](crate::app::Reply) into a response. A [`Refusal`](crate::app::Refusal) becomes
//! the framework's own error with status 500. Every `GET` answers `HEAD` too, in the framework's way.
//!
//! And these, which are about the framework itself:
//!
//! | Endpoint | What it does |
//! |---|---|
//! | `POST /json` | takes a JSON object through the framework's own extractor and answers 200; what is no JSON is refused by the framework with a 4xx |
//! | `GET /strict` | asks for `CurrentSession` and answers with its id, whether it records or not |
//! | `GET /behind-a-failing-middleware` | sits behind a middleware of the framework, inside the HoneyHive one, that fails; the client gets a 5xx |
//! | `GET /ws` | upgrades to a WebSocket; each text message is answered with what [`App::on_message`](crate::app::App::on_message) says, given the session that the handler's extractor has moved into the socket's task |
//! | `/feedback` | the adapter's route for ratings, of the application's endpoint, in the layers as everything |
//! | any other path | 404, by the framework itself |
//!
//! The instrumentations of [`Setup`] are wrapped around the whole application, the first outermost.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use honeyhive::http::ServerInstrumentation;

use crate::app::{App, Boxed};

/// An `Adapter` is a framework under test.
pub trait Adapter: 'static {
    /// The table knows the adapter by this name.
    const NAME: &'static str;

    /// Serves the application on a free port of the loopback interface, over HTTP/1 and HTTP/2 with prior
    /// knowledge.
    fn serve(setup: Setup) -> impl Future<Output = Running>;
}

/// A `Setup` is the application to serve.
#[derive(Debug)]
pub struct Setup {
    /// One HoneyHive layer or middleware each, the first outermost; there may be none.
    pub instrumentations: Vec<ServerInstrumentation>,
    /// Whether the framework's own compression is around everything.
    pub compressed: bool,
    /// The state that the handlers share.
    pub app: Arc<App>,
}

/// A `Running` server listens.
#[must_use = "dropping it stops the server"]
pub struct Running {
    /// The server's address.
    pub address: SocketAddr,
    stop: Option<Stop>,
}

struct Stop {
    gracefully: Box<dyn FnOnce() -> Boxed<()> + Send>,
    at_once: Box<dyn FnOnce() + Send>,
}

impl Running {
    /// Returns a server, with how to stop it: after what is under way, or at once.
    pub fn new(
        address: SocketAddr,
        gracefully: impl FnOnce() -> Boxed<()> + Send + 'static,
        at_once: impl FnOnce() + Send + 'static,
    ) -> Self {
        Self {
            address,
            stop: Some(Stop {
                gracefully: Box::new(gracefully),
                at_once: Box::new(at_once),
            }),
        }
    }

    /// Takes no more connections and returns when all open ones have ended.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            (stop.gracefully)().await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            (stop.at_once)();
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Running")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
