//! OTLP has a binary encoding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message;
use serde_json::Value;

use super::scan;
use super::span::{Span, double, kind_of, milliseconds, status_of};
use crate::model::{LocalSpanEvent, LocalSpanLink, LocalStatus, Object};
use crate::rest::Invalid;

const TRACE_ID_BYTES: usize = 16;
const SPAN_ID_BYTES: usize = 8;

/// Returns the spans of an export request.
pub(crate) fn spans(body: &[u8]) -> Result<Vec<Span>, Invalid> {
    scan::records(body, &scan::TRACES)?;
    let request = ExportTraceServiceRequest::decode(body);
    let request = request.map_err(|error| Invalid(format!("invalid protobuf: {error}")))?;
    let mut spans = Vec::new();
    for group in request.resource_spans {
        let resource = object(group.resource.unwrap_or_default().attributes);
        for scope in group.scope_spans {
            let shared = Span {
                resource: resource.clone(),
                scope_name: scope.scope.unwrap_or_default().name,
                ..Span::default()
            };
            for span in scope.spans {
                spans.push(read_span(span, &shared)?);
            }
        }
    }
    Ok(spans)
}

fn read_span(span: proto::Span, shared: &Span) -> Result<Span, Invalid> {
    let links = span.links.into_iter().map(link);
    Ok(Span {
        trace_id: id(&span.trace_id, TRACE_ID_BYTES)?,
        span_id: id(&span.span_id, SPAN_ID_BYTES)?,
        parent_span_id: parent(&span.parent_span_id)?,
        name: span.name,
        kind: kind_of(span.kind.into()),
        start_nanos: span.start_time_unix_nano,
        end_nanos: span.end_time_unix_nano,
        attributes: object(span.attributes),
        status: status(span.status.unwrap_or_default()),
        events: span.events.into_iter().map(event).collect(),
        links: links.collect::<Result<_, _>>()?,
        ..shared.clone()
    })
}

fn status(status: proto::Status) -> LocalStatus {
    LocalStatus {
        code: status_of(status.code.into()),
        message: status.message,
    }
}

fn event(event: proto::span::Event) -> LocalSpanEvent {
    LocalSpanEvent {
        name: event.name,
        time_ms: milliseconds(event.time_unix_nano),
        attributes: object(event.attributes),
    }
}

fn link(link: proto::span::Link) -> Result<LocalSpanLink, Invalid> {
    Ok(LocalSpanLink {
        trace_id: id(&link.trace_id, TRACE_ID_BYTES)?,
        span_id: id(&link.span_id, SPAN_ID_BYTES)?,
        attributes: object(link.attributes),
    })
}

/// Returns the parent's id; empty and all zero mean that there is no parent.
fn parent(bytes: &[u8]) -> Result<Option<String>, Invalid> {
    if bytes.iter().all(|&byte| byte == 0) {
        return Ok(None);
    }
    id(bytes, SPAN_ID_BYTES).map(Some)
}

fn id(bytes: &[u8], length: usize) -> Result<String, Invalid> {
    if bytes.len() != length {
        return Err(Invalid(format!(
            "a trace or span id must be {length} bytes"
        )));
    }
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn object(pairs: Vec<KeyValue>) -> Object {
    let entries = pairs.into_iter();
    entries.map(|pair| (pair.key, value(pair.value))).collect()
}

fn value(value: Option<AnyValue>) -> Value {
    match value.and_then(|value| value.value) {
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::BoolValue(flag)) => Value::Bool(flag),
        Some(Kind::IntValue(number)) => Value::from(number),
        Some(Kind::DoubleValue(number)) => double(number),
        Some(Kind::BytesValue(bytes)) => Value::String(BASE64.encode(bytes)),
        Some(Kind::KvlistValue(list)) => Value::Object(object(list.values)),
        Some(Kind::ArrayValue(array)) => {
            let values = array.values.into_iter();
            values.map(|item| self::value(Some(item))).collect()
        }
        // A `StringValueStrindex` is a reference into a table that only profiles have.
        None | Some(Kind::StringValueStrindex(_)) => Value::Null,
    }
}
