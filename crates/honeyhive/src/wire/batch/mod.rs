//! [`Batch`] has the spans of a payload, for a server that finds them too large.

mod json;
mod protobuf;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;

use super::compression::unpacked;
use super::payload::Payload;

pub(super) const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The spans of a payload are in its encoding, which another process may have chosen.
#[derive(Debug)]
pub(super) enum Batch {
    Protobuf(ExportTraceServiceRequest),
    Json(Value),
}

impl Batch {
    pub(super) fn read(payload: &Payload) -> Option<Self> {
        let bytes = unpacked(payload)?;
        let content_type = payload.headers.get(CONTENT_TYPE)?;
        if content_type == PROTOBUF {
            Message::decode(bytes.as_ref()).ok().map(Self::Protobuf)
        } else if content_type == JSON {
            serde_json::from_slice(&bytes).ok().map(Self::Json)
        } else {
            None
        }
    }

    pub(super) const fn content_type(&self) -> HeaderValue {
        match self {
            Self::Protobuf(_) => PROTOBUF,
            Self::Json(_) => JSON,
        }
    }

    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Protobuf(batch) => Some(batch.encode_to_vec()),
            Self::Json(batch) => serde_json::to_vec(batch).ok(),
        }
    }

    /// Returns the number of spans.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Protobuf(batch) => protobuf::count(batch),
            Self::Json(batch) => json::count(batch),
        }
    }

    /// Returns the first `at` spans, and the others.
    pub(super) fn split(self, at: usize) -> (Self, Self) {
        match self {
            Self::Protobuf(batch) => {
                let (first, second) = protobuf::split(batch, at);
                (Self::Protobuf(first), Self::Protobuf(second))
            }
            Self::Json(batch) => {
                let (first, second) = json::split(batch, at);
                (Self::Json(first), Self::Json(second))
            }
        }
    }

    /// Cuts every text; says whether one was too long.
    pub(super) fn cut_texts(&mut self, limit: usize) -> bool {
        match self {
            Self::Protobuf(batch) => protobuf::cut_texts(batch, limit),
            Self::Json(batch) => json::cut_texts(batch, limit),
        }
    }
}
