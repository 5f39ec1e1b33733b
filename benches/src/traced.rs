//! The same function with five arguments, bare, under `#[honeyhive::trace]`, and as an OpenTelemetry span or a
//! `tracing` span with five attributes.

use std::hint::black_box;

use honeyhive::HoneyHiveTracer;
use honeyhive::opentelemetry::KeyValue;
use honeyhive::opentelemetry::trace::{SpanBuilder, Tracer as _, TracerProvider as _};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{Spent, allocations, tracer};

/// What can be measured.
pub(crate) const VARIANTS: [&str; 5] = [
    "trace_bare",
    "trace_idle",
    "trace_recorded",
    "trace_otel_span",
    "trace_tracing_layer",
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

/// Runs a variant; `None` where there is no such one.
pub(crate) fn run(variant: &str, calls: u32) -> Option<Spent> {
    let tracer = tracer();
    let session = tracer.create_session("bench");
    let work: &dyn Fn() = match variant {
        "trace_bare" => &|| _ = black_box(bare("m-1", "why?", 3, 0.5, true)),
        "trace_idle" | "trace_recorded" => &|| _ = black_box(traced("m-1", "why?", 3, 0.5, true)),
        "trace_otel_span" => &|| otel_span(&tracer),
        "trace_tracing_layer" => &|| _ = black_box(instrumented("m-1", "why?", 3, 0.5, true)),
        _ => return None,
    };
    let measured = || {
        (0..200).for_each(|_| work());
        allocations(calls, || (0..calls).for_each(|_| work()))
    };
    Some(match variant {
        "trace_idle" | "trace_bare" => measured(),
        "trace_tracing_layer" => {
            let subscriber = tracing_subscriber::registry().with(tracer.tracing_layer());
            tracing::subscriber::with_default(subscriber, || session.in_scope(measured))
        }
        _ => session.in_scope(measured),
    })
}
