//! The compiler's messages for a missing feature come from methods that require a trait which no type implements.

/// The bound makes `serve` name its feature.
#[cfg(not(feature = "signal"))]
#[diagnostic::on_unimplemented(
    message = "`HoneyHiveTracer::serve` needs the feature `signal` of the crate `honeyhive`",
    label = "the feature `signal` is off",
    note = "in Cargo.toml: `honeyhive = {{ version = \"0.1\", features = [\"signal\"] }}`"
)]
pub trait FeatureSignal {}

/// The bound makes `tracing_layer` name its feature.
#[cfg(not(feature = "tracing"))]
#[diagnostic::on_unimplemented(
    message = "`HoneyHiveTracer::tracing_layer` needs the feature `tracing` of the crate `honeyhive`",
    label = "the feature `tracing` is off",
    note = "in Cargo.toml: `honeyhive = {{ version = \"0.1\", features = [\"tracing\"] }}`"
)]
pub trait FeatureTracing {}

/// The bound makes `client` name its feature.
#[cfg(not(feature = "client"))]
#[diagnostic::on_unimplemented(
    message = "`HoneyHiveTracer::client` needs the feature `client` of the crate `honeyhive`",
    label = "the feature `client` is off",
    note = "in Cargo.toml: `honeyhive = {{ version = \"0.1\", features = [\"client\"] }}`"
)]
pub trait FeatureClient {}

/// The bound makes `model_call` name its feature.
#[cfg(not(feature = "model-calls"))]
#[diagnostic::on_unimplemented(
    message = "`HoneyHiveTracer::model_call` needs the feature `model-calls` of the crate `honeyhive`",
    label = "the feature `model-calls` is off",
    note = "in Cargo.toml: `honeyhive = {{ version = \"0.1\", features = [\"model-calls\"] }}`"
)]
pub trait FeatureModelCalls {}

/// The bound makes `record_metrics` name its feature.
#[cfg(not(feature = "metrics"))]
#[diagnostic::on_unimplemented(
    message = "`HoneyHiveTracer::record_metrics` needs the feature `metrics` of the crate `honeyhive`",
    label = "the feature `metrics` is off",
    note = "in Cargo.toml: `honeyhive = {{ version = \"0.1\", features = [\"metrics\"] }}`"
)]
pub trait FeatureMetrics {}
