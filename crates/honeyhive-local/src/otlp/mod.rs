//! OTLP: spans in protobuf or JSON, and the events they become.

mod attributes;
mod base64;
mod event;
mod json;
mod protobuf;
mod span;

use crate::model::{LocalEvent, LocalSession};

pub(crate) use json::spans as spans_from_json;
pub(crate) use protobuf::spans as spans_from_protobuf;
pub(crate) use span::Span;

/// A span that came in, as an event, and the session to make should it be unknown.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) event: LocalEvent,
    pub(crate) auto_create: Option<LocalSession>,
}

/// What a span becomes.
pub(crate) fn arrival(span: Span) -> Arrival {
    event::arrival(span)
}
