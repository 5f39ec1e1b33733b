//! OTLP in its JSON encoding is read leniently: 64-bit integers as strings or numbers, enums as numbers or names, null
//! for what is absent (as the Python SDK writes it).

use serde_json::Value;

use super::span::{Span, double, kind_named, kind_of, milliseconds, status_named, status_of};
use crate::model::{LocalSpanEvent, LocalSpanLink, LocalStatus, Object};
use crate::rest::Invalid;

const TRACE_ID_DIGITS: usize = 32;
const SPAN_ID_DIGITS: usize = 16;

/// Returns the spans of an export request.
pub(crate) fn spans(body: &Value) -> Result<Vec<Span>, Invalid> {
    if !body.is_object() {
        return Err(Invalid(
            "an export request must be a JSON object".to_owned(),
        ));
    }
    let mut spans = Vec::new();
    for group in items(body, "resourceSpans")? {
        let resource = attributes(&group["resource"])?;
        for scope in items(group, "scopeSpans")? {
            let shared = Span {
                resource: resource.clone(),
                scope_name: text(&scope["scope"], "name"),
                ..Span::default()
            };
            for span in items(scope, "spans")? {
                spans.push(read_span(span, &shared)?);
            }
        }
    }
    Ok(spans)
}

fn read_span(span: &Value, shared: &Span) -> Result<Span, Invalid> {
    Ok(Span {
        trace_id: id(span, "traceId", TRACE_ID_DIGITS)?,
        span_id: id(span, "spanId", SPAN_ID_DIGITS)?,
        parent_span_id: parent(span)?,
        name: text(span, "name"),
        kind: numbered_or_named(&span["kind"], kind_of, kind_named),
        start_nanos: nanos(span, "startTimeUnixNano")?,
        end_nanos: nanos(span, "endTimeUnixNano")?,
        attributes: attributes(span)?,
        status: status(&span["status"]),
        events: items(span, "events")?
            .iter()
            .map(event)
            .collect::<Result<_, _>>()?,
        links: items(span, "links")?
            .iter()
            .map(link)
            .collect::<Result<_, _>>()?,
        ..shared.clone()
    })
}

fn status(status: &Value) -> LocalStatus {
    LocalStatus {
        code: numbered_or_named(&status["code"], status_of, status_named),
        message: text(status, "message"),
    }
}

fn event(event: &Value) -> Result<LocalSpanEvent, Invalid> {
    Ok(LocalSpanEvent {
        name: text(event, "name"),
        time_ms: milliseconds(nanos(event, "timeUnixNano")?),
        attributes: attributes(event)?,
    })
}

fn link(link: &Value) -> Result<LocalSpanLink, Invalid> {
    Ok(LocalSpanLink {
        trace_id: id(link, "traceId", TRACE_ID_DIGITS)?,
        span_id: id(link, "spanId", SPAN_ID_DIGITS)?,
        attributes: attributes(link)?,
    })
}

fn items<'v>(parent: &'v Value, key: &str) -> Result<&'v [Value], Invalid> {
    match &parent[key] {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        _ => Err(Invalid(format!("`{key}` must be an array"))),
    }
}

fn text(parent: &Value, key: &str) -> String {
    parent[key].as_str().unwrap_or_default().to_owned()
}

fn id(parent: &Value, key: &str, digits: usize) -> Result<String, Invalid> {
    let id = text(parent, key).to_ascii_lowercase();
    let is_hex = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if id.len() == digits && is_hex {
        return Ok(id);
    }
    Err(Invalid(format!("`{key}` must be {digits} hex digits")))
}

/// Returns the parent's id; absent, null, empty and all zero mean that there is no parent.
fn parent(span: &Value) -> Result<Option<String>, Invalid> {
    let sent = span["parentSpanId"].as_str().unwrap_or_default();
    if sent.bytes().all(|byte| byte == b'0') {
        return Ok(None);
    }
    id(span, "parentSpanId", SPAN_ID_DIGITS).map(Some)
}

fn nanos(parent: &Value, key: &str) -> Result<u64, Invalid> {
    let nanos = match &parent[key] {
        Value::Null => Some(0),
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    };
    nanos.ok_or_else(|| Invalid(format!("`{key}` must be nanoseconds, as digits")))
}

fn numbered_or_named(
    value: &Value,
    numbered: fn(i64) -> String,
    named: fn(&str) -> String,
) -> String {
    match value {
        Value::String(name) => named(name),
        number => numbered(number.as_i64().unwrap_or(0)),
    }
}

fn attributes(parent: &Value) -> Result<Object, Invalid> {
    let pairs = items(parent, "attributes")?.iter();
    Ok(pairs
        .map(|pair| (text(pair, "key"), any(&pair["value"])))
        .collect())
}

/// Reads an `AnyValue`, which is an object with one field that names the type.
fn any(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|fields| fields.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), value) {
        ("intValue", Value::String(digits)) => integer(digits),
        ("doubleValue", Value::Number(number)) => number.as_f64().map_or(Value::Null, double),
        ("arrayValue", list) => list_of(list).iter().map(any).collect(),
        ("kvlistValue", list) => pairs_of(list),
        _ => value.clone(),
    }
}

/// Reads an integer; those that 64 bits cannot hold, which the Python SDK sends, stay text.
fn integer(digits: &str) -> Value {
    let number = digits.parse::<i64>();
    number.map_or_else(|_| Value::String(digits.to_owned()), Value::from)
}

fn pairs_of(list: &Value) -> Value {
    let pairs = list_of(list).iter();
    let entries = pairs.map(|pair| (text(pair, "key"), any(&pair["value"])));
    Value::Object(entries.collect())
}

fn list_of(list: &Value) -> &[Value] {
    list["values"].as_array().map_or(&[], Vec::as_slice)
}
