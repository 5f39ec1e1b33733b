//! A span has a weight, and one that weighs too much is cut.

use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::load::Load;
use crate::model::limits;
use crate::model::object::ALLOCATION;

/// The delivery thread keeps this many bytes of a span besides its data, in a queue that may be half empty.
const SPAN_BYTES: usize = 2 * size_of::<SpanData>() + 256;

/// Cuts a span down to the limits, and returns its load.
pub(crate) fn fit_span(span: &mut SpanData) -> Load {
    let load = span_load(span);
    if limits::fit_span(span, load.bytes) {
        return span_load(span);
    }
    load
}

/// Returns the load of a span.
pub(crate) fn span_load(span: &SpanData) -> Load {
    Load::one(span_bytes(span))
}

/// Returns a rough count of the bytes a span holds in memory.
fn span_bytes(span: &SpanData) -> usize {
    let events: usize = span
        .events
        .iter()
        .map(|event| 64 + event.name.len() + attributes_bytes(&event.attributes))
        .sum();
    let links: usize = span
        .links
        .iter()
        .map(|link| 64 + attributes_bytes(&link.attributes))
        .sum();
    // Attributes that were added one by one hold room for more.
    let room = span.attributes.capacity() - span.attributes.len();
    SPAN_BYTES
        + span.name.len()
        + room * size_of::<KeyValue>()
        + attributes_bytes(&span.attributes)
        + events
        + links
}

fn attributes_bytes(attributes: &[KeyValue]) -> usize {
    attributes
        .iter()
        .map(|attribute| size_of::<KeyValue>() + value_bytes(&attribute.value))
        .sum()
}

#[inline]
fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len() + ALLOCATION,
        Value::Array(_) => array_bytes(value),
        _ => 0,
    }
}

#[cold]
fn array_bytes(array: &Value) -> usize {
    match array {
        Value::Array(Array::String(texts)) => texts
            .iter()
            .map(|text| size_of::<StringValue>() + text.as_str().len() + ALLOCATION)
            .sum(),
        Value::Array(Array::I64(numbers)) => numbers.len() * 8,
        Value::Array(Array::F64(numbers)) => numbers.len() * 8,
        Value::Array(Array::Bool(flags)) => flags.len(),
        _ => 0,
    }
}
