//! [`HoneyHiveTracer::tracing_layer`].

use opentelemetry::trace::{SpanBuilder, Tracer, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::HoneyHiveTracer;
use crate::attributes::{CREATED_WITH, TRACING_SCOPE};
use crate::unsigned::Unsigned;

impl HoneyHiveTracer {
    /// A layer for a `tracing` subscriber: spans of `#[tracing::instrument]`, `info_span!` and of libraries
    /// that use `tracing` become events of the current session (feature `tracing`).
    ///
    /// It stands beside whatever layers there are. Spans of both worlds nest: a span by hand or of
    /// [`#[honeyhive::trace]`](macro@crate::trace) inside a `tracing` span is its child, and the other way
    /// round. A span belongs to the session that is current where it is created, else where it is first
    /// entered. Which spans come through is the subscriber's choice; where other layers want more than HoneyHive
    /// should get, give this one a filter.
    ///
    /// ```
    /// use tracing_subscriber::filter::LevelFilter;
    /// use tracing_subscriber::{Layer as _, layer::SubscriberExt as _};
    ///
    /// #[tracing::instrument(ret)]
    /// fn search(query: &str) -> usize {
    ///     query.len()
    /// }
    ///
    /// # let (tracer, captured) = honeyhive::testing::tracer();
    /// let subscriber = tracing_subscriber::registry()
    ///     // .with(tracing_subscriber::fmt::layer()) and what else there is
    ///     .with(tracer.tracing_layer().with_filter(LevelFilter::INFO));
    /// # tracing::subscriber::with_default(subscriber, || { // in a program: `subscriber.init()`
    /// tracer.create_session("chat").in_scope(|| search("tea"));
    /// # });
    /// # let event = captured.only_session().event("search").clone();
    /// # assert_eq!(event.text("honeyhive_inputs.query").as_deref(), Some("tea"));
    /// # assert_eq!(event.text("honeyhive_outputs.result").as_deref(), Some("3"));
    /// ```
    ///
    /// # Where a field goes
    ///
    /// | Field | Becomes |
    /// |---|---|
    /// | `inputs.…`, `outputs.…`, `metadata.…`, `metrics.…`, `feedback.…`, `config.…`, `user_properties.…` | an entry of that bucket |
    /// | `error` | the error of the event |
    /// | `otel.name`, `otel.kind`, `otel.status_code`, `otel.status_description` | what they name |
    /// | any other name with a dot (`gen_ai.request.model`), or one that begins with `honeyhive_` | an attribute as it is |
    /// | any other, given when the span was created | an entry of the inputs |
    /// | any other, recorded later | an entry of the metadata |
    ///
    /// The return value of `#[instrument(ret)]` is `outputs.result`, the error of `#[instrument(err)]` the
    /// event's error. An event (`info!`, `warn!`, …) becomes an event of the span; one of level `ERROR` sets
    /// the error of its span, where nothing else does. Level and target of a span are `metadata.level` and
    /// `metadata.target`. The type of the event is found as for every other span: `honeyhive_event_type =
    /// "model"`, else the conventions of OpenTelemetry and others, else by whether it has children.
    ///
    /// `tracing` drops what is recorded in a field that the span was not created with (`field::Empty`).
    pub fn tracing_layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let tracer = self.inner.provider.tracer(TRACING_SCOPE);
        let spans = OpenTelemetryLayer::new(Marking(tracer))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_level(true)
            .with_target(true)
            .with_error_fields_to_exceptions(false)
            .with_error_records_to_exceptions(false);
        // It is told of a close before the span ends.
        Unsigned.and_then(spans)
    }
}

/// Makes spans that know with which fields they were created.
#[derive(Debug, Clone)]
struct Marking(SdkTracer);

impl Tracer for Marking {
    type Span = Span;

    fn build_with_context(&self, mut builder: SpanBuilder, parent: &Context) -> Span {
        let fields = builder.attributes.get_or_insert_default();
        fields.push(KeyValue::new(CREATED_WITH, true));
        self.0.build_with_context(builder, parent)
    }
}
