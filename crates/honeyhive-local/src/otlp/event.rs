//! From span to event: what each attribute means to HoneyHive.

use serde_json::Value;
use uuid::Uuid;

use super::attributes;
use super::span::{Span, milliseconds};
use crate::model::{
    Arrival, Bucket, Buckets, LocalEvent, LocalSession, Object, canonical_id, parse_uuid,
};

/// Where a span's session id is looked for, in this order.
const SESSION_IDS: [&str; 3] = [
    "honeyhive.session_id",
    "traceloop.association.properties.session_id",
    "session.id",
];

/// Attributes that route a span and are no part of the event.
const PROTOCOL: [&str; 2] = ["honeyhive.", "traceloop.association.properties."];

/// Attributes with a place of their own.
const CONSUMED: [&str; 3] = [
    "honeyhive_error",
    "honeyhive_event_id",
    "honeyhive_event_type",
];

/// The basics of the GenAI conventions: attribute, bucket, key. Of two for one key the first wins.
const GEN_AI: [(&str, Bucket, &str); 10] = [
    ("gen_ai.request.model", Bucket::Config, "model"),
    ("gen_ai.provider.name", Bucket::Config, "provider"),
    ("gen_ai.system", Bucket::Config, "provider"),
    ("gen_ai.system", Bucket::Metadata, "system"),
    ("gen_ai.response.model", Bucket::Metadata, "response_model"),
    (
        "gen_ai.response.finish_reasons",
        Bucket::Metadata,
        "finish_reasons",
    ),
    (
        "gen_ai.conversation.id",
        Bucket::Metadata,
        "conversation_id",
    ),
    ("gen_ai.tool.name", Bucket::Metadata, "tool_name"),
    ("gen_ai.tool.call.id", Bucket::Metadata, "tool_call_id"),
    ("gen_ai.agent.name", Bucket::Metadata, "agent_name"),
];

/// Token counts keep their names.
const GEN_AI_USAGE: &str = "gen_ai.usage.";

/// What a span becomes.
pub(super) fn arrival(span: Span) -> Arrival {
    let session_id = session_id(&span.attributes);
    let auto_create = auto_created(&span, &session_id);
    let mut event = described(span, session_id);
    fill_buckets(&mut event);
    Arrival { event, auto_create }
}

/// All but the buckets.
fn described(span: Span, session_id: String) -> LocalEvent {
    let nanos = span.end_nanos.saturating_sub(span.start_nanos);
    LocalEvent {
        event_id: event_id(&span),
        session_id,
        event_type: event_type(&span.attributes),
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
    let mut keys = SESSION_IDS.iter();
    let id = keys.find_map(|key| text(attributes, key));
    canonical_id(&id.unwrap_or_default())
}

/// The session to make if this one is unknown and the span asks for that.
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

fn event_type(attributes: &Object) -> String {
    let sent = text(attributes, "honeyhive_event_type");
    sent.map_or_else(|| "tool".to_owned(), |kind| kind.to_lowercase())
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

fn fill_buckets(event: &mut LocalEvent) {
    let attributes = event.attributes.clone();
    for (key, value) in &attributes {
        if let Some((bucket, path)) = honeyhive_bucket(key) {
            attributes::insert(event.bucket_mut(bucket), path, value.clone());
        }
    }
    for bucket in Bucket::ALL {
        attributes::restore_arrays(event.bucket_mut(bucket));
    }
    // What was set explicitly is never replaced, so the rest comes after.
    for (key, bucket, name) in GEN_AI {
        fill(event, bucket, name, attributes.get(key));
    }
    for (key, value) in &attributes {
        if let Some(name) = metadata_name(key) {
            fill(event, Bucket::Metadata, name, Some(value));
        }
    }
}

fn fill(event: &mut LocalEvent, bucket: Bucket, name: &str, value: Option<&Value>) {
    if let Some(value) = value {
        let slot = event.bucket_mut(bucket).entry(name);
        slot.or_insert_with(|| value.clone());
    }
}

/// `honeyhive_inputs.a.b` is `a.b` in the inputs.
fn honeyhive_bucket(key: &str) -> Option<(Bucket, &str)> {
    let (name, path) = key.strip_prefix("honeyhive_")?.split_once('.')?;
    Some((Bucket::named(name)?, path))
}

/// Under what name an attribute that nothing else claims goes to the metadata.
fn metadata_name(key: &str) -> Option<&str> {
    let is_protocol = PROTOCOL.iter().any(|prefix| key.starts_with(prefix));
    let is_placed = GEN_AI.iter().any(|(attribute, ..)| *attribute == key);
    let is_consumed = CONSUMED.contains(&key) || honeyhive_bucket(key).is_some();
    if is_protocol || is_placed || is_consumed {
        return None;
    }
    Some(key.strip_prefix(GEN_AI_USAGE).unwrap_or(key))
}

fn text(attributes: &Object, key: &str) -> Option<String> {
    let text = attributes.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}
