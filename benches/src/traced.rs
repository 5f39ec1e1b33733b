//! The same function with five arguments runs bare, under `#[honeyhive::trace]`, and as an OpenTelemetry span or a
//! `tracing` span with five attributes.

use std::hint::black_box;

use honeyhive::HoneyHiveTracer;
use honeyhive::opentelemetry::KeyValue;
use honeyhive::opentelemetry::trace::{SpanBuilder, Tracer as _, TracerProvider as _};
use tracing::dispatcher::{Dispatch, with_default};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{Work, tracer};

/// The variants have these names.
pub(crate) const VARIANTS: [&str; 7] = [
    "trace_bare",
    "trace_idle",
    "trace_recorded",
    "trace_otel_span",
    "trace_tracing_layer",
    "trace_bytes",
    "trace_floats",
];

#[inline(never)]
fn bare(model: &str, question: &str, tries: i64, share: f64, stream: bool) -> bool {
    black_box((model, question, tries, share));
    stream
}

#[honeyhive::trace(event_type = "tool")]
#[inline(never)]
fn traced(model: &str, question: &str, tries: i64, share: f64, stream: bool) -> bool {
    black_box((model, question, tries, share));
    stream
}

#[tracing::instrument]
#[inline(never)]
fn instrumented(model: &str, question: &str, tries: i64, share: f64, stream: bool) -> bool {
    black_box((model, question, tries, share));
    stream
}

#[honeyhive::trace(event_type = "tool")]
#[inline(never)]
fn image(image: &[u8]) -> usize {
    black_box(image).len()
}

#[honeyhive::trace(event_type = "tool")]
#[inline(never)]
fn embedding(embedding: &Vec<f64>) -> usize {
    black_box(embedding).len()
}

fn otel_span(tracer: &HoneyHiveTracer) {
    let attributes = [
        KeyValue::new("model", "m-1"),
        KeyValue::new("question", "why?"),
        KeyValue::new("tries", 3),
        KeyValue::new("share", 0.5),
        KeyValue::new("stream", true),
    ];
    let builder = SpanBuilder::from_name("traced").with_attributes(attributes);
    drop(tracer.provider().tracer("bench").build(builder));
}

/// Returns the work of a variant; `None` where none has this name.
pub(crate) fn find(variant: &str) -> Option<Work> {
    Some(match variant {
        "trace_bare" => repeat(|| bare("m-1", "why?", 3, 0.5, true)),
        "trace_idle" => repeat(|| traced("m-1", "why?", 3, 0.5, true)),
        "trace_recorded" => in_session(|_| repeat(|| traced("m-1", "why?", 3, 0.5, true))),
        "trace_otel_span" => in_session(|tracer| repeat(move || otel_span(&tracer))),
        "trace_tracing_layer" => in_session(|tracer| {
            let layer = tracer.tracing_layer();
            let subscriber = Dispatch::new(tracing_subscriber::registry().with(layer));
            let mut work = repeat(|| instrumented("m-1", "why?", 3, 0.5, true));
            Box::new(move |calls| with_default(&subscriber, || work(calls)))
        }),
        // Values that are not kept must not be read either: 5 MiB, and a million numbers.
        "trace_bytes" => in_session(|_| {
            let bytes = vec![0xff; 5 * 1024 * 1024];
            repeat(move || image(&bytes))
        }),
        "trace_floats" => in_session(|_| {
            let floats = vec![0.1; 1_000_000];
            repeat(move || embedding(&floats))
        }),
        _ => return None,
    })
}

fn in_session(make: impl FnOnce(HoneyHiveTracer) -> Work) -> Work {
    let tracer = tracer();
    let session = tracer.create_session("bench");
    let mut work = make(tracer.clone());
    Box::new(move |calls| {
        // A session that has outlived its tracer would record nothing.
        let _kept = &tracer;
        session.in_scope(|| work(calls));
    })
}

fn repeat<T>(call: impl Fn() -> T + 'static) -> Work {
    Box::new(move |calls| (0..calls).for_each(|_| _ = black_box(call())))
}
