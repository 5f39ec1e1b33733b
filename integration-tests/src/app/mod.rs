//! The application under test has the same handlers, whatever the framework.

mod counted;
mod handlers;
mod streams;
mod work;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use honeyhive::feedback::FeedbackEndpoint;
use honeyhive::http::RequestInfo;
use honeyhive::{HoneyHiveTracer, Session};
use tokio::sync::Semaphore;
use tracing::Dispatch;

pub use counted::{Counted, Polls};
pub use handlers::{OWN_HEADERS, PANIC_TEXT, REFUSAL_TEXT};
pub use streams::{DATA_STREAM, EVENTS, HALF_ANSWER, MODEL_EVENTS, TOKENS};
pub use work::{WORK_SPANS, is_through_tracing};

/// `App` has the state that the handlers share, and the signals by which a row and a handler wait for each other.
#[derive(Debug)]
pub struct App {
    /// The tracer of the handlers' spans.
    pub tracer: HoneyHiveTracer,
    /// The endpoint that takes ratings, at `/feedback`.
    pub feedback: FeedbackEndpoint,
    /// The tracer of another team, where a row has one.
    pub second: Option<HoneyHiveTracer>,
    /// The subscriber of the handlers' `tracing` spans.
    pub dispatch: Dispatch,
    /// The signal that a handler has come to the place where it waits.
    pub entered: Signal,
    /// The signal by which the row lets the handler go on.
    pub release: Signal,
    /// The counts of bodies that count their polls.
    pub polls: Arc<Polls>,
}

impl App {
    /// Returns an application with one tracer.
    #[must_use]
    pub fn new(tracer: HoneyHiveTracer) -> Self {
        Self {
            feedback: FeedbackEndpoint::new(tracer.clone())
                .most_per_minute(3)
                .session_tenant(tenant),
            tracer,
            second: None,
            dispatch: Dispatch::none(),
            entered: Signal::default(),
            release: Signal::default(),
            polls: Arc::default(),
        }
    }

    async fn park(&self) {
        self.entered.give();
        self.release.taken().await;
    }

    /// Returns the answer of a WebSocket: the id of its session, from within a span in that session.
    #[must_use]
    pub fn on_message(&self, session: &Session, text: &str) -> String {
        session.in_scope(|| {
            let span = self.tracer.span("message").start();
            span.outputs(serde_json::json!({ "text": text }));
            session.id().to_string()
        })
    }
}

/// A `Signal` is given by one side and taken by the other, in any order, as often as it was given.
#[derive(Debug)]
pub struct Signal(Semaphore);

impl Default for Signal {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Signal {
    /// Lets one waiter go on, now or later.
    pub fn give(&self) {
        self.0.add_permits(1);
    }

    /// Waits until the signal is given.
    pub async fn taken(&self) {
        self.0.acquire().await.unwrap().forget();
    }
}

/// An `Endpoint` has a body that all adapters share.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The method: `GET`, `POST`, …
    pub method: &'static str,
    /// The route's template: `/chat/{id}`. There is one parameter at the most.
    pub route: &'static str,
    /// The handler.
    pub handler: Handler,
}

/// `Boxed` is a future in a box.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A `Handler` is the body of an endpoint.
pub type Handler = fn(Arc<App>, Call) -> Boxed<Result<Reply, Refusal>>;

const fn endpoint(method: &'static str, route: &'static str, handler: Handler) -> Endpoint {
    Endpoint {
        method,
        route,
        handler,
    }
}

/// The table has all endpoints. Each handler says what it does.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("POST", "/chat/{id}", |app, call| {
        Box::pin(handlers::chat(app, call))
    }),
    endpoint("OPTIONS", "/chat/{id}", |app, call| {
        Box::pin(handlers::chat(app, call))
    }),
    endpoint("GET", "/healthz", |app, call| {
        Box::pin(handlers::chat(app, call))
    }),
    endpoint("GET", "/status/{code}", |app, call| {
        Box::pin(handlers::status(app, call))
    }),
    endpoint("GET", "/told/{code}", |app, call| {
        Box::pin(handlers::told(app, call))
    }),
    endpoint("GET", "/bytes/{length}", |app, call| {
        Box::pin(handlers::whole(app, call))
    }),
    endpoint("GET", "/fail", |app, call| {
        Box::pin(handlers::fail(app, call))
    }),
    endpoint("GET", "/panic", |app, call| {
        Box::pin(handlers::panic_at_once(app, call))
    }),
    endpoint("GET", "/panic-later", |app, call| {
        Box::pin(handlers::panic_later(app, call))
    }),
    endpoint("GET", "/park", |app, call| {
        Box::pin(handlers::park(app, call))
    }),
    endpoint("GET", "/optional", |app, call| {
        Box::pin(handlers::optional(app, call))
    }),
    endpoint("GET", "/own-header", |app, call| {
        Box::pin(handlers::own_header(app, call))
    }),
    endpoint("POST", "/link", |app, call| {
        Box::pin(handlers::link(app, call))
    }),
    endpoint("POST", "/link-later", |app, call| {
        Box::pin(handlers::link_later(app, call))
    }),
    endpoint("GET", "/enrich-and-park", |app, call| {
        Box::pin(handlers::enrich_and_park(app, call))
    }),
    endpoint("POST", "/link-and-park", |app, call| {
        Box::pin(handlers::link_and_park(app, call))
    }),
    endpoint("POST", "/link-twice", |app, call| {
        Box::pin(handlers::link_twice(app, call))
    }),
    endpoint("GET", "/both", |app, call| {
        Box::pin(handlers::both(app, call))
    }),
    endpoint("GET", "/tokens", |app, call| {
        Box::pin(streams::tokens(app, call))
    }),
    endpoint("GET", "/events", |app, call| {
        Box::pin(streams::events(app, call))
    }),
    endpoint("GET", "/model-events", |app, call| {
        Box::pin(streams::model_events(app, call))
    }),
    endpoint("GET", "/data-stream", |app, call| {
        Box::pin(streams::data_stream(app, call))
    }),
    endpoint("GET", "/parked-answer", |app, call| {
        Box::pin(streams::parked_answer(app, call))
    }),
    endpoint("GET", "/parked-events", |app, call| {
        Box::pin(streams::parked_events(app, call))
    }),
    endpoint("GET", "/broken", |app, call| {
        Box::pin(streams::broken(app, call))
    }),
    endpoint("GET", "/panic-in-body", |app, call| {
        Box::pin(streams::panicking(app, call))
    }),
    endpoint("GET", "/declared", |app, call| {
        Box::pin(streams::declared(app, call))
    }),
    endpoint("GET", "/counted", |app, call| {
        Box::pin(streams::counted(app, call))
    }),
    endpoint("GET", "/who", |app, call| {
        Box::pin(handlers::who(app, call))
    }),
    // The order matters: the pattern of the first fits the path of the second.
    endpoint("GET", "/widgets/{id}", |app, call| {
        Box::pin(handlers::chat(app, call))
    }),
    endpoint("POST", "/widgets/action", |app, call| {
        Box::pin(handlers::chat(app, call))
    }),
    endpoint("POST", "/chunks", |app, call| {
        Box::pin(streams::chunks(app, call))
    }),
    endpoint("GET", "/task/{id}", |app, call| {
        Box::pin(work::work(app, call))
    }),
];

/// A `Call` has the arguments of a handler.
#[derive(Debug)]
pub struct Call {
    /// The request's session, where it has one.
    pub session: Option<Session>,
    /// The path's parameter; empty where the route has none.
    pub argument: String,
    /// The whole body.
    pub body: Bytes,
}

/// A `Reply` is the answer of a handler.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers that the program sets.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub payload: Payload,
}

impl Reply {
    fn new(payload: Payload) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            payload,
        }
    }

    fn text(text: impl Into<Bytes>) -> Self {
        Self::new(Payload::Whole(text.into()))
    }

    fn stream(pieces: Pieces) -> Self {
        Self::new(Payload::Stream(pieces))
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// `Pieces` are those of a streamed body.
pub type Pieces = BoxStream<'static, Result<Bytes, Refusal>>;

/// A `Payload` is a body.
pub enum Payload {
    /// The body comes at once, and its length is known.
    Whole(Bytes),
    /// The body comes piece by piece, and its length is unknown.
    Stream(Pieces),
    /// The body comes piece by piece, with a `Content-Length` that the program declares.
    Declared(u64, Pieces),
    /// The body is of the framework's own kind, and counts its polls.
    Counted(Counted),
}

impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(formatter, "Whole({})", bytes.len()),
            Self::Stream(_) => formatter.write_str("Stream"),
            Self::Declared(length, _) => write!(formatter, "Declared({length})"),
            Self::Counted(body) => body.fmt(formatter),
        }
    }
}

/// A `Refusal` is a handler's or a body's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(pub &'static str);

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl std::error::Error for Refusal {}

/// A `Caused` error has a cause that its own text does not tell.
#[derive(Debug)]
pub struct Caused(pub Refusal);

impl fmt::Display for Caused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no more tokens")
    }
}

impl std::error::Error for Caused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Returns `length` bytes in which every mix-up shows.
#[must_use]
pub fn payload(length: usize) -> Bytes {
    (0..length)
        .map(|index| ((index * 31 + 7) % 251) as u8)
        .collect()
}

/// Returns the tenant that a request names; there is one whose requests break the program's callback.
fn tenant(request: &RequestInfo<'_>) -> Option<String> {
    let tenant = request.header("x-tenant");
    assert_ne!(tenant, Some("broken"), "no tenants today");
    tenant.map(str::to_owned)
}
