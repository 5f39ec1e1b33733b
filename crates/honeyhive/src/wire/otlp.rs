//! Spans as OTLP: `opentelemetry-otlp` encodes them, the bytes are caught instead of sent, and the delivery
//! engine sends them by its own rules.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{
    Compression as OtlpCompression, ExporterBuildError, OTEL_EXPORTER_OTLP_COMPRESSION,
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION, Protocol, SpanExporter, WithExportConfig,
    WithHttpConfig,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use prost::Message;

use crate::model::limits::{self, STEPS};
use crate::settings::Encoding;
use crate::wire::answer::{Answer, said};
use crate::wire::compression::{Compression, unpacked};
use crate::wire::payload::Payload;

const PROTOBUF: &str = "application/x-protobuf";
#[cfg(feature = "http-json")]
const JSON: &str = "application/json";

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
    /// Nothing of it is left to the variables of OpenTelemetry, which are meant for the program's own exporter.
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
            // Never asked: the client above catches the request.
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

    /// `None` when the spans cannot be encoded.
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
            Encoding::Protobuf => HeaderValue::from_static(PROTOBUF),
            #[cfg(feature = "http-json")]
            Encoding::Json => HeaderValue::from_static(JSON),
        }
    }

    /// How many spans HoneyHive refused within a success (OTLP's partial success), and why.
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
        let request = decoded(payload)?;
        let total = count(&request);
        if total < 2 {
            return None;
        }
        let (first, second) = split(request, total / 2);
        Some([self.packed(&first)?, self.packed(&second)?])
    }

    /// The same spans with their longest texts cut, for a server that found a single one too large, and to how
    /// many bytes. `None` where nothing is long.
    pub(crate) fn shortened(&self, payload: &Payload) -> Option<(Payload, usize)> {
        let mut request = decoded(payload)?;
        let limit = STEPS
            .into_iter()
            .find(|limit| cut_texts(&mut request, *limit))?;
        let (payload, _) = self.packed(&request)?;
        Some((payload, limit))
    }

    fn packed(&self, request: &ExportTraceServiceRequest) -> Option<(Payload, u64)> {
        let bytes = match self.encoding {
            Encoding::Protobuf => request.encode_to_vec(),
            #[cfg(feature = "http-json")]
            Encoding::Json => serde_json::to_vec(request).ok()?,
        };
        let payload = self.compression.pack(self.content_type(), bytes)?;
        Some((payload, count(request) as u64))
    }
}

/// Whatever its encoding: another process may have left it on disk.
fn decoded(payload: &Payload) -> Option<ExportTraceServiceRequest> {
    let bytes = unpacked(payload)?;
    match payload.headers.get(CONTENT_TYPE)?.to_str().ok()? {
        PROTOBUF => Message::decode(bytes.as_slice()).ok(),
        #[cfg(feature = "http-json")]
        JSON => serde_json::from_slice(&bytes).ok(),
        _ => None,
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

fn count(request: &ExportTraceServiceRequest) -> usize {
    request
        .resource_spans
        .iter()
        .flat_map(|resource| &resource.scope_spans)
        .map(|scope| scope.spans.len())
        .sum()
}

/// Cuts every text of a request; says whether one was too long.
fn cut_texts(request: &mut ExportTraceServiceRequest, limit: usize) -> bool {
    let mut is_cut = false;
    for part in &mut request.resource_spans {
        let resource = part.resource.iter_mut().flat_map(|it| &mut it.attributes);
        is_cut |= cut_attributes(resource, limit);
        for part in &mut part.scope_spans {
            if let Some(scope) = &mut part.scope {
                is_cut |= limits::shorten(&mut scope.name, limit);
                is_cut |= limits::shorten(&mut scope.version, limit);
                is_cut |= cut_attributes(&mut scope.attributes, limit);
            }
            for span in &mut part.spans {
                is_cut |= cut_span(span, limit);
            }
        }
    }
    is_cut
}

fn cut_span(span: &mut Span, limit: usize) -> bool {
    let mut is_cut = limits::shorten(&mut span.name, limit);
    is_cut |= cut_attributes(&mut span.attributes, limit);
    if let Some(status) = &mut span.status {
        is_cut |= limits::shorten(&mut status.message, limit);
    }
    for event in &mut span.events {
        is_cut |= limits::shorten(&mut event.name, limit);
        is_cut |= cut_attributes(&mut event.attributes, limit);
    }
    for link in &mut span.links {
        is_cut |= cut_attributes(&mut link.attributes, limit);
    }
    is_cut
}

fn cut_attributes<'a>(
    attributes: impl IntoIterator<Item = &'a mut KeyValue>,
    limit: usize,
) -> bool {
    let values = attributes.into_iter().filter_map(|it| it.value.as_mut());
    values.fold(false, |any, value| any | cut_value(value, limit))
}

fn cut_value(value: &mut AnyValue, limit: usize) -> bool {
    match &mut value.value {
        Some(Value::StringValue(text)) => limits::shorten(text, limit),
        Some(Value::ArrayValue(array)) => array
            .values
            .iter_mut()
            .fold(false, |any, item| any | cut_value(item, limit)),
        _ => false,
    }
}

/// The first `at` spans, and the others.
fn split(
    request: ExportTraceServiceRequest,
    mut at: usize,
) -> (ExportTraceServiceRequest, ExportTraceServiceRequest) {
    let mut first = ExportTraceServiceRequest::default();
    let mut second = ExportTraceServiceRequest::default();
    for resource in request.resource_spans {
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        for mut scope in resource.scope_spans {
            let rest = scope.spans.split_off(at.min(scope.spans.len()));
            at -= scope.spans.len();
            tail.push(ScopeSpans {
                spans: rest,
                scope: scope.scope.clone(),
                schema_url: scope.schema_url.clone(),
            });
            head.push(scope);
        }
        let of = |scopes: Vec<ScopeSpans>| ResourceSpans {
            resource: resource.resource.clone(),
            schema_url: resource.schema_url.clone(),
            scope_spans: scopes
                .into_iter()
                .filter(|scope| !scope.spans.is_empty())
                .collect(),
        };
        first.resource_spans.push(of(head));
        second.resource_spans.push(of(tail));
    }
    (first, second)
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
