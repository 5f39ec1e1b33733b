//! OTLP: spans in protobuf or JSON, and the events they become.

mod attributes;
mod event;
mod json;
mod protobuf;
mod span;

use crate::model::Arrival;

pub(crate) use json::spans as spans_from_json;
pub(crate) use protobuf::spans as spans_from_protobuf;
pub(crate) use span::Span;

/// What a span becomes.
pub(crate) fn arrival(span: Span) -> Arrival {
    event::arrival(span)
}
