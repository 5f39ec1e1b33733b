#![doc = include_str!("../README.md")]

mod attempt;
mod layer;
mod service;

use async_openai::Client;
use async_openai::config::Config;
use async_openai::middleware::ReqwestService;
use async_openai::middleware::retry::OpenAIRetryLayer;
use honeyhive::HoneyHiveTracer;
use tower_layer::Layer as _;

pub use layer::ModelCalls;
pub use service::{ModelCallService, ResponseFuture};

/// Returns a client whose calls of models become events, each with its retries as one event.
///
/// The client sends through a new [`reqwest::Client`]; use [`instrument_with`] for one that you have given to the
/// client already.
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
    let retrying = OpenAIRetryLayer::default().layer(ReqwestService::new(http));
    client.with_http_service(ModelCalls::new(tracer).layer(retrying))
}
