//! The tracer: made when it is first asked for, and kept for all invocations of this environment.

use std::sync::LazyLock;

use honeyhive::{BuildError, HoneyHiveTracer};

static TRACER: LazyLock<Result<HoneyHiveTracer, BuildError>> = LazyLock::new(|| {
    // `HH_API_KEY` and friends say the rest.
    HoneyHiveTracer::builder().source("lambda").build()
});

/// The tracer of this environment.
///
/// # Errors
///
/// Where a setting is missing or unusable; the error says which.
pub fn tracer() -> Result<&'static HoneyHiveTracer, &'static BuildError> {
    TRACER.as_ref()
}
