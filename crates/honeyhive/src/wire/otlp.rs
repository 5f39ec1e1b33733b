//! Spans as OTLP: `opentelemetry-otlp` encodes them, the bytes are caught instead of sent, and the delivery
//! engine sends them by its own rules.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::CONTENT_ENCODING;
use http::{HeaderValue, Request, Response};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{
    Compression as OtlpCompression, ExporterBuildError, OTEL_EXPORTER_OTLP_COMPRESSION,
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION, Protocol, SpanExporter, WithExportConfig,
    WithHttpConfig,
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use prost::Message;

use crate::model::limits::STEPS;
use crate::settings::Encoding;
use crate::wire::answer::{Answer, said};
#[cfg(feature = "http-json")]
use crate::wire::batch::JSON;
use crate::wire::batch::{Batch, PROTOBUF};
use crate::wire::compression::{Compression, unpacked};
use crate::wire::payload::Payload;

/// The exporter's time for a request, of which nothing goes out.
const A_DAY: Duration = Duration::from_secs(86_400);

/// Turns spans into the bytes of a request.
#[derive(Debug)]
pub(crate) struct Encoder {
    exporter: SpanExporter,
    caught: Caught,
    encoding: Encoding,
    compression: Arc<Compression>,
}

impl Encoder {
    /// Makes an exporter that ignores OpenTelemetry's variables, which are meant for the program's own exporter.
    pub(super) fn new(
        encoding: Encoding,
        compression: Arc<Compression>,
        resource: &Resource,
    ) -> Result<Self, ExporterBuildError> {
        let caught = Caught::default();
        let builder = SpanExporter::builder()
            .with_http()
            .with_http_client(caught.clone())
            .with_protocol(match encoding {
                Encoding::Protobuf => Protocol::HttpBinary,
                #[cfg(feature = "http-json")]
                Encoding::Json => Protocol::HttpJson,
            })
            // The endpoint is never called: the client above catches the request.
            .with_endpoint("http://127.0.0.1/v1/traces")
            .with_timeout(A_DAY);
        let mut exporter = settled(builder).build()?;
        exporter.set_resource(resource);
        Ok(Self {
            exporter,
            caught,
            encoding,
            compression,
        })
    }

    /// Encodes spans; `None` where that fails.
    pub(crate) async fn encode(&self, spans: Vec<SpanData>) -> Option<Payload> {
        self.exporter.export(spans).await.ok()?;
        let (bytes, encoding) = self.caught.take()?;
        let encoding = encoding.unwrap_or(HeaderValue::from_static(""));
        let caught = Payload::new(self.content_type(), encoding, bytes);
        self.compression
            .pack(self.content_type(), unpacked(&caught)?)
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

    /// The same spans in two requests, for a server that found one too large. `None` when there is only
    /// one span in it.
    pub(crate) fn halves(&self, payload: &Payload) -> Option<[(Payload, u64); 2]> {
        let batch = Batch::read(payload)?;
        let total = batch.count();
        if total < 2 {
            return None;
        }
        let (first, second) = batch.split(total / 2);
        Some([self.packed(&first)?, self.packed(&second)?])
    }

    /// The same spans with their longest texts cut, for a server that found a single one too large, and to how
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

/// The exporter asks the environment where its builder has no compression, and the builder cannot say "none". So where
/// the environment has one, the builder gets the one that can be undone here.
fn settled<B: WithHttpConfig>(builder: B) -> B {
    let names = [
        OTEL_EXPORTER_OTLP_TRACES_COMPRESSION,
        OTEL_EXPORTER_OTLP_COMPRESSION,
    ];
    if names.iter().any(|name| std::env::var_os(name).is_some()) {
        builder.with_compression(OtlpCompression::Gzip)
    } else {
        builder
    }
}

fn rejected_in_protobuf(body: &[u8]) -> Option<(u64, String)> {
    let partial = ExportTraceServiceResponse::decode(body)
        .ok()?
        .partial_success?;
    let rejected = u64::try_from(partial.rejected_spans).ok()?;
    Some((rejected, partial.error_message))
}

/// 64-bit numbers are text in OTLP/JSON, though not every server knows.
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

/// An HTTP client that keeps the body it is given, and how it is compressed.
///
/// Nothing else of the request is used: the exporter reads headers from `OTEL_EXPORTER_OTLP_HEADERS`,
/// which are meant for somebody else.
#[derive(Debug, Clone, Default)]
struct Caught(Arc<Mutex<Option<Body>>>);

type Body = (Bytes, Option<HeaderValue>);

impl Caught {
    fn slot(&self) -> MutexGuard<'_, Option<Body>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Body> {
        self.slot().take()
    }
}

#[async_trait::async_trait]
impl HttpClient for Caught {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let encoding = request.headers().get(CONTENT_ENCODING).cloned();
        *self.slot() = Some((request.into_body(), encoding));
        Ok(Response::new(Bytes::new()))
    }
}
