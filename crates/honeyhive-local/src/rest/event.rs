//! Events are posted by `POST /v1/events` and its relatives.

use serde_json::{Value, json};
use uuid::Uuid;

use super::shape::{Kind, Shape};
use super::{Invalid, fields};
use crate::model::{
    Bucket, Buckets, LocalEvent, LocalSession, Object, milliseconds, named_id, now, parse_uuid,
};

const TYPES: [&str; 4] = ["model", "tool", "chain", "session"];

/// `POST /v1/events` and the batches under `/v1` take these fields and no others.
const STRICT: Shape = Shape {
    strict: true,
    required: &["event_type", "inputs"],
    fields: &[
        ("event_type", Kind::OneOf(&TYPES)),
        ("inputs", Kind::Object),
        ("project_id", Kind::Text),
        ("source", Kind::Text),
        ("event_name", Kind::Text),
        ("event_id", Kind::Text),
        ("session_id", Kind::Text),
        ("parent_id", Kind::Text),
        ("children_ids", Kind::Texts),
        ("config", Kind::Object),
        ("outputs", Kind::Object),
        ("metadata", Kind::Object),
        ("feedback", Kind::Object),
        ("metrics", Kind::Object),
        ("user_properties", Kind::Object),
        ("error", Kind::Text),
        ("start_time", Kind::Number),
        ("end_time", Kind::Number),
        ("duration", Kind::Number),
    ],
};

/// These fields of a model event are moved before it is kept, each to its bucket under its new name.
const MODEL_ALIASES: [(&str, Bucket, &str); 14] = [
    ("model", Bucket::Config, "model"),
    ("model_name", Bucket::Config, "model"),
    ("model_version", Bucket::Config, "model_version"),
    ("provider", Bucket::Config, "provider"),
    ("hyperparameters", Bucket::Config, "hyperparameters"),
    ("template", Bucket::Config, "template"),
    ("tools", Bucket::Config, "tools"),
    ("tool_choice", Bucket::Config, "tool_choice"),
    ("response_format", Bucket::Config, "response_format"),
    ("messages", Bucket::Inputs, "chat_history"),
    ("template_inputs", Bucket::Inputs, "template_inputs"),
    ("response", Bucket::Outputs, "response"),
    ("usage", Bucket::Metadata, "usage"),
    ("cost", Bucket::Metadata, "cost"),
];

/// A `Posted` event is a session of its own, or an event of one.
#[derive(Debug)]
pub(crate) enum Posted {
    Event(Box<LocalEvent>),
    /// An event of type `session` is a session.
    Session(Box<LocalSession>),
}

/// `PostOptions` are the options with which an event is posted.
#[derive(Debug, Clone, Default)]
pub(crate) struct PostOptions {
    /// Whether unknown fields are refused and required ones asked for.
    pub(crate) strict: bool,
    /// The session that all events of the request belong to, whatever they say.
    pub(crate) session_id: Option<String>,
    /// Whether the body is a model event, with names of its own.
    pub(crate) model: bool,
}

/// Reads an event as it is posted.
pub(crate) fn parse(body: &Value, options: &PostOptions) -> Result<Posted, Invalid> {
    if options.strict {
        STRICT.read(body)?;
    }
    let Value::Object(sent) = body else {
        return Err(Invalid("an event must be a JSON object".to_owned()));
    };
    let mut event = described(sent, options)?;
    for bucket in Bucket::ALL {
        let sent = fields::object(sent, bucket.name())?;
        *event.bucket_mut(bucket) = sent.unwrap_or_default();
    }
    if options.model {
        move_aliases(&mut event, sent);
    }
    if event.event_type == "session" {
        return Ok(Posted::Session(Box::new(as_session(event, body))));
    }
    Ok(Posted::Event(Box::new(event)))
}

/// Returns the event without its buckets.
fn described(sent: &Object, options: &PostOptions) -> Result<LocalEvent, Invalid> {
    let made = || Uuid::new_v4().to_string();
    let event_id = fields::text(sent, "event_id").and_then(|id| named_id(&id));
    let event_type = fields::text(sent, "event_type").map(|kind| kind.to_lowercase());
    let usual = if options.model { "model" } else { "tool" };
    let is_session = event_type.as_deref() == Some("session");
    let session_id = options.session_id.clone();
    let session_id = session_id.or_else(|| fields::text(sent, "session_id"));
    let session_id = session_id.or_else(|| event_id.clone().filter(|_| is_session));
    let session_id = session_id.and_then(|id| named_id(&id)).unwrap_or_else(made);
    let duration = fields::number(sent, "duration")?;
    let end = fields::number(sent, "end_time")?;
    let start = fields::time(sent, "start_time");
    let start = start.unwrap_or_else(|| end.unwrap_or_else(now) - duration.unwrap_or(0.0));
    let end = end.unwrap_or_else(|| start + duration.unwrap_or(0.0));
    Ok(LocalEvent {
        event_id: event_id.unwrap_or_else(made),
        parent_id: fields::text(sent, "parent_id").or_else(|| Some(session_id.clone())),
        session_id,
        event_type: event_type.unwrap_or_else(|| usual.to_owned()),
        event_name: fields::text(sent, "event_name").unwrap_or_else(|| "unknown".to_owned()),
        source: Some(fields::text(sent, "source").unwrap_or_else(|| "unknown".to_owned())),
        project: fields::text(sent, "project"),
        error: fields::text(sent, "error"),
        start_time_ms: start,
        end_time_ms: end,
        duration: duration.unwrap_or_else(|| (end - start).max(0.0)),
        children_ids: fields::texts(sent, "children_ids")?.unwrap_or_default(),
        ..LocalEvent::default()
    }
    .with_kept_ids())
}

fn move_aliases(event: &mut LocalEvent, sent: &Object) {
    event.event_type = "model".to_owned();
    for (alias, bucket, name) in MODEL_ALIASES {
        let Some(value) = sent.get(alias).filter(|value| !value.is_null()) else {
            continue;
        };
        let slot = event.bucket_mut(bucket).entry(name);
        slot.or_insert_with(|| value.clone());
    }
}

fn as_session(event: LocalEvent, raw: &Value) -> LocalSession {
    let session_id = parse_uuid(&event.session_id);
    LocalSession {
        session_id: session_id.unwrap_or_else(|| Uuid::new_v4().to_string()),
        name: Some(event.event_name),
        source: event.source,
        project: event.project,
        inputs: event.inputs,
        outputs: event.outputs,
        metadata: event.metadata,
        metrics: event.metrics,
        feedback: event.feedback,
        config: event.config,
        user_properties: event.user_properties,
        error: event.error,
        start_time: event.start_time_ms,
        end_time: raw.get("end_time").map(|_| event.end_time_ms),
        duration: raw.get("duration").map(|_| event.duration),
        children_ids: event.children_ids,
        posts: 1,
        raw: raw.clone(),
        ..LocalSession::default()
    }
}

/// Returns an event as HoneyHive answers with it.
pub(crate) fn answer(event: &LocalEvent) -> Value {
    json!({
        "event_id": event.event_id,
        "session_id": event.session_id,
        "project_id": "proj_local",
        "parent_id": event.parent_id,
        "children_ids": event.children_ids,
        "event_type": event.event_type,
        "event_name": event.event_name,
        "source": event.source.as_deref().unwrap_or("unknown"),
        "inputs": event.inputs,
        "outputs": event.outputs,
        "metadata": event.metadata,
        "metrics": event.metrics,
        "feedback": event.feedback,
        "config": event.config,
        "user_properties": event.user_properties,
        "error": event.error,
        "start_time": milliseconds(event.start_time_ms),
        "end_time": milliseconds(event.end_time_ms),
        "duration": event.duration,
    })
}
