//! [`ServerInstrumentationBuilder`] takes the settings of a server's instrumentation.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderName};
use serde::Serialize;

use super::{Inner, RequestInfo, ServerInstrumentation, SessionStart, SessionTrust};
use crate::enrichment::object_of;
use crate::error::BuildError;
use crate::incoming::Flushing;
use crate::log;
use crate::model::object::Bucket;
use crate::settings::SessionTransport;
use crate::tracer::HoneyHiveTracer;

impl ServerInstrumentation {
    /// Returns an instrumentation with the defaults: see the setters of [`ServerInstrumentationBuilder`].
    #[must_use]
    pub fn new(tracer: HoneyHiveTracer) -> Self {
        ServerInstrumentationBuilder::<Self>::new(tracer).checked()
    }

    /// Returns a builder of an instrumentation with settings of its own. The adapters have builders of the same kind:
    /// `HoneyHiveLayer::builder(tracer)`, `HoneyHive::builder(tracer)`.
    pub fn builder(tracer: HoneyHiveTracer) -> ServerInstrumentationBuilder {
        ServerInstrumentationBuilder::new(tracer)
    }
}

impl From<HoneyHiveTracer> for ServerInstrumentation {
    fn from(tracer: HoneyHiveTracer) -> Self {
        Self::new(tracer)
    }
}

/// The builder takes the settings of a [`ServerInstrumentation`].
///
/// A callback that panics is caught and counted
/// ([`DeliveryStats::callback_panics`](crate::DeliveryStats::callback_panics)), and the default takes its place. `T` is
/// the result of the builder: the instrumentation, or an adapter's layer of it.
#[must_use = "an instrumentation is made by `.build()`"]
pub struct ServerInstrumentationBuilder<T = ServerInstrumentation>(Inner, PhantomData<fn() -> T>);

impl<T> ServerInstrumentationBuilder<T> {
    /// Returns a builder with the defaults, for an adapter: see [`ServerInstrumentation::builder`].
    pub fn new(tracer: HoneyHiveTracer) -> Self {
        // The request's span carries the inputs and outputs of a session without REST starts.
        let request_span = tracer.session_transport() == SessionTransport::Otlp;
        let trust = Arc::clone(tracer.trusts().of_tracer());
        let inner = Inner {
            tracer,
            filter: None,
            skips: Vec::new(),
            skip_unmatched: false,
            session_name: None,
            inputs: None,
            user: None,
            session_id: None,
            session_id_header: super::SESSION_ID_HEADER.into(),
            trust,
            #[cfg(feature = "signed-ids")]
            tenant: None,
            start: SessionStart::default(),
            request_span,
            flushing: None,
            #[cfg(feature = "model-calls")]
            captures_stream: false,
        };
        Self(inner, PhantomData)
    }

    /// Sets the filter of requests that become sessions: `true` = traced. Spans inside an untraced request are not
    /// sent.
    ///
    /// By default `OPTIONS` and health checks (`/health`, `/healthz`, `/livez`, `/readyz`, `/metrics`, …) are left out.
    /// A filter **replaces** that: `.filter(|_| true)` traces everything, health checks included. To leave out more,
    /// [`skip`](Self::skip) it.
    pub fn filter<F>(mut self, filter: F) -> Self
    where
        F: Fn(&RequestInfo<'_>) -> bool + Send + Sync + 'static,
    {
        self.0.filter = Some(Box::new(filter));
        self
    }

    /// Leaves requests out, besides those that are left out already: by default, by a [`filter`](Self::filter), by
    /// another `skip`.
    ///
    /// ```
    /// use honeyhive::http::ServerInstrumentation;
    ///
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let instrumentation = ServerInstrumentation::builder(tracer)
    ///     .skip(|request| request.path().starts_with("/internal/"))
    ///     .skip_unmatched(true)
    ///     .build()?;
    /// # drop(instrumentation);
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    pub fn skip<F>(mut self, skip: F) -> Self
    where
        F: Fn(&RequestInfo<'_>) -> bool + Send + Sync + 'static,
    {
        self.0.skips.push(Box::new(skip));
        self
    }

    /// Sets whether requests without a matching route are left out, such as scanners' (default `false`). The framework
    /// must have routes, and the layer must be inside the router: see [`RequestInfo::is_unmatched`].
    pub fn skip_unmatched(mut self, on: bool) -> Self {
        self.0.skip_unmatched = on;
        self
    }

    /// Sets the user of a request, instead of the header `X-User-ID`: `inputs.user_id` and `user_properties.user_id` of
    /// the session. Authentication that is further in sets it with [`Session::user`](crate::Session::user).
    ///
    /// ```
    /// use honeyhive::http::ServerInstrumentation;
    ///
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let instrumentation = ServerInstrumentation::builder(tracer)
    ///     .user(|request| request.header("x-forwarded-user").map(str::to_owned))
    ///     .build()?;
    /// # drop(instrumentation);
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    pub fn user<F, N>(mut self, user: F) -> Self
    where
        F: Fn(&RequestInfo<'_>) -> N + Send + Sync + 'static,
        N: Into<Option<String>>,
    {
        self.0.user = Some(Box::new(move |request| user(request).into()));
        self
    }

    /// Sets the session's name, instead of the method and the route template (`POST /chat/{id}`). A blank one counts as none.
    pub fn session_name<F, N>(mut self, name: F) -> Self
    where
        F: Fn(&RequestInfo<'_>) -> N + Send + Sync + 'static,
        N: Into<String>,
    {
        self.0.session_name = Some(Box::new(move |request| name(request).into()));
        self
    }

    /// Adds inputs besides `method`, `path` and `user_id` (from `X-User-ID`), over which they win: anything that
    /// serialises to an object. Another value is kept as `{"result": …}`; a value that cannot be written as JSON is
    /// left out and counted in [`DeliveryStats::refused`](crate::DeliveryStats::refused).
    pub fn inputs<F, M>(mut self, inputs: F) -> Self
    where
        F: Fn(&RequestInfo<'_>) -> M + Send + Sync + 'static,
        M: Serialize,
    {
        self.0.inputs = Some(Box::new(move |request| {
            object_of(Bucket::Inputs, &inputs(request))
        }));
        self
    }

    /// Sets where a request without the header names its session: in a cookie, the path, another header. The callback is
    /// asked before the baggage, also where the header's id is not taken, and its id is trusted as one in the header is
    /// ([`session_trust`](Self::session_trust)).
    ///
    /// ```
    /// use honeyhive::http::ServerInstrumentation;
    ///
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let instrumentation = ServerInstrumentation::builder(tracer)
    ///     .session_id(|request| {
    ///         let rest = request.path().strip_prefix("/conversations/")?;
    ///         rest.strip_suffix("/messages").map(str::to_owned)
    ///     })
    ///     .build()?;
    /// # drop(instrumentation);
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    ///
    /// An id in a body is known later: a handler goes there by [`Session::link_to`](crate::Session::link_to).
    pub fn session_id<F, N>(mut self, id: F) -> Self
    where
        F: Fn(&RequestInfo<'_>) -> N + Send + Sync + 'static,
        N: Into<Option<String>>,
    {
        self.0.session_id = Some(Box::new(move |request| id(request).into()));
        self
    }

    /// Sets the header that carries the session's id both ways (default `X-Session-ID`). The name is checked by
    /// [`build`](Self::build).
    pub fn session_id_header(mut self, name: &str) -> Self {
        self.0.session_id_header = name.to_ascii_lowercase().into();
        self
    }

    /// Sets the trust in an id that comes from outside (default: the tracer's, which is [`SessionTrust::Map`] unless
    /// set).
    pub fn session_trust(mut self, trust: SessionTrust) -> Self {
        self.0.trust = Arc::new(trust);
        self
    }

    /// Sets the tenant of a request, under [`SessionTrust::signed`] (feature `signed-ids`): ids are signed for it, and
    /// taken from the same tenant only. By default, and where the callback gives `None`, all requests share one tenant.
    /// A callback that panics leaves the tenant unknown: no id is taken. The tenant must be proven: a header that the
    /// client writes itself keeps no tenants apart, one that a gateway sets after authentication does.
    ///
    /// ```
    /// use honeyhive::SigningKeys;
    /// use honeyhive::http::{ServerInstrumentation, SessionTrust};
    ///
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// # let secret = [7; 32];
    /// let instrumentation = ServerInstrumentation::builder(tracer)
    ///     .session_trust(SessionTrust::signed(SigningKeys::new(secret)?))
    ///     .session_tenant(|request| request.header("x-tenant").map(str::to_owned))
    ///     .build()?;
    /// # drop(instrumentation);
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    #[cfg(feature = "signed-ids")]
    pub fn session_tenant<F, N>(mut self, tenant: F) -> Self
    where
        F: Fn(&RequestInfo<'_>) -> N + Send + Sync + 'static,
        N: Into<Option<String>>,
    {
        self.0.tenant = Some(Box::new(move |request| tenant(request).into()));
        self
    }

    /// Sets whether a response waits for HoneyHive's answer (default [`SessionStart::Background`]).
    pub fn session_start(mut self, start: SessionStart) -> Self {
        self.0.start = start;
        self
    }

    /// Sets whether every request gets a span of its own, of the type chain, around all others (default `false`). With
    /// [`SessionTransport::Otlp`] it always does: it carries the inputs and outputs. So does a request whose session
    /// comes in a caller's `baggage`: the session's own status and end are the caller's.
    pub fn request_span(mut self, on: bool) -> Self {
        let by_otlp = self.0.tracer.session_transport() == SessionTransport::Otlp;
        self.0.request_span = on || by_otlp;
        self
    }

    /// Holds back the end of each response until everything recorded has been delivered, at most for this time
    /// (default: not at all). Hosts that take the processor away once a response has been sent need this: queued items
    /// wait for the next request there, or for ever.
    ///
    /// The held part is the last piece of a body of known length, the end of a stream (its pieces flow as they come),
    /// or the head of an answer without a body. Nothing waits for a client that has left. While HoneyHive gives no
    /// answer, nine ends of ten wait for 200 ms only.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use honeyhive::http::ServerInstrumentation;
    ///
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let instrumentation = ServerInstrumentation::builder(tracer)
    ///     .hold_end(Duration::from_secs(2))
    ///     .build()?;
    /// # drop(instrumentation);
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    pub fn hold_end(mut self, timeout: Duration) -> Self {
        let flushing = Flushing::after("at the end of a response", timeout);
        self.0.flushing = Some(Arc::new(flushing));
        self
    }

    /// Makes the text that a response streams to its user the outputs of the session; see
    /// [`ServerInstrumentation::capture_stream`] (feature `model-calls`).
    #[cfg(feature = "model-calls")]
    pub fn capture_stream(mut self, captures: bool) -> Self {
        self.0.captures_stream = captures;
        self
    }

    /// Returns the instrumentation, or the adapter's layer.
    ///
    /// # Errors
    ///
    /// [`BuildError::InvalidValue`] where [`session_id_header`](Self::session_id_header) got a name that no header can
    /// have, or one that HTTP itself uses, such as `Content-Length`.
    pub fn build(self) -> Result<T, BuildError>
    where
        T: From<ServerInstrumentation>,
    {
        if is_free_header(&self.0.session_id_header) {
            Ok(self.checked().into())
        } else {
            Err(BuildError::InvalidValue {
                setting: "`.session_id_header(..)`".into(),
                expected: "the name of a header of your own, such as `X-Session-ID`: letters, digits and `-`",
            })
        }
    }

    fn checked(self) -> ServerInstrumentation {
        // The program has its subscriber by now, most often.
        log::replay();
        self.0.tracer.trusts().add(&self.0.trust);
        ServerInstrumentation {
            #[cfg(feature = "model-calls")]
            captures_stream: self.0.captures_stream,
            inner: Arc::new(self.0),
        }
    }
}

/// Returns whether a header's name is valid and has no meaning in HTTP: a session's id in any other would break
/// responses.
fn is_free_header(name: &str) -> bool {
    const TAKEN: [HeaderName; 12] = [
        header::AUTHORIZATION,
        header::CONNECTION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::COOKIE,
        header::HOST,
        header::LOCATION,
        header::SET_COOKIE,
        header::TE,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| !TAKEN.contains(&name))
}

impl<T> fmt::Debug for ServerInstrumentationBuilder<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ServerInstrumentationBuilder")
            .field(&self.0)
            .finish()
    }
}
