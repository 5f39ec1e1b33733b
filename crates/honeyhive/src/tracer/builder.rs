//! [`HoneyHiveTracerBuilder`] takes the settings of a tracer.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_http::HttpClient;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanLimits};
use tracing::Level;

use super::{HoneyHiveTracer, resource};
use crate::attributes::MAX_GATHERED;
use crate::budget::SessionBudget;
use crate::delivery::{self, Plan, Redactor, Sink};
use crate::error::BuildError;
use crate::log;
use crate::model::causes::with_causes;
use crate::model::id::SessionId;
use crate::outbox::{Bounds, Outbox};
use crate::processor::HoneyHiveSpanProcessor;
use crate::redaction::{Redaction, Rules};
use crate::sampling::SessionSampling;
use crate::secret::{ApiKey, KeyKind};
use crate::session::{SessionTrust, StartupSession};
use crate::settings::{
    DropPolicy, Explicit, GivenClient, OtlpCompression, OtlpProtocol, SessionTransport, Settings,
};
use crate::span_filter::{Filtering, SpanFilter};

impl HoneyHiveTracer {
    /// Returns a builder. Settings that the program does not set come from the environment.
    pub fn builder() -> HoneyHiveTracerBuilder {
        HoneyHiveTracerBuilder::default()
    }

    /// Builds a tracer with all its settings from the environment; see [`HoneyHiveTracerBuilder`] for the variables.
    ///
    /// # Errors
    ///
    /// A setting is missing or unusable; the error names it and says what to do.
    #[doc(alias = "init")]
    pub fn from_env() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// Builds a tracer from the environment, for a server that must come up without HoneyHive, too: where a setting is
    /// missing or unusable, the log says so once, as an error, and the tracer records nothing.
    ///
    /// [`build_or_disabled`](HoneyHiveTracerBuilder::build_or_disabled) does the same with settings in code.
    ///
    /// ```
    /// let tracer = honeyhive::HoneyHiveTracer::from_env_or_disabled();
    /// ```
    #[must_use]
    pub fn from_env_or_disabled() -> Self {
        Self::builder().build_or_disabled()
    }
}

/// The builder takes the settings of a tracer. A setting that is not set comes from the environment, else from its
/// default.
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
/// | [`otlp_compression`](Self::otlp_compression) | `HH_OTLP_COMPRESSION` | `auto`: gzip, as long as the server takes it |
/// | [`sampling`](Self::sampling) | `HH_SESSION_SAMPLE_RATE`, 0 to 1 | 1: every session is sent |
/// | [`drop_policy`](Self::drop_policy) | `HH_DROP_POLICY` | `newest` |
/// | `spool`, with the feature `spool` | `HH_SPOOL_DIR` | none: what is pending is in memory only |
/// | [`stderr`](Self::stderr) | `HH_STDERR` | `true`: a program without a `tracing` subscriber hears of losses on stderr |
/// | [`capture_content`](Self::capture_content) | `HH_CAPTURE_CONTENT` | `true`: what models are asked and say is sent |
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
    redaction: Option<Redaction>,
    trust: Option<SessionTrust>,
    filter: Option<SpanFilter>,
    budget: Option<SessionBudget>,
    /// The ids that name nothing are counted.
    ignored_ids: u32,
    /// Deliveries go to this sink instead of HoneyHive.
    sink: Option<Sink>,
}

impl HoneyHiveTracerBuilder {
    /// Sets the project's key (`HH_API_KEY`).
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.explicit.keys.api_key = Some(ApiKey::new(key.into()));
        self
    }

    /// Sets a key that may only write (`HH_INGESTION_API_KEY`, `hh_ingst_…`): used for sessions and spans where there
    /// is one.
    pub fn ingestion_api_key(mut self, key: impl Into<String>) -> Self {
        self.explicit.keys.ingestion_api_key = Some(ApiKey::new(key.into()));
        self
    }

    /// Sets a fine-grained key (`HH_DATA_PLANE_API_KEY`, `hh_fgdp_…`). The typed client (`HoneyHiveTracer::client`)
    /// uses it on routes that name their project. Tracing does not use it, but its shape is checked in any case.
    pub fn data_plane_api_key(mut self, key: impl Into<String>) -> Self {
        self.explicit.keys.data_plane_api_key = Some(ApiKey::new(key.into()));
        self
    }

    /// Sets the project (`HH_PROJECT`). HoneyHive's keys select their project by themselves; the name is sent along for
    /// deployments where they do not.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.explicit.project = Some(project.into());
        self
    }

    /// Sets the origin of the telemetry (`HH_SOURCE`, default `dev`): `production`, `staging`, `lambda`, ….
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.explicit.source = Some(source.into());
        self
    }

    /// Sets the name of the tracer's own session (`HH_SESSION_NAME`, default the program's name).
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        self.explicit.session_name = Some(name.into());
        self
    }

    /// Sets the id of the tracer's own session, instead of a random one. A [placeholder](SessionId#what-is-no-id) such
    /// as `null` is ignored.
    pub fn session_id(mut self, id: impl Into<SessionId>) -> Self {
        let id = id.into();
        if id.is_none() {
            self.ignored_ids += 1;
        } else {
            self.explicit.session_id = Some(id);
        }
        self
    }

    /// Sets the filter of the spans that go to HoneyHive (default: all of them); see [`SpanFilter`].
    #[doc(alias = "span_name_filters")]
    pub fn span_filter(mut self, filter: SpanFilter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Counts the usage of each session, and reports a limit that is passed (default: nothing is counted); see
    /// [`SessionBudget`].
    pub fn session_budget(mut self, budget: SessionBudget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Sets the trust in session ids that come from outside (default [`SessionTrust::Map`]): from a request, from a
    /// message's headers ([`extract`](HoneyHiveTracer::extract)) or from baggage that another library has read. A
    /// server's instrumentation can have a trust of its own.
    pub fn session_trust(mut self, trust: SessionTrust) -> Self {
        self.trust = Some(trust);
        self
    }

    /// Sets the deployment (`HH_API_URL`, default `https://api.dp1.us.honeyhive.ai`).
    pub fn server_url(mut self, url: impl Into<String>) -> Self {
        self.explicit.server_url = Some(url.into());
        self
    }

    /// Turns test mode on or off (`HH_TEST_MODE`, default `false`): nothing leaves the process and no key is needed;
    /// everything else works as usual.
    pub fn test_mode(mut self, on: bool) -> Self {
        self.explicit.test_mode = Some(on);
        self
    }

    /// Sets the longest time that a REST call to HoneyHive may take (`HH_API_TIMEOUT` in seconds, default 5 s). No
    /// request of your service waits for it, unless you ask for that (`SessionStart::Confirmed`).
    pub fn api_timeout(mut self, timeout: Duration) -> Self {
        self.explicit.api_timeout = Some(timeout);
        self
    }

    /// Sets the encoding of spans (`HH_OTLP_PROTOCOL`, default `http/protobuf`; JSON needs the feature `http-json`).
    pub fn otlp_protocol(mut self, protocol: OtlpProtocol) -> Self {
        self.explicit.otlp_protocol = Some(protocol);
        self
    }

    /// Sets the compression of spans (`HH_OTLP_COMPRESSION`: `gzip`, `none` or `auto`; default
    /// [`OtlpCompression::Auto`]).
    pub fn otlp_compression(mut self, compression: OtlpCompression) -> Self {
        self.explicit.otlp_compression = Some(compression);
        self
    }

    /// Sets the way in which sessions reach HoneyHive (default [`SessionTransport::Rest`]).
    #[doc(alias = "skip_backend_session_creation")]
    pub fn session_transport(mut self, transport: SessionTransport) -> Self {
        self.explicit.session_transport = Some(transport);
        self
    }

    /// Sets the time for which a session's start is held back, so that a session which ends meanwhile is one call
    /// (default 500 ms).
    pub fn coalesce_window(mut self, window: Duration) -> Self {
        self.explicit.coalesce_window = Some(window);
        self
    }

    /// Sets the most bytes that may be pending (default 64 MiB). Items past it are dropped and counted.
    pub fn max_pending_bytes(mut self, bytes: usize) -> Self {
        self.explicit.queue_bytes = Some(bytes);
        self
    }

    /// Sets the most items that may be pending (default 200,000). Items past it are dropped and counted.
    pub fn max_pending_items(mut self, items: usize) -> Self {
        self.explicit.queue_items = Some(items);
        self
    }

    /// Sets the sampling of sessions (`HH_SESSION_SAMPLE_RATE`, a share between 0 and 1; default 1, all of them).
    pub fn sampling(mut self, sampling: SessionSampling) -> Self {
        self.explicit.sampling = Some(sampling);
        self
    }

    /// Sets the rules that mask values in everything that leaves the process (default [`Redaction::new`]: values whose
    /// names say that they are secret).
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.redaction = Some(redaction);
        self
    }

    /// Sets the items to drop when the queue is full: the newest or the oldest (`HH_DROP_POLICY`, `newest` or `oldest`;
    /// default [`DropPolicy::Newest`]). Both count as [`DropReason::QueueFull`](crate::DropReason::QueueFull).
    pub fn drop_policy(mut self, policy: DropPolicy) -> Self {
        self.explicit.drop_policy = Some(policy);
        self
    }

    /// Sets the HTTP client that carries the calls to HoneyHive, instead of this crate's own (the features `reqwest`
    /// and `rustls` or `native-tls`): any [`HttpClient`]. OpenTelemetry has some, and one of your own takes a few
    /// lines. Certificates, proxies and redirects are then that client's concern.
    ///
    /// Each call runs on a thread of its own, in the context of the delivery thread's runtime, so the client may block,
    /// or belong to another runtime. The client needs no timeout: a call that takes longer than
    /// [`api_timeout`](Self::api_timeout) (10 s at least, for spans) is given up, and its future is dropped. Give a
    /// client that nothing else uses: the connections that it opens end with the delivery thread.
    ///
    /// ```no_run
    /// use honeyhive::HoneyHiveTracer;
    /// use honeyhive::opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
    ///
    /// /// Prints what would go out.
    /// #[derive(Debug)]
    /// struct Printer;
    ///
    /// #[async_trait::async_trait]
    /// impl HttpClient for Printer {
    ///     async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    ///         println!("{} {}", request.method(), request.uri());
    ///         Ok(Response::new(Bytes::new()))
    ///     }
    /// }
    ///
    /// let tracer = HoneyHiveTracer::builder()
    ///     .api_key("hh_…") // a key of your own
    ///     .http_client(Printer)
    ///     .build()?;
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    #[doc(alias = "requests_session")]
    pub fn http_client(mut self, client: impl HttpClient + 'static) -> Self {
        self.explicit.http_client = Some(GivenClient(Arc::new(client)));
        self
    }

    /// Adds certificates to trust besides those of the platform, as PEM: one, or several one after the other. A
    /// HoneyHive behind an authority of your own needs them.
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

    /// Sets the folder on disk for items that memory cannot hold, that wait in a lasting outage, or that are pending at
    /// shutdown (`HH_SPOOL_DIR`, default none; feature `spool`). Test mode does not use it.
    #[cfg(feature = "spool")]
    pub fn spool(mut self, spool: crate::Spool) -> Self {
        self.explicit.spool = Some(spool);
        self
    }

    /// Sets whether a program without a `tracing` subscriber gets one line on stderr (`HH_STDERR`, default `true`):
    ///
    /// - when the tracer ends: that something was not delivered or went nowhere, and why,
    /// - at once: that [`build_or_disabled`](Self::build_or_disabled) has turned HoneyHive off, and which setting is
    ///   missing.
    pub fn stderr(mut self, on: bool) -> Self {
        self.explicit.stderr = Some(on);
        self
    }

    /// Sets whether the texts of model calls, prompts and answers, are sent (`HH_CAPTURE_CONTENT`, default `true`).
    ///
    /// With `false`:
    ///
    /// * calls of models keep lengths, names of tools, tokens and reasons, and so does `capture_stream` of the layers;
    /// * the attributes in which OpenTelemetry's conventions, OpenInference, Traceloop and Langfuse have such texts are
    ///   left out;
    /// * an error of a model call keeps its type only, and so does one on the spans that a library makes of its calls,
    ///   agents and tools, whose log lines lose their text: providers quote in their errors what they were sent.
    ///
    /// No layer can turn on again what is turned off on the tracer. Data that your program sets itself (`.inputs(..)`,
    /// `.outputs(..)`, `.error(..)` of a span, the arguments and the `Err` of a traced function) is sent as before.
    pub fn capture_content(mut self, captures: bool) -> Self {
        self.explicit.captures_content = Some(captures);
        self
    }

    /// Sets the OpenTelemetry resource of the tracer's spans, instead of the one that `OTEL_SERVICE_NAME`,
    /// `OTEL_RESOURCE_ATTRIBUTES`, the project and the program's name describe.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Ignores the environment, for settings and for the resource.
    #[cfg(any(feature = "testing", feature = "evaluate"))]
    pub(crate) fn isolated(mut self) -> Self {
        self.explicit.is_isolated = true;
        self
    }

    #[cfg(feature = "testing")]
    pub(crate) fn capture(mut self, capture: delivery::capture::Capture) -> Self {
        self.sink = Some(Sink::Memory(capture));
        self
    }

    /// Builds the tracer.
    ///
    /// # Errors
    ///
    /// A setting is missing or unusable (a pattern of the redaction, too), the TLS roots cannot be read, or the
    /// delivery thread cannot be started. No error repeats a key.
    pub fn build(self) -> Result<HoneyHiveTracer, BuildError> {
        #[cfg(feature = "client")]
        let given = self.given();
        let is_isolated = self.explicit.is_isolated;
        let is_captured = self.sink.is_some();
        let settings = Settings::resolve(self.explicit)?;
        let redaction = self.redaction.unwrap_or_default();
        let rules = Rules::new(&redaction)?;
        #[cfg(feature = "evaluate")]
        let for_runs = super::ForRuns::new(&settings, &redaction)?;
        let resource = self
            .resource
            .unwrap_or_else(|| resource::of_program(&settings, is_isolated));
        let (resource, redacted) = resource::ready(resource, &rules);
        let sink = match self.sink {
            Some(sink) => sink,
            None => delivery::sink(&settings, &resource)?,
        };
        let is_local = sink.is_local();
        let outbox = Arc::new(outbox(&settings, self.budget, is_local));
        outbox.count_ignored_session_ids(self.ignored_ids);
        redacted.count(&outbox);
        let startup = start_delivery(&settings, rules, sink, &outbox)?;
        let processor = HoneyHiveSpanProcessor::new(
            outbox,
            settings.session_transport,
            self.trust.unwrap_or_default(),
            self.filter.and_then(Filtering::new),
        );
        let provider = provider(processor.clone(), resource);
        let tracer = HoneyHiveTracer::from_parts(provider, processor, startup);
        #[cfg(feature = "evaluate")]
        tracer.set_for_runs(for_runs);
        #[cfg(feature = "client")]
        tracer.set_about(super::About::new(
            &settings,
            given.found(is_isolated, &settings),
            is_local,
        ));
        // Captured deliveries belong to a test, and tests run beside each other.
        if !is_captured {
            log_destination(&settings, is_local);
            tracer.stand_for_default();
        }
        Ok(tracer)
    }

    /// Returns the settings that the program has set so far.
    #[cfg(feature = "client")]
    const fn given(&self) -> crate::settings::Given {
        crate::settings::Given::of(
            &self.explicit,
            [
                ("`.redaction(..)`", self.redaction.is_some()),
                ("`.resource(..)`", self.resource.is_some()),
                ("`.session_budget(..)`", self.budget.is_some()),
                ("`.session_trust(..)`", self.trust.is_some()),
                ("`.span_filter(..)`", self.filter.is_some()),
            ],
        )
    }

    /// Builds the tracer, or one that records nothing where a setting is missing or unusable. The log says so once, as
    /// an error; a program without a `tracing` subscriber is told on stderr ([`stderr`](Self::stderr)).
    ///
    /// Servers need this, since HoneyHive must never keep them down. Scripts and Lambda functions want the error of
    /// [`build`](Self::build).
    ///
    /// ```
    /// let tracer = honeyhive::HoneyHiveTracer::builder()
    ///     .source("production")
    ///     .build_or_disabled();
    /// ```
    #[must_use]
    pub fn build_or_disabled(self) -> HoneyHiveTracer {
        let may_speak = self.explicit.may_speak();
        self.build().unwrap_or_else(|error| {
            let why = with_causes(&error);
            let text = format!("HoneyHive is off, and nothing is recorded: {why}");
            // A server may never end by itself, so the line on stderr comes now.
            log::lost_now(Level::ERROR, text, may_speak);
            let tracer = HoneyHiveTracer::disabled();
            tracer.stand_for_default();
            tracer
        })
    }
}

/// Returns the outbox of a tracer with these settings; `is_local` where nothing leaves the process.
fn outbox(settings: &Settings, budget: Option<SessionBudget>, is_local: bool) -> Outbox {
    let bounds = Bounds::new(
        settings.queue_items,
        settings.queue_bytes,
        settings.drop_policy,
        settings.spool.is_some(),
    );
    // The spans of a linked session create it in HoneyHive, so they must carry its name.
    let by_spans = settings.session_transport == SessionTransport::Otlp;
    Outbox::new(bounds)
        .answering_within(settings.api_timeout)
        .calls_links(by_spans.then(|| settings.session_name.as_str().into()))
        .local(is_local)
        .speaking(settings.stderr)
        .captures_content(settings.captures_content)
        .counts_for(budget)
}

/// Starts the thread that delivers from the outbox to the sink, and returns the session of spans that have none, which
/// that thread shares with the tracer.
fn start_delivery(
    settings: &Settings,
    rules: Rules,
    sink: Sink,
    outbox: &Arc<Outbox>,
) -> Result<Arc<StartupSession>, BuildError> {
    let redactor = Arc::new(Redactor::new(rules, Arc::clone(outbox)));
    let startup = Arc::new(StartupSession::new(
        Arc::clone(outbox),
        settings.session_name.clone(),
        settings.session_id,
    ));
    delivery::start(
        Plan::new(settings, redactor, sink),
        Arc::clone(outbox),
        Arc::clone(&startup),
    )?;
    Ok(startup)
}

fn provider(processor: HoneyHiveSpanProcessor, resource: Resource) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_id_generator(processor.ids().clone())
        .with_span_processor(processor)
        .with_span_limits(span_limits())
        // Head sampling loses whole conversations, and what another exporter samples is its own affair.
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(resource)
        .build()
}

/// Logs where the tracer delivers to: HoneyHive, or nowhere in test mode.
fn log_destination(settings: &Settings, is_local: bool) {
    if is_local {
        log::debug(
            "test mode is on, by HH_TEST_MODE or `.test_mode(true)`: what is recorded goes nowhere",
        );
        return;
    }
    log::debug(
        "nothing global is set: spans of `opentelemetry::global::tracer` come here once the program calls \
         `opentelemetry::global::set_tracer_provider(tracer.provider().clone())`",
    );
    log::debug(format_args!(
        "delivers to {} with {}, as the source {:?}",
        settings.server_url,
        key_in_use(settings),
        settings.source
    ));
}

fn key_in_use(settings: &Settings) -> &'static str {
    match settings.keys.write().map(ApiKey::kind) {
        None => "no key",
        Some(KeyKind::Ingestion) => "an ingestion key",
        Some(KeyKind::DataPlane) => "a data plane key, which writes nothing",
        Some(_) => "a project key",
    }
}

/// Returns the limits of spans: the SDK's default of 128 is too low for a chat history. Attributes past
/// `MAX_ATTRIBUTES` are left out when the span ends.
fn span_limits() -> SpanLimits {
    SpanLimits {
        max_attributes_per_span: MAX_GATHERED as u32,
        max_events_per_span: 1024,
        ..SpanLimits::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sink sends nothing.
    #[derive(Debug)]
    struct Nobody;

    #[async_trait::async_trait]
    impl HttpClient for Nobody {
        async fn send_bytes(
            &self,
            _: opentelemetry_http::Request<opentelemetry_http::Bytes>,
        ) -> Result<
            opentelemetry_http::Response<opentelemetry_http::Bytes>,
            opentelemetry_http::HttpError,
        > {
            Err("nobody is there".into())
        }
    }

    fn builder() -> HoneyHiveTracerBuilder {
        HoneyHiveTracer::builder()
            .api_key("hh_k")
            .server_url("https://honeyhive.example")
    }

    #[cfg(not(feature = "reqwest"))]
    #[test]
    fn without_an_http_client_only_test_mode_and_a_client_of_ones_own_can_be() {
        let error = builder().build().unwrap_err();
        assert!(matches!(error, BuildError::MissingHttpClient), "{error:?}");
        assert!(error.to_string().contains("`.http_client(..)`"), "{error}");
        assert!(builder().test_mode(true).build().is_ok());
        assert!(builder().http_client(Nobody).build().is_ok());
    }

    #[cfg(all(
        feature = "reqwest",
        not(any(feature = "rustls", feature = "native-tls"))
    ))]
    #[test]
    fn without_tls_an_https_url_says_what_to_turn_on() {
        let said = builder().build().unwrap_err().to_string();
        assert!(
            said.contains("`rustls`") && said.contains("HH_API_URL"),
            "{said}"
        );
        assert!(builder().server_url("http://localhost:1").build().is_ok());
        assert!(builder().http_client(Nobody).build().is_ok());
    }

    #[test]
    fn a_client_of_ones_own_needs_no_other() {
        assert!(builder().http_client(Nobody).build().is_ok());
    }
}
