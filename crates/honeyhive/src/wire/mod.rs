//! HoneyHive's HTTP API takes these bodies, and one client makes all its calls.

mod answer;
#[cfg(feature = "client")]
mod api_call;
mod batch;
mod bodies;
mod client;
mod compression;
mod hints;
pub(crate) mod otlp;
mod payload;
mod proxies;
mod route;
mod transport;

use std::sync::Arc;

use opentelemetry_sdk::Resource;

pub(crate) use answer::{Answer, Failure, Retry};
#[cfg(feature = "client")]
pub(crate) use api_call::{ApiCall, ApiFailure, MOST_OF_AN_ANSWER};
pub(crate) use bodies::{StartSession, UpdateEvent};
pub(crate) use client::Client;
#[cfg(feature = "client")]
pub(crate) use hints::Obstacle;
pub(crate) use payload::Payload;
#[cfg(feature = "client")]
pub(crate) use proxies::proxy_to;

use self::compression::Compression;
use self::otlp::Encoder;
use crate::error::BuildError;
use crate::settings::Settings;

/// Makes the client and the encoder for the HoneyHive of these settings.
pub(crate) fn connect(
    settings: &Settings,
    resource: &Resource,
) -> Result<(Client, Encoder), BuildError> {
    let compression = Arc::new(Compression::new(settings.otlp_compression));
    let client = Client::new(settings, Arc::clone(&compression))?;
    let encoder = Encoder::new(settings.otlp_encoding, compression, resource);
    Ok((client, encoder))
}
