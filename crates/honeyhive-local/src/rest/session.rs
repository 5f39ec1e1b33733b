//! The body and the answer of `POST /v1/sessions` are types here.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Invalid, fields};
use crate::model::{Bucket, Buckets, LocalSession, Object, milliseconds, now, parse_uuid};

/// A session can be created with these buckets. Metrics and feedback are not among the documented fields, so they are
/// ignored here as any unknown field is: they come with an update.
const AT_CREATION: [Bucket; 5] = [
    Bucket::Inputs,
    Bucket::Outputs,
    Bucket::Metadata,
    Bucket::Config,
    Bucket::UserProperties,
];

/// `POST /v1/sessions` takes these fields and no others; its legacy twin is open.
const FIELDS: [&str; 13] = [
    "session_id",
    "session_name",
    "event_name",
    "source",
    "start_time",
    "end_time",
    "duration",
    "config",
    "inputs",
    "outputs",
    "metadata",
    "user_properties",
    "children_ids",
];

/// Refuses what the strict route does not take.
pub(crate) fn check_fields(body: &Value) -> Result<(), Invalid> {
    fields::only(body, &FIELDS)
}

/// Reads a session as it is posted.
pub(crate) fn parse(body: &Value) -> Result<LocalSession, Invalid> {
    let Value::Object(fields) = body else {
        return Err(Invalid("a session must be a JSON object".to_owned()));
    };
    let mut session = described(fields, body)?;
    for bucket in AT_CREATION {
        let sent = fields::object(fields, bucket.name())?;
        *session.bucket_mut(bucket) = sent.unwrap_or_default();
    }
    session.settle_duration();
    Ok(session)
}

/// Returns the session without its buckets.
fn described(body: &Object, raw: &Value) -> Result<LocalSession, Invalid> {
    let name = fields::text(body, "event_name");
    Ok(LocalSession {
        session_id: session_id(body),
        name: name.or_else(|| fields::text(body, "session_name")),
        source: fields::text(body, "source"),
        project: fields::text(body, "project"),
        error: fields::text(body, "error"),
        start_time: fields::time(body, "start_time").unwrap_or_else(now),
        end_time: fields::time(body, "end_time"),
        duration: fields::number(body, "duration")?,
        children_ids: fields::texts(body, "children_ids")?.unwrap_or_default(),
        posts: 1,
        raw: raw.clone(),
        ..LocalSession::default()
    })
}

/// Returns the id that was sent if it is a UUID; otherwise, without a word, a new one.
fn session_id(body: &Object) -> String {
    let sent = body.get("session_id").and_then(Value::as_str);
    let sent = sent.and_then(parse_uuid);
    sent.unwrap_or_else(|| Uuid::new_v4().to_string())
}

/// Returns the session as HoneyHive answers a post with it.
pub(crate) fn answer(session: &LocalSession) -> Value {
    json!({
        "event_id": session.session_id,
        "session_id": session.session_id,
        "org_id": "org_local",
        "workspace_id": "ws_local",
        "project_id": "proj_local",
        "parent_id": null,
        "children_ids": session.children_ids,
        "event_type": "session",
        "event_name": session.name.as_deref().unwrap_or("unknown"),
        "source": session.source.as_deref().unwrap_or("unknown"),
        "inputs": session.inputs,
        "outputs": session.outputs,
        "metadata": session.metadata,
        "metrics": session.metrics,
        "feedback": session.feedback,
        "config": session.config,
        "user_properties": session.user_properties,
        "error": session.error,
        "start_time": milliseconds(session.start_time),
        "end_time": session.end_time.map(milliseconds),
        "duration": session.duration,
    })
}

impl LocalSession {
    /// Computes the duration where only start and end are known.
    pub(super) fn settle_duration(&mut self) {
        if self.duration.is_none() {
            self.duration = self.end_time.map(|end| (end - self.start_time).max(0.0));
        }
    }
}
