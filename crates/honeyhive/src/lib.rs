#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

// A folder or file has one concern. A module imports only from those above it in this list, so there are no circles.
mod attributes;
mod context;
mod instruments;
mod log;
#[cfg(not(all(
    feature = "client",
    feature = "metrics",
    feature = "model-calls",
    feature = "signal",
    feature = "tracing"
)))]
mod missing;
mod prometheus;
mod report;

mod error;
mod model;
mod owners;
mod sampling;
mod secret;

mod enrichment;
mod event_type;
mod settings;

mod budget;

#[cfg(feature = "model-calls")]
mod stream;

pub mod redaction;
mod spool;
mod wire;

mod outbox;

mod panics;
mod propagation;
mod session;

mod gen_ai;
#[cfg(feature = "model-calls")]
mod model_span;
mod processor;
mod span;
mod span_filter;
mod span_ids;
mod span_marks;

mod delivery;

#[cfg(feature = "client")]
pub mod client;

#[cfg(feature = "testing")]
pub mod testing;
mod tracer;

#[cfg(feature = "client")]
pub mod doctor;
#[cfg(feature = "http-client")]
mod hosts;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "model-calls")]
pub mod model_call;
#[cfg(feature = "macros")]
mod traced;
#[cfg(feature = "tracing")]
mod tracing_layer;

#[cfg(feature = "http-server")]
mod incoming;

#[cfg(feature = "evaluate")]
pub mod evaluate;
#[cfg(feature = "http-server")]
pub mod feedback;
#[cfg(feature = "http-server")]
pub mod http;
#[cfg(feature = "lambda")]
pub mod lambda;

pub use budget::{BudgetLimit, BudgetPassed, SessionBudget, SessionUsage};
pub use context::Scoped;
#[cfg(feature = "client")]
#[doc(inline)]
pub use doctor::doctor;
pub use enrichment::Enrichment;
pub use error::{BuildError, FlushError, StartError, UnknownName};
#[cfg(feature = "evaluate")]
#[doc(inline)]
pub use evaluate::evaluate;
pub use event_type::EventType;
#[cfg(feature = "macros")]
pub use honeyhive_macros::trace;
#[cfg(feature = "http-client")]
pub use hosts::Hosts;
pub use model::id::{EventId, InvalidEventId, InvalidSessionId, SessionId};
pub use opentelemetry;
pub use opentelemetry_http;
pub use opentelemetry_sdk;
pub use processor::HoneyHiveSpanProcessor;
pub use propagation::HeadersMut;
pub use redaction::Redaction;
pub use report::{DeliveryStats, DropReason, Drops, FlushReport};
pub use sampling::SessionSampling;
/// The macro is [`serde_json::json!`]: a program which has no other use for `serde_json` need not depend on it.
#[doc(inline)]
pub use serde_json::json;
#[cfg(feature = "signed-ids")]
pub use session::SigningKeys;
pub use session::{CreateSession, Moved, NewSession, Session, SessionGuard, SessionTrust};
#[cfg(feature = "spool")]
pub use settings::Spool;
pub use settings::{DropPolicy, OtlpCompression, OtlpProtocol, SessionTransport};
pub use span::{Failure, Span, SpanBuilder};
pub use span_filter::SpanFilter;
pub use tracer::here::span;
pub use tracer::{HoneyHiveTracer, HoneyHiveTracerBuilder, ShutdownGuard};
pub use tracer::{Serve, ServeFuture, Served, StopSignal};

/// The expansion of [`trace`] calls these functions. They are no part of the API, and change without notice.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private {
    pub use crate::traced::*;
}
