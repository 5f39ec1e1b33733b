//! The peers' telemetry goes through their usual queues, and then nowhere.

use std::sync::Arc;

use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use sentry::{ClientInitGuard, ClientOptions, Envelope, Transport};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

/// Sets the global provider: batches of 512 on a thread of their own, as is usual.
pub(crate) fn opentelemetry() -> SdkTracerProvider {
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(Nowhere)
        .build();
    global::set_tracer_provider(provider.clone());
    global::set_text_map_propagator(TraceContextPropagator::new());
    provider
}

/// Sets the global subscriber: `tracing` spans become OpenTelemetry spans.
pub(crate) fn tracing_to_opentelemetry() {
    let tracer = opentelemetry().tracer("bench");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    tracing_subscriber::registry()
        // axum-tracing-opentelemetry's spans are of the level TRACE.
        .with(layer.with_filter(LevelFilter::TRACE))
        .init();
}

/// Sets the global subscriber: it writes lines of text.
pub(crate) fn tracing_to_text() {
    let layer = fmt::layer().with_writer(std::io::sink).with_ansi(false);
    tracing_subscriber::registry()
        .with(layer.with_filter(LevelFilter::INFO))
        .init();
}

struct Dropped;

impl Transport for Dropped {
    fn send_envelope(&self, envelope: Envelope) {
        drop(envelope);
    }
}

/// Makes every request a transaction. It is finished when this is dropped, which never happens.
pub(crate) fn sentry() {
    let options = ClientOptions::new()
        .dsn("https://public@localhost/1")
        .traces_sample_rate(1.0)
        .transport(|_: &ClientOptions| -> Arc<dyn Transport> { Arc::new(Dropped) });
    let guard: ClientInitGuard = sentry::init(options);
    std::mem::forget(guard);
}
