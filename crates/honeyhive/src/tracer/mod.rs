//! [`HoneyHiveTracer`] is the handle that a program holds.

#[cfg(feature = "client")]
mod about;
mod builder;
mod closing;
mod guard;
pub(crate) mod here;
#[cfg(not(all(
    feature = "client",
    feature = "metrics",
    feature = "model-calls",
    feature = "tracing"
)))]
mod missing;
mod resource;
pub(crate) mod serve;
#[cfg_attr(not(feature = "signal"), path = "no_signals.rs")]
mod signals;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use opentelemetry::trace::TraceContextExt;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

#[cfg(feature = "client")]
pub(crate) use about::About;
#[cfg(feature = "evaluate")]
pub(crate) use about::ForRuns;
pub use builder::HoneyHiveTracerBuilder;
pub use guard::ShutdownGuard;
pub use serve::{Serve, ServeFuture, Served, StopSignal};

use crate::attributes::TRACER_NAME;
use crate::context;
use crate::enrichment::{Enrichment, warn_of_foreign_span};
use crate::event_type::EventType;
use crate::log::{self, CallSite};
use crate::model::id::EventId;
use crate::outbox::{Outbox, Record, Timing, Update};
use crate::processor::HoneyHiveSpanProcessor;
use crate::propagation;
use crate::report::DeliveryStats;
#[cfg(feature = "http-server")]
use crate::session::Trusts;
use crate::session::{CreateSession, NewSession, Session, SessionTrust, StartupSession, current};
use crate::settings::SessionTransport;
use crate::span::{Maker, SpanBuilder, enrich, name_event};

/// The tracer records sessions and spans and delivers them to HoneyHive. Clones are cheap, and all clones are one
/// tracer.
///
/// A tracer has an OpenTelemetry provider of its own and installs nothing process-wide. No call of it blocks or fails a
/// request: sessions and spans are queued, and a background thread delivers them.
///
/// ```no_run
/// use honeyhive::{Enrichment, HoneyHiveTracer, json};
///
/// # fn main() -> Result<(), honeyhive::BuildError> {
/// let tracer = HoneyHiveTracer::from_env()?;            // HH_API_KEY and friends
/// let _guard = tracer.shutdown_guard();                 // delivers the rest when main ends
///
/// let span = tracer
///     .tool("answer")
///     .inputs(json!({"question": "6 * 7"}))
///     .start();
/// span.outputs(json!({"answer": 42}));
/// drop(span);
/// tracer.enrich_session(Enrichment::new().outputs(json!({"done": true})));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HoneyHiveTracer {
    inner: Arc<Inner>,
}

/// Shows the counters of the delivery and no settings.
impl fmt::Debug for HoneyHiveTracer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HoneyHiveTracer")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

struct Inner {
    provider: SdkTracerProvider,
    tracer: Arc<SdkTracer>,
    processor: HoneyHiveSpanProcessor,
    outbox: Arc<Outbox>,
    startup: Arc<StartupSession>,
    #[cfg(feature = "evaluate")]
    for_runs: std::sync::OnceLock<ForRuns>,
    #[cfg(feature = "client")]
    about: std::sync::OnceLock<About>,
}

impl HoneyHiveTracer {
    /// Returns a tracer that records nothing: every call works, and costs next to nothing.
    #[doc(alias = "disable_tracing")]
    #[must_use]
    pub fn disabled() -> Self {
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOff)
            .build();
        let outbox = Arc::new(Outbox::disabled());
        let processor = HoneyHiveSpanProcessor::new(
            Arc::clone(&outbox),
            SessionTransport::Rest,
            SessionTrust::Never,
            None,
        );
        let name = String::new();
        let startup = Arc::new(StartupSession::new(outbox, name, None));
        Self::from_parts(provider, processor, startup)
    }

    /// Returns false where the texts of model calls are not sent; see
    /// [`capture_content`](HoneyHiveTracerBuilder::capture_content).
    #[must_use]
    pub fn captures_content(&self) -> bool {
        !self.inner.outbox.hides_content()
    }

    /// Returns true for a tracer that records nothing; see [`from_env_or_disabled`](Self::from_env_or_disabled).
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.inner.outbox.is_disabled()
    }

    /// Returns whether the tracer records nothing. No delivery thread repeats log lines for a late subscriber then, so
    /// this call does.
    fn is_off(&self) -> bool {
        let is_off = self.is_disabled();
        if is_off {
            log::replay();
        }
        is_off
    }

    fn from_parts(
        provider: SdkTracerProvider,
        processor: HoneyHiveSpanProcessor,
        startup: Arc<StartupSession>,
    ) -> Self {
        let scope = InstrumentationScope::builder(TRACER_NAME)
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        let tracer = Arc::new(provider.tracer_with_scope(scope));
        // A disabled tracer registers none with its outbox, so that no code finds one and no span is made.
        if !processor.outbox().is_disabled() {
            processor.outbox().set_tracer(&tracer);
        }
        Self {
            inner: Arc::new(Inner {
                provider,
                tracer,
                outbox: Arc::clone(processor.outbox()),
                processor,
                startup,
                #[cfg(feature = "evaluate")]
                for_runs: std::sync::OnceLock::new(),
                #[cfg(feature = "client")]
                about: std::sync::OnceLock::new(),
            }),
        }
    }

    /// Begins a session and hands it over for delivery. The call never blocks.
    ///
    /// The session is not current by itself: see [`Session::enter`] and [`Session::scope`]. Nor does it end by itself,
    /// since the tracer does not know when its work is done: it has no end, no duration and no outcome.
    /// [`with_session`](Self::with_session) and the layers for servers record them; here the program says what it
    /// knows.
    ///
    /// ```
    /// use std::time::Instant;
    ///
    /// use honeyhive::{Enrichment, json};
    ///
    /// let (tracer, captured) = honeyhive::testing::tracer();
    /// let (session, began) = (tracer.create_session("import"), Instant::now());
    /// session.in_scope(|| tracer.span("read").start());
    /// assert_eq!(captured.only_session().duration, None);
    ///
    /// let end = Enrichment::new().duration(began.elapsed());
    /// session.enrich(end.metadata(json!({"outcome": "complete"})));
    /// assert!(captured.only_session().duration.is_some());
    /// ```
    #[track_caller]
    pub fn create_session(&self, new: impl Into<NewSession>) -> Session {
        self.acreate_session(new).into_session()
    }

    /// Begins a session and returns a future that resolves once HoneyHive has answered. The session is usable before
    /// that, and dropping the future cancels nothing. As with [`create_session`](Self::create_session) it is not
    /// current and does not end by itself.
    #[track_caller]
    pub fn acreate_session(&self, new: impl Into<NewSession>) -> CreateSession {
        CreateSession::new(self.begin_session(new.into(), CallSite::here()))
    }

    fn begin_session(&self, new: NewSession, site: CallSite) -> Session {
        let session = Session::begin_at(&self.inner.outbox, new, site);
        session.turn_begins();
        session
    }

    /// Begins the tracer's own session, which holds the spans and enrichments outside every other session. Scripts need
    /// one; a server uses a session per request.
    ///
    /// Without this call the session begins when something first needs it.
    #[track_caller]
    pub fn session_start(&self, new: impl Into<NewSession>) -> Session {
        self.inner.startup.replace(new.into())
    }

    /// Returns this tracer's current session, without beginning one.
    #[must_use]
    pub fn current_session(&self) -> Option<Session> {
        context::map(|cx| {
            current::of_tracer(cx, &self.inner.outbox)
                .map(|current| current.session.clone())
                .or_else(|| {
                    let id = self.inner.processor.session_in_baggage(cx)?;
                    Some(Session::begin(&self.inner.outbox, NewSession::existing(id)))
                })
        })
        .flatten()
    }

    /// Returns a context with the session and the span that [`Session::inject`] has put into the headers of a message:
    /// the session as a link, the span as the parent. Without such headers the result is the current context.
    ///
    /// The call is for queues and protocols of your own; the HTTP layers do this by themselves. Headers may be a
    /// `&http::HeaderMap`, actix-web's map, a `HashMap` or any other pairs of names and values: names match in any
    /// case, a header may come in several lines, and values may be bytes. The id is trusted as far as the tracer's
    /// [`session_trust`](HoneyHiveTracerBuilder::session_trust) lets it; a bare `session_id` counts where it is a UUID.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// use honeyhive::Session;
    /// use honeyhive::opentelemetry::context::FutureExt as _;
    ///
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// # let sender = tracer.create_session("support-chat");
    /// # let mut headers = HashMap::new();
    /// # sender.inject(&mut headers);
    /// let work = async {
    ///     Session::current().map(|session| session.id()) // the sender's
    /// };
    /// let work = work.with_context(tracer.extract(&headers));
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    /// # assert_eq!(runtime.block_on(work), Some(sender.id()));
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    #[doc(alias = "link_carrier")]
    #[doc(alias = "link")]
    #[doc(alias = "extract_context")]
    #[doc(alias = "with_distributed_trace_context")]
    #[must_use]
    pub fn extract<K, V>(&self, headers: impl IntoIterator<Item = (K, V)>) -> Context
    where
        K: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let trust = self.inner.processor.trusts().of_tracer();
        propagation::extract(&self.inner.outbox, trust, headers)
    }

    /// Adds to the current session, else to the tracer's own session. The call never blocks.
    ///
    /// A debug build warns once per call site where other sessions are open and this is called outside all of them.
    #[track_caller]
    pub fn enrich_session(&self, enrichment: Enrichment) {
        let site = CallSite::here();
        let session = self.current_session().unwrap_or_else(|| {
            self.inner.outbox.strays().warn_of_enrichment(site);
            self.inner.startup.get_or_start()
        });
        session.enrich(enrichment);
    }

    /// Adds to the current span, whichever library made it: this one, `tracing` or another. Without a current span the
    /// call does nothing; the span of another HoneyHive tracer is left as it is, which is logged once and counted in
    /// [`DeliveryStats::refused`].
    #[track_caller]
    pub fn enrich_span(&self, enrichment: Enrichment) {
        self.inner.outbox.count_refused(enrichment.refused_count());
        // The span is copied out first: redaction hooks below may change what is current.
        let cx = context::current();
        if self.may_write(&cx) {
            enrich(&cx.span(), enrichment);
        } else if !enrichment.is_empty() {
            self.inner.outbox.count_refused(1);
            warn_of_foreign_span();
        }
    }

    fn may_write(&self, cx: &Context) -> bool {
        let span = cx.span().span_context().span_id();
        self.inner.outbox.member().may_write(span)
    }

    /// Adds to an event whose span has ended, or to any other event that HoneyHive has. The call never blocks: the
    /// update is delivered in the background, after the spans that are on their way.
    ///
    /// HoneyHive's update of an event takes no inputs and no error, so these go to `metadata.inputs` and
    /// `metadata.error`. New outputs replace those of the span, and merge with earlier updates by this process. For a
    /// span that still runs use [`enrich_span`](Self::enrich_span).
    ///
    /// ```
    /// use honeyhive::{Enrichment, testing};
    /// use serde_json::json;
    ///
    /// let (tracer, captured) = testing::tracer();
    /// let span = tracer.span("answer").start();
    /// let answer = span.event_id(); // goes to the client with the answer
    /// drop(span);
    ///
    /// // Later, in the request that brings the user's verdict:
    /// tracer.enrich_event(answer, Enrichment::new().feedback(json!({"rating": true})));
    /// # let event = captured.only_session().event("answer").clone();
    /// # assert_eq!(event.text("honeyhive_feedback.rating").as_deref(), Some("true"));
    /// ```
    #[track_caller]
    pub fn enrich_event(&self, id: impl Into<EventId>, enrichment: Enrichment) {
        let outbox = &self.inner.outbox;
        outbox.count_refused(enrichment.refused_count());
        if !enrichment.is_empty() {
            let update = Update::Enrich(Box::new(enrichment));
            outbox.push(Record::Update(
                id.into().as_session(),
                update,
                Timing::AfterSpans,
            ));
        }
    }

    /// Returns the id of the event that the current span becomes; `None` outside every span and within a span of
    /// another HoneyHive tracer.
    #[must_use]
    pub fn current_event_id(&self) -> Option<EventId> {
        let cx = context::current();
        let is_mine = cx.span().is_recording() && self.may_write(&cx);
        is_mine.then(|| name_event(&cx))
    }

    /// Returns a builder of a span in the session that is current when the span starts.
    ///
    /// [`model`](Self::model), [`chain`](Self::chain) and [`tool`](Self::tool) set its event type, too.
    #[doc(alias = "start_span")]
    #[doc(alias = "create_event")]
    pub fn span(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder {
        SpanBuilder::new(self.maker(), name.into())
    }

    /// Returns a builder of a span for a call of a language model.
    pub fn model(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder {
        self.span(name).event_type(EventType::Model)
    }

    /// Returns a builder of a span for a group of others: a turn, an agent, a pipeline.
    pub fn chain(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder {
        self.span(name).event_type(EventType::Chain)
    }

    /// Returns a builder of a span for anything else that does work: a function, an API, a vector search.
    pub fn tool(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder {
        self.span(name).event_type(EventType::Tool)
    }

    /// Returns the maker of spans; `None` for a tracer that records nothing.
    pub(crate) fn maker(&self) -> Option<Maker> {
        (!self.is_off()).then(|| Maker {
            tracer: Arc::clone(&self.inner.tracer),
            outbox: Arc::clone(&self.inner.outbox),
        })
    }

    /// Returns the tracer's provider, for instrumentations that take one: their spans belong to the current session.
    /// The provider samples everything, and goes on delivering after the last tracer is dropped.
    #[doc(alias = "tracer_provider")]
    #[doc(alias = "instrument")]
    #[must_use]
    pub fn provider(&self) -> &SdkTracerProvider {
        &self.inner.provider
    }

    /// Returns a processor for a provider that you have already: the spans that this provider samples go to HoneyHive,
    /// too.
    #[must_use]
    pub fn span_processor(&self) -> HoneyHiveSpanProcessor {
        self.inner.processor.clone()
    }

    /// Returns the typed client of HoneyHive's API, with the settings and the background thread of this tracer (feature
    /// `client`).
    ///
    /// ```
    /// use honeyhive::{HoneyHiveTracer, client::NewDataset};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = honeyhive_local::LocalServer::builder().start().await?;
    /// # let tracer = HoneyHiveTracer::builder().api_key("hh_local").server_url(server.url()).build()?;
    /// let dataset = tracer.client().datasets().create(&NewDataset::named("capitals")).await?;
    /// # assert!(tracer.client().datasets().get(&dataset).await?.is_some());
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "client")]
    #[must_use]
    pub fn client(&self) -> crate::client::Client {
        crate::client::Client::new(Arc::clone(self.inner.processor.lifeline()))
    }

    /// Returns how full the queue is, from 0 to 1, so that a batch which records faster than delivery works can slow
    /// down.
    #[must_use]
    pub fn fullness(&self) -> f64 {
        self.inner.outbox.fullness()
    }

    /// Returns the counters of the delivery: accepted, delivered, pending and dropped items.
    #[must_use]
    pub fn stats(&self) -> DeliveryStats {
        self.inner.outbox.stats()
    }

    #[cfg(any(
        feature = "client",
        feature = "http-server",
        feature = "metrics",
        feature = "model-calls",
        feature = "tracing"
    ))]
    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        &self.inner.outbox
    }

    #[cfg(feature = "http-server")]
    pub(crate) fn sdk_tracer(&self) -> &SdkTracer {
        &self.inner.tracer
    }

    #[cfg(feature = "client")]
    fn set_about(&self, about: About) {
        // The cell is empty: only the builder sets it, once.
        let _ = self.inner.about.set(about);
    }

    /// Returns the facts for a diagnosis; `None` for a tracer that records nothing.
    #[cfg(feature = "client")]
    pub(crate) fn about(&self) -> Option<&About> {
        self.inner.about.get()
    }

    #[cfg(feature = "evaluate")]
    fn set_for_runs(&self, for_runs: ForRuns) {
        // The cell is empty: only the builder sets it, once.
        let _ = self.inner.for_runs.set(for_runs);
    }

    /// Makes spans of runs wait for whole batches, until the result is dropped.
    #[cfg(feature = "evaluate")]
    pub(crate) fn begin_run(&self) -> crate::outbox::RunUnderway {
        crate::outbox::RunUnderway::new(&self.inner.outbox)
    }

    /// Returns the settings for runs; `None` for a tracer that records nothing.
    #[cfg(feature = "evaluate")]
    pub(crate) fn for_runs(&self) -> Option<&ForRuns> {
        self.inner.for_runs.get()
    }

    /// Returns the trust in ids from outside.
    #[cfg(feature = "http-server")]
    pub(crate) fn trusts(&self) -> &Trusts {
        self.inner.processor.trusts()
    }

    #[cfg(feature = "http-server")]
    pub(crate) fn session_transport(&self) -> SessionTransport {
        self.inner.processor.transport()
    }
}
