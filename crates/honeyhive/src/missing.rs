//! What the compiler says where a feature is missing: the method is there, and asks for a trait that nothing has.

/// What `serve` needs.
#[cfg(not(feature = "signal"))]
#[diagnostic::on_unimplemented(
    message = "`HoneyHiveTracer::serve` needs the feature `signal` of the crate `honeyhive`",
    label = "the feature `signal` is off",
    note = "in Cargo.toml: `honeyhive = {{ version = \"0.1\", features = [\"signal\"] }}`"
)]
pub trait FeatureSignal {}

/// What `tracing_layer` needs.
#[cfg(not(feature = "tracing"))]
#[diagnostic::on_unimplemented(
    message = "`HoneyHiveTracer::tracing_layer` needs the feature `tracing` of the crate `honeyhive`",
    label = "the feature `tracing` is off",
    note = "in Cargo.toml: `honeyhive = {{ version = \"0.1\", features = [\"tracing\"] }}`"
)]
pub trait FeatureTracing {}
