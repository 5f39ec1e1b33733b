//! The instrumentation of a server gives one HTTP request its meaning to HoneyHive, whatever the framework (feature
//! `http-server`).
//!
//! An adapter borrows the request as a [`RequestInfo`], asks
//! [`ServerInstrumentation::on_request`] for a [`RequestGuard`], runs the handler with the guard's
//! context attached, and tells the guard how it went. All decisions (which session, which name, what a
//! status means) are made here, so every framework behaves alike.
//!
//! # When is what recorded?
//!
//! | moment | adapter calls | recorded |
//! |---|---|---|
//! | the request comes in | [`ServerInstrumentation::on_request`] | the session begins, or is linked |
//! | the framework has routed it elsewhere than it was opened with | [`ServerInstrumentation::on_routed`] | the session's name, where its start has not been sent yet |
//! | the response head is ready | [`RequestGuard::on_response`] | the status; the header is set; an answer without a body ends here |
//! | a piece of the body passes | [`ResponseGuard::on_data`] | time to first byte, bytes |
//! | trailers pass | [`ResponseGuard::on_trailers`] | the gRPC status |
//! | the body ends | [`ResponseGuard::finish`] | the session ends as `complete` |
//! | the framework has made the response of the handler's error | [`RequestGuard::on_handler_error`], before the head | that is the session's error, where the status is 500 or more |
//! | the handler fails | [`RequestGuard::on_error`] | the session ends as `error`, with the framework's status for it or 500; a client's mistake (4xx) is an answer like any other |
//! | the handler panics | it runs in [`RequestGuard::run`] | the session ends as `panicked`, with status 500 |
//! | the body fails or panics | [`ResponseGuard::on_error`], [`ResponseGuard::run`] | the session ends as `error` or `panicked`, with the status that was sent |
//! | the end is [held back](ServerInstrumentationBuilder::hold_end) | [`ResponseGuard::is_held`], [`Held`] | nothing more: delivery is waited for |
//! | a guard is dropped before that | | the session ends as `client_disconnected`, with status 499 where no head was sent |
//! | [`serve`](crate::HoneyHiveTracer::serve) no longer waits for the request | | the session ends as `cancelled`, without a status; one that was begun elsewhere or goes over OTLP has no end |

mod builder;
#[cfg(all(test, feature = "evaluate", feature = "testing"))]
mod experiment_tests;
mod guard;
mod held;
mod held_end;
mod missing;
mod names;
mod open;
mod request;
mod response;
#[cfg(all(test, feature = "spool", feature = "testing"))]
mod serve_tests;
#[cfg(feature = "model-calls")]
mod streamed;
mod traced;

use std::fmt;
use std::sync::Arc;

pub use builder::ServerInstrumentationBuilder;
pub use guard::RequestGuard;
pub use held::Held;
pub use missing::{current_session, current_session_or_disabled};
pub use request::{Headers, RequestHeaders, RequestInfo};
pub use response::ResponseGuard;

use crate::incoming::Flushing;
use crate::model::object::Object;
pub use crate::session::SessionTrust;
use crate::tracer::HoneyHiveTracer;

/// The header carries the session's id in a response, and links a request to a session.
pub const SESSION_ID_HEADER: &str = crate::propagation::SESSION_ID_HEADER;

/// The start of a session decides whether a request waits until HoneyHive has confirmed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SessionStart {
    /// A request does not wait (the default): nothing about HoneyHive is ever waited for.
    #[default]
    Background,
    /// The handler's future is not polled until HoneyHive has answered once, `HH_API_TIMEOUT` at the most, so that no
    /// client gets an id that HoneyHive does not know. A failure changes nothing about the response.
    Confirmed,
}

type Callback<T> = Box<dyn Fn(&RequestInfo<'_>) -> T + Send + Sync>;

/// The instrumentation of a server makes a session of each request. Clones are cheap.
///
/// ```
/// use honeyhive::HoneyHiveTracer;
/// use honeyhive::http::{ServerInstrumentation, SessionTrust};
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let instrumentation = ServerInstrumentation::builder(tracer)
///     .skip(|request| request.path() == "/internal")
///     .session_name(|request| format!("chat {}", request.path()))
///     .session_trust(SessionTrust::Uuid)
///     .build()?;
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Clone)]
pub struct ServerInstrumentation {
    inner: Arc<Inner>,
    #[cfg(feature = "model-calls")]
    captures_stream: bool,
}

struct Inner {
    tracer: HoneyHiveTracer,
    filter: Option<Callback<bool>>,
    /// The skips leave other requests out.
    skips: Vec<Callback<bool>>,
    skip_unmatched: bool,
    session_name: Option<Callback<String>>,
    /// The callback gives the inputs; `None` where they are no object.
    inputs: Option<Callback<Option<Object>>>,
    user: Option<Callback<Option<String>>>,
    session_id: Option<Callback<Option<String>>>,
    session_id_header: Box<str>,
    trust: Arc<SessionTrust>,
    #[cfg(feature = "signed-ids")]
    tenant: Option<Callback<Option<String>>>,
    start: SessionStart,
    request_span: bool,
    /// The end of a response waits for this flush, if it is configured.
    flushing: Option<Arc<Flushing>>,
    #[cfg(feature = "model-calls")]
    captures_stream: bool,
}

impl ServerInstrumentation {
    /// Returns the name of the header that carries the session's id both ways, in lower case.
    #[must_use]
    pub fn session_id_header(&self) -> &str {
        &self.inner.session_id_header
    }

    /// Returns the names that an adapter may prepare for [`Headers::pick`].
    #[must_use]
    pub fn request_headers(&self) -> RequestHeaders<'_> {
        RequestHeaders::new(&self.inner.session_id_header)
    }

    /// Makes the text that a response streams to its user the outputs of the session (feature `model-calls`; default
    /// `false`): server-sent events or lines of JSON in the format of OpenAI, Anthropic, Gemini or Ollama, the streams
    /// of Vercel's AI SDK, and `{"text": "…"}` with the next piece, read while they pass unchanged.
    ///
    /// Tokens are left to the recorded calls of models behind the response, which have them. A body that an inner layer
    /// has compressed is not read, and no text is recorded where the [tracer captures
    /// none](HoneyHiveTracer::captures_content).
    #[cfg(feature = "model-calls")]
    #[must_use]
    pub const fn capture_stream(mut self, captures: bool) -> Self {
        self.captures_stream = captures;
        self
    }

    /// Returns the tracer.
    #[must_use]
    pub fn tracer(&self) -> &HoneyHiveTracer {
        &self.inner.tracer
    }
}

impl fmt::Debug for ServerInstrumentation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ServerInstrumentation")
            .field(&self.inner)
            .finish()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The callbacks have nothing to show.
        formatter
            .debug_struct("Inner")
            .field("session_id_header", &self.session_id_header)
            .field("session_trust", &self.trust)
            .field("session_start", &self.start)
            .field("request_span", &self.request_span)
            .finish_non_exhaustive()
    }
}
