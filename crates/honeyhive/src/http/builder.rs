//! [`ServerInstrumentationBuilder`].

use std::fmt;
use std::sync::Arc;

use http::header::{self, HeaderName};
use serde::Serialize;

use super::{Inner, RequestInfo, ServerInstrumentation, SessionStart, SessionTrust};
use crate::enrichment::object_of;
use crate::error::BuildError;
use crate::model::object::Bucket;
use crate::settings::SessionTransport;
use crate::tracer::HoneyHiveTracer;

impl ServerInstrumentation {
    /// The defaults: see the setters of [`ServerInstrumentationBuilder`].
    #[must_use]
    pub fn new(tracer: HoneyHiveTracer) -> Self {
        ServerInstrumentationBuilder::new(tracer).checked()
    }

    /// Begins an instrumentation with settings of its own.
    pub fn builder(tracer: HoneyHiveTracer) -> ServerInstrumentationBuilder {
        ServerInstrumentationBuilder::new(tracer)
    }
}

impl From<HoneyHiveTracer> for ServerInstrumentation {
    fn from(tracer: HoneyHiveTracer) -> Self {
        Self::new(tracer)
    }
}

/// The settings of a [`ServerInstrumentation`].
///
/// A callback that panics is caught and counted
/// ([`DeliveryStats::callback_panics`](crate::DeliveryStats::callback_panics)), and the default takes
/// its place.
#[must_use = "an instrumentation is made by `.build()`"]
pub struct ServerInstrumentationBuilder(Inner);

impl ServerInstrumentationBuilder {
    pub(super) fn new(tracer: HoneyHiveTracer) -> Self {
        // Without REST starts the request's span is what carries its inputs and outputs.
        let request_span = tracer.session_transport() == SessionTransport::Otlp;
        let trust = Arc::clone(tracer.trusts().of_tracer());
        Self(Inner {
            tracer,
            filter: None,
            session_name: None,
            inputs: None,
            session_id_header: super::SESSION_ID_HEADER.into(),
            trust,
            start: SessionStart::default(),
            request_span,
        })
    }

    /// Which requests become sessions: `true` = traced. Spans inside an untraced request are not sent.
    ///
    /// By default `OPTIONS` and health checks (`/health`, `/healthz`, `/livez`, `/readyz`, `/metrics`, …)
    /// are left out; `.filter(|_| true)` traces everything.
    pub fn filter<F>(mut self, filter: F) -> Self
    where
        F: Fn(&RequestInfo<'_>) -> bool + Send + Sync + 'static,
    {
        self.0.filter = Some(Box::new(filter));
        self
    }

    /// The session's name, instead of the method and the route template (`POST /chat/{id}`).
    pub fn session_name<F, N>(mut self, name: F) -> Self
    where
        F: Fn(&RequestInfo<'_>) -> N + Send + Sync + 'static,
        N: Into<String>,
    {
        self.0.session_name = Some(Box::new(move |request| name(request).into()));
        self
    }

    /// Inputs besides `method`, `path` and `user_id` (from `X-User-ID`): anything that serialises to an
    /// object. They win over those. Another value is kept as `{"result": …}`; what cannot be written as JSON is left out
    /// and counted in [`DeliveryStats::refused`](crate::DeliveryStats::refused).
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

    /// The header that carries the session's id both ways (default `X-Session-ID`). The name is checked by
    /// [`build`](Self::build).
    pub fn session_id_header(mut self, name: &str) -> Self {
        self.0.session_id_header = name.to_ascii_lowercase().into();
        self
    }

    /// How far an id that came from outside is trusted (default: as the tracer has it, which is [`SessionTrust::Map`]).
    pub fn session_trust(mut self, trust: SessionTrust) -> Self {
        self.0.trust = Arc::new(trust);
        self
    }

    /// Whether a response waits for HoneyHive's answer (default [`SessionStart::Background`]).
    pub fn session_start(mut self, start: SessionStart) -> Self {
        self.0.start = start;
        self
    }

    /// Whether every request gets a span of its own, of the type chain, around all others (default
    /// `false`). With [`SessionTransport::Otlp`] it always does: it carries the inputs and outputs.
    pub fn request_span(mut self, on: bool) -> Self {
        let by_otlp = self.0.tracer.session_transport() == SessionTransport::Otlp;
        self.0.request_span = on || by_otlp;
        self
    }

    /// The instrumentation.
    ///
    /// # Errors
    ///
    /// [`BuildError::InvalidValue`] where the name given to [`session_id_header`](Self::session_id_header) is none
    /// that a header can have, or one that HTTP itself uses, such as `Content-Length`.
    pub fn build(self) -> Result<ServerInstrumentation, BuildError> {
        if is_free_header(&self.0.session_id_header) {
            Ok(self.checked())
        } else {
            Err(BuildError::InvalidValue {
                setting: "`.session_id_header(..)`".into(),
                expected: "the name of a header of your own, such as `X-Session-ID`: letters, digits and `-`",
            })
        }
    }

    fn checked(self) -> ServerInstrumentation {
        self.0.tracer.trusts().add(&self.0.trust);
        ServerInstrumentation {
            inner: Arc::new(self.0),
        }
    }
}

/// True for what can be a header's name and means nothing in HTTP: a session's id there would break responses.
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

impl fmt::Debug for ServerInstrumentationBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ServerInstrumentationBuilder")
            .field(&self.0)
            .finish()
    }
}
