#![doc = include_str!("../README.md")]

mod attempt;
mod layer;
mod service;

use async_openai::Client;
use async_openai::config::Config;
use honeyhive::HoneyHiveTracer;

pub use layer::ModelCalls;
pub use service::{ModelCallService, ResponseFuture};

/// Returns a client whose calls of models become events, each with its retries as one event.
///
/// The client sends through a new [`reqwest::Client`]; use [`instrument_with`] for one that you have given to the
/// client already, and [`ModelCalls::instrument`] for settings.
#[must_use]
pub fn instrument<C: Config>(client: Client<C>, tracer: &HoneyHiveTracer) -> Client<C> {
    instrument_with(client, reqwest::Client::new(), tracer)
}

/// Instruments a client, as [`instrument`] does, over an HTTP client of your own.
#[must_use]
pub fn instrument_with<C: Config>(
    client: Client<C>,
    http: reqwest::Client,
    tracer: &HoneyHiveTracer,
) -> Client<C> {
    ModelCalls::new(tracer).instrument_with(client, http)
}
