//! Compiler messages for a missing feature: the method exists, and requires a trait that no type implements.

/// The bound of `serve`.
#[cfg(not(feature = "signal"))]
#[diagnostic::on_unimplemented(
    message = "`HoneyHiveTracer::serve` needs the feature `signal` of the crate `honeyhive`",
    label = "the feature `signal` is off",
    note = "in Cargo.toml: `honeyhive = {{ version = \"0.1\", features = [\"signal\"] }}`"
)]
pub trait FeatureSignal {}

/// The bound of `tracing_layer`.
#[cfg(not(feature = "tracing"))]
#[diagnostic::on_unimplemented(
    message = "`HoneyHiveTracer::tracing_layer` needs the feature `tracing` of the crate `honeyhive`",
    label = "the feature `tracing` is off",
    note = "in Cargo.toml: `honeyhive = {{ version = \"0.1\", features = [\"tracing\"] }}`"
)]
pub trait FeatureTracing {}
