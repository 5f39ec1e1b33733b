//! [`HoneyHiveTracerBuilder`].

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanLimits};

use super::HoneyHiveTracer;
use crate::attributes::MAX_GATHERED;
use crate::delivery::{self, Plan, Redactor, Sink};
use crate::error::BuildError;
use crate::model::id::SessionId;
use crate::outbox::{Bounds, Outbox};
use crate::processor::HoneyHiveSpanProcessor;
use crate::redaction::{Redaction, Rules};
use crate::sampling::SessionSampling;
use crate::secret::ApiKey;
use crate::session::StartupSession;
use crate::settings::{DropPolicy, Explicit, OtlpProtocol, SessionTransport, Settings};
use crate::spool::Spool;

impl HoneyHiveTracer {
    /// Begins a tracer whose settings are given in code; what is not given comes from the environment.
    pub fn builder() -> HoneyHiveTracerBuilder {
        HoneyHiveTracerBuilder::default()
    }

    /// A tracer with all its settings from the environment; see [`HoneyHiveTracerBuilder`] for the
    /// variables.
    ///
    /// # Errors
    ///
    /// Where a setting is missing or unusable; the error says which and what to do.
    pub fn from_env() -> Result<Self, BuildError> {
        Self::builder().build()
    }
}

/// The settings of a tracer. What is not set comes from the environment, then from the default.
///
/// | Setter | Variable | Default |
/// |---|---|---|
/// | [`api_key`](Self::api_key) | `HH_API_KEY` | none: it, an ingestion key or test mode is needed |
/// | [`ingestion_api_key`](Self::ingestion_api_key) | `HH_INGESTION_API_KEY` | none |
/// | [`data_plane_api_key`](Self::data_plane_api_key) | `HH_DATA_PLANE_API_KEY` | none |
/// | [`server_url`](Self::server_url) | `HH_API_URL` | `https://api.dp1.us.honeyhive.ai` |
/// | [`project`](Self::project) | `HH_PROJECT` | none: the key selects it |
/// | [`source`](Self::source) | `HH_SOURCE` | `dev` |
/// | [`session_name`](Self::session_name) | `HH_SESSION_NAME` | the program's name |
/// | [`test_mode`](Self::test_mode) | `HH_TEST_MODE` | `false` |
/// | [`api_timeout`](Self::api_timeout) | `HH_API_TIMEOUT`, seconds | 5 s |
/// | [`otlp_protocol`](Self::otlp_protocol) | `HH_OTLP_PROTOCOL` | `http/protobuf` |
/// | [`sampling`](Self::sampling) | `HH_SESSION_SAMPLE_RATE`, 0 to 1 | 1: every session is sent |
/// | [`drop_policy`](Self::drop_policy) | `HH_DROP_POLICY` | `newest` |
/// | [`spool`](Self::spool) | `HH_SPOOL_DIR` | none: what is pending is in memory only |
///
/// `HONEYHIVE_API_KEY`, `HONEYHIVE_SERVER_URL` and `HH_SERVER_URL` are read too, each with one warning:
/// they are deprecated. A blank value counts as unset.
///
/// ```
/// use honeyhive::HoneyHiveTracer;
///
/// let tracer = HoneyHiveTracer::builder()
///     .test_mode(true) // nothing leaves the process
///     .source("ci")
///     .build()?;
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a tracer is made by `.build()`"]
pub struct HoneyHiveTracerBuilder {
    explicit: Explicit,
    resource: Option<Resource>,
    redaction: Redaction,
    /// Where deliveries go instead of HoneyHive.
    sink: Option<Sink>,
}

impl HoneyHiveTracerBuilder {
    /// The project's key (`HH_API_KEY`).
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.explicit.api_key = Some(ApiKey::new(key.into()));
        self
    }

    /// A key that may only write (`HH_INGESTION_API_KEY`, `hh_ingst_…`): used for sessions and spans
    /// where there is one.
    pub fn ingestion_api_key(mut self, key: impl Into<String>) -> Self {
        self.explicit.ingestion_api_key = Some(ApiKey::new(key.into()));
        self
    }

    /// A fine-grained key (`HH_DATA_PLANE_API_KEY`, `hh_fgdp_…`). Tracing does not use it; its shape is
    /// checked.
    pub fn data_plane_api_key(mut self, key: impl Into<String>) -> Self {
        self.explicit.data_plane_api_key = Some(ApiKey::new(key.into()));
        self
    }

    /// The project (`HH_PROJECT`). HoneyHive's keys select it by themselves nowadays; it is sent along
    /// for deployments where they do not.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.explicit.project = Some(project.into());
        self
    }

    /// Where the telemetry comes from (`HH_SOURCE`, default `dev`): `production`, `staging`, `lambda`, ….
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.explicit.source = Some(source.into());
        self
    }

    /// The name of the tracer's own session (`HH_SESSION_NAME`, default the program's name).
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        self.explicit.session_name = Some(name.into());
        self
    }

    /// The id of the tracer's own session, instead of a random one.
    pub fn session_id(mut self, id: impl Into<SessionId>) -> Self {
        self.explicit.session_id = Some(id.into());
        self
    }

    /// The deployment (`HH_API_URL`, default `https://api.dp1.us.honeyhive.ai`).
    pub fn server_url(mut self, url: impl Into<String>) -> Self {
        self.explicit.server_url = Some(url.into());
        self
    }

    /// With `true` nothing leaves the process and no key is needed; everything else behaves
    /// (`HH_TEST_MODE`, default `false`).
    pub fn test_mode(mut self, on: bool) -> Self {
        self.explicit.test_mode = Some(on);
        self
    }

    /// How long HoneyHive may take to answer a REST call (`HH_API_TIMEOUT` in seconds, default 5 s). No
    /// request of your service waits for it, unless you ask for that (`SessionStart::Confirmed`).
    pub fn api_timeout(mut self, timeout: Duration) -> Self {
        self.explicit.api_timeout = Some(timeout);
        self
    }

    /// How spans are encoded (`HH_OTLP_PROTOCOL`, default `http/protobuf`; JSON needs the feature `http-json`).
    pub fn otlp_protocol(mut self, protocol: OtlpProtocol) -> Self {
        self.explicit.otlp_protocol = Some(protocol);
        self
    }

    /// How sessions reach HoneyHive (default [`SessionTransport::Rest`]).
    pub fn session_transport(mut self, transport: SessionTransport) -> Self {
        self.explicit.session_transport = transport;
        self
    }

    /// How long a session's start is held back, so that a session which ends meanwhile is one call
    /// (default 500 ms).
    pub fn coalesce_window(mut self, window: Duration) -> Self {
        self.explicit.coalesce_window = Some(window);
        self
    }

    /// How many bytes may be pending (default 64 MiB). What does not fit is dropped and counted.
    pub fn max_pending_bytes(mut self, bytes: usize) -> Self {
        self.explicit.queue_bytes = Some(bytes);
        self
    }

    /// How many items may be pending (default 200,000). What does not fit is dropped and counted.
    pub fn max_pending_items(mut self, items: usize) -> Self {
        self.explicit.queue_items = Some(items);
        self
    }

    /// Which sessions are sent (`HH_SESSION_SAMPLE_RATE`, a share between 0 and 1; default 1, all of them).
    pub fn sampling(mut self, sampling: SessionSampling) -> Self {
        self.explicit.sampling = Some(sampling);
        self
    }

    /// What is masked in everything that leaves (default [`Redaction::new`]: what is named like a secret).
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.redaction = redaction;
        self
    }

    /// What is dropped where more is pending than may be (`HH_DROP_POLICY`, `newest` or `oldest`; default
    /// [`DropPolicy::Newest`]). Either way it is counted as [`DropReason::QueueFull`](crate::DropReason::QueueFull).
    pub fn drop_policy(mut self, policy: DropPolicy) -> Self {
        self.explicit.drop_policy = Some(policy);
        self
    }

    /// Certificates to trust besides those of the platform, as PEM: one, or several one after the other. For a
    /// HoneyHive behind an authority of your own.
    ///
    /// The platform's are those of the operating system, or of the file that `SSL_CERT_FILE` names.
    ///
    /// ```no_run
    /// use honeyhive::HoneyHiveTracer;
    ///
    /// let tracer = HoneyHiveTracer::builder()
    ///     .server_url("https://honeyhive.internal")
    ///     .ca_certificate(std::fs::read("/etc/ssl/internal-ca.pem")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.explicit.ca_certificate = Some(pem.into());
        self
    }

    /// Where what memory cannot hold goes, and what is pending at shutdown (`HH_SPOOL_DIR`, default none). Test
    /// mode does not use it.
    pub fn spool(mut self, spool: Spool) -> Self {
        self.explicit.spool = Some(spool);
        self
    }

    /// The OpenTelemetry resource of the tracer's spans, instead of the one that `OTEL_SERVICE_NAME`,
    /// `OTEL_RESOURCE_ATTRIBUTES`, the project and the program's name describe.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resource = Some(resource);
        self
    }

    #[cfg(feature = "testing")]
    pub(crate) fn capture(mut self, capture: delivery::capture::Capture) -> Self {
        self.sink = Some(Sink::Memory(capture));
        self
    }

    /// The tracer.
    ///
    /// # Errors
    ///
    /// Where a setting is missing or unusable (a pattern of the redaction, too), the TLS roots cannot be read, or the delivery thread
    /// cannot be started. No error repeats a key.
    pub fn build(self) -> Result<HoneyHiveTracer, BuildError> {
        let settings = Settings::resolve(self.explicit)?;
        let rules = Rules::new(&self.redaction)?;
        let resource = self.resource.unwrap_or_else(|| default_resource(&settings));
        let sink = match self.sink {
            Some(sink) => sink,
            None => default_sink(&settings, &resource)?,
        };
        let bounds = Bounds::new(
            settings.queue_items,
            settings.queue_bytes,
            settings.drop_policy,
            settings.spool.is_some(),
        );
        let outbox = Arc::new(Outbox::new(bounds));
        let redactor = Arc::new(Redactor::new(rules, Arc::clone(&outbox)));
        let startup = Arc::new(StartupSession::new(
            Arc::clone(&outbox),
            settings.session_name.clone(),
            settings.session_id,
        ));
        delivery::start(
            Plan::new(&settings, redactor, sink),
            Arc::clone(&outbox),
            Arc::clone(&startup),
        )?;
        let transport = settings.session_transport;
        let processor = HoneyHiveSpanProcessor::new(Arc::clone(&outbox), transport);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor.clone())
            .with_span_limits(span_limits())
            // Head sampling loses whole conversations, and what another exporter samples is its own affair.
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource)
            .build();
        Ok(HoneyHiveTracer::from_parts(provider, processor, startup))
    }
}

fn default_sink(settings: &Settings, resource: &Resource) -> Result<Sink, BuildError> {
    if settings.test_mode {
        return Ok(Sink::Nowhere);
    }
    delivery::honeyhive(settings, resource)
}

/// The SDK's default of 128 is soon reached by a chat history. What is too much is left out when the span ends.
fn span_limits() -> SpanLimits {
    SpanLimits {
        max_attributes_per_span: MAX_GATHERED as u32,
        max_events_per_span: 1024,
        ..SpanLimits::default()
    }
}

fn default_resource(settings: &Settings) -> Resource {
    let name = std::env::var("OTEL_SERVICE_NAME")
        .ok()
        .filter(|name| !name.is_empty())
        .or_else(|| settings.project.clone())
        .unwrap_or_else(|| settings.session_name.clone());
    Resource::builder().with_service_name(name).build()
}
