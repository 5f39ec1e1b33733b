//! Spans become OTLP: `opentelemetry-proto` makes them messages, as it does for `opentelemetry-otlp`, and the delivery
//! engine sends the bytes by its own rules.

use std::sync::Arc;

use http::HeaderValue;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message;

use crate::model::limits::STEPS;
use crate::settings::Encoding;
use crate::wire::answer::{Answer, said};
#[cfg(feature = "http-json")]
use crate::wire::batch::JSON;
use crate::wire::batch::{Batch, PROTOBUF};
use crate::wire::compression::Compression;
use crate::wire::payload::Payload;

/// The encoder turns spans into the bytes of a request.
#[derive(Debug)]
pub(crate) struct Encoder {
    resource: ResourceAttributesWithSchema,
    encoding: Encoding,
    compression: Arc<Compression>,
}

impl Encoder {
    pub(super) fn new(
        encoding: Encoding,
        compression: Arc<Compression>,
        resource: &Resource,
    ) -> Self {
        Self {
            resource: resource.into(),
            encoding,
            compression,
        }
    }

    /// Encodes spans; `None` where that fails.
    pub(crate) fn encode(&self, spans: Vec<SpanData>) -> Option<Payload> {
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(spans, &self.resource),
        };
        let bytes = match self.encoding {
            Encoding::Protobuf => request.encode_to_vec(),
            #[cfg(feature = "http-json")]
            Encoding::Json => serde_json::to_vec(&request).ok()?,
        };
        self.compression.pack(self.content_type(), bytes.into())
    }

    const fn content_type(&self) -> HeaderValue {
        match self.encoding {
            Encoding::Protobuf => PROTOBUF,
            #[cfg(feature = "http-json")]
            Encoding::Json => JSON,
        }
    }

    /// Returns how many spans HoneyHive refused within a success (OTLP's partial success), and why.
    pub(crate) fn rejected(answer: &Answer) -> Option<(u64, String)> {
        // The answer is in the encoding of the request, which another process may have chosen. No protobuf of
        // this kind begins like an object.
        let (rejected, message) = if answer.body.starts_with(b"{") {
            rejected_in_json(&answer.body)?
        } else {
            rejected_in_protobuf(&answer.body)?
        };
        (rejected > 0).then(|| (rejected, said(&message)))
    }

    /// Returns the same spans in two requests, for a server that found one too large. `None` when there is only one
    /// span in it.
    pub(crate) fn halves(&self, payload: &Payload) -> Option<[(Payload, u64); 2]> {
        let batch = Batch::read(payload)?;
        let total = batch.count();
        if total < 2 {
            return None;
        }
        let (first, second) = batch.split(total / 2);
        Some([self.packed(&first)?, self.packed(&second)?])
    }

    /// Returns the same spans with their longest texts cut, for a server that found a single one too large, and to how
    /// many bytes. `None` where nothing is long.
    pub(crate) fn shortened(&self, payload: &Payload) -> Option<(Payload, usize)> {
        let mut batch = Batch::read(payload)?;
        let limit = STEPS.into_iter().find(|limit| batch.cut_texts(*limit))?;
        let (payload, _) = self.packed(&batch)?;
        Some((payload, limit))
    }

    fn packed(&self, batch: &Batch) -> Option<(Payload, u64)> {
        let payload = self
            .compression
            .pack(batch.content_type(), batch.bytes()?.into())?;
        Some((payload, batch.count() as u64))
    }
}

fn rejected_in_protobuf(body: &[u8]) -> Option<(u64, String)> {
    let partial = ExportTraceServiceResponse::decode(body)
        .ok()?
        .partial_success?;
    let rejected = u64::try_from(partial.rejected_spans).ok()?;
    Some((rejected, partial.error_message))
}

/// Reads a partial success in JSON: 64-bit numbers are text in OTLP/JSON, though not every server knows.
fn rejected_in_json(body: &[u8]) -> Option<(u64, String)> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let partial = body.get("partialSuccess")?;
    let rejected = partial.get("rejectedSpans")?;
    let rejected = rejected
        .as_u64()
        .or_else(|| rejected.as_str()?.parse().ok())?;
    let message = partial.get("errorMessage").and_then(|text| text.as_str());
    Some((rejected, message.unwrap_or_default().to_owned()))
}
