//! The tracer is made when it is first asked for, and kept for all invocations of this environment.

use std::sync::LazyLock;

use honeyhive::HoneyHiveTracer;

static TRACER: LazyLock<Option<HoneyHiveTracer>> = LazyLock::new(|| {
    // `HH_API_KEY` and other variables say the rest.
    let tracer = HoneyHiveTracer::builder().source("lambda").build();
    tracer
        .inspect_err(|error| tracing::error!("no telemetry: {error}"))
        .ok()
});

/// Returns the tracer of this environment. Where a setting is missing or unusable there is none; the log has said once
/// which, and the function does its work without.
pub fn tracer() -> Option<&'static HoneyHiveTracer> {
    TRACER.as_ref()
}
