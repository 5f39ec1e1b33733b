//! A span becomes an event: each attribute has a meaning to HoneyHive.

use serde_json::Value;
use uuid::Uuid;

use super::span::{Span, milliseconds};
use crate::meaning;
use crate::model::{Arrival, LocalEvent, LocalSession, Object, named_id, parse_uuid};

/// The attributes that may hold a span's session id, in this order.
const SESSION_IDS: [&str; 3] = [
    "honeyhive.session_id",
    "traceloop.association.properties.session_id",
    "session.id",
];

/// Returns the event that a span becomes.
pub(super) fn arrival(span: Span) -> Arrival {
    let session_id = session_id(&span.attributes);
    let auto_create = auto_created(&span, &session_id);
    let mut event = described(span, session_id);
    meaning::fill(&mut event);
    Arrival { event, auto_create }
}

/// Returns the event without its buckets.
fn described(span: Span, session_id: String) -> LocalEvent {
    let nanos = span.end_nanos.saturating_sub(span.start_nanos);
    LocalEvent {
        event_id: event_id(&span),
        session_id,
        event_type: meaning::event_type(&span.attributes),
        source: text(&span.attributes, "honeyhive.source"),
        project: text(&span.attributes, "honeyhive.project"),
        error: error(&span),
        start_time_ms: milliseconds(span.start_nanos),
        end_time_ms: milliseconds(span.end_nanos),
        duration: milliseconds(nanos),
        event_name: span.name,
        trace_id: span.trace_id,
        span_id: span.span_id,
        parent_span_id: span.parent_span_id,
        attributes: span.attributes,
        resource: span.resource,
        scope_name: span.scope_name,
        kind: span.kind,
        status: span.status,
        span_events: span.events,
        links: span.links,
        ..LocalEvent::default()
    }
}

fn session_id(attributes: &Object) -> String {
    let named = |key: &&str| named_id(&text(attributes, key)?);
    SESSION_IDS.iter().find_map(named).unwrap_or_default()
}

/// Returns the session to make if this one is unknown and the span asks for that.
fn auto_created(span: &Span, session_id: &str) -> Option<LocalSession> {
    let asked = match span.attributes.get("honeyhive.session_auto_create")? {
        Value::Bool(asked) => *asked,
        other => other.as_str() == Some("true"),
    };
    let name = text(&span.attributes, "honeyhive.session_name");
    let source = text(&span.attributes, "honeyhive.source");
    (asked && !session_id.is_empty()).then(|| LocalSession {
        session_id: session_id.to_owned(),
        name: Some(name.unwrap_or_else(|| "Session".to_owned())),
        source: Some(source.unwrap_or_else(|| "otlp".to_owned())),
        project: text(&span.attributes, "honeyhive.project"),
        start_time: milliseconds(span.start_nanos),
        auto_created: true,
        ..LocalSession::default()
    })
}

fn event_id(span: &Span) -> String {
    let sent = text(&span.attributes, "honeyhive_event_id");
    sent.and_then(|id| parse_uuid(&id)).unwrap_or_else(|| {
        let name = format!("{}:{}", span.trace_id, span.span_id);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
    })
}

fn error(span: &Span) -> Option<String> {
    let failed = span.status.code == "error";
    text(&span.attributes, "honeyhive_error").or_else(|| {
        failed.then(|| match span.status.message.as_str() {
            "" => "error".to_owned(),
            message => message.to_owned(),
        })
    })
}

fn text(attributes: &Object, key: &str) -> Option<String> {
    let text = attributes.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}
