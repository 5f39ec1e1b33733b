//! Events can be posted together.

use serde_json::Value;
use uuid::Uuid;

use super::shape::{Kind, Shape};
use super::{Invalid, parse_session};
use crate::model::LocalSession;

const BATCH: Shape = Shape {
    strict: true,
    required: &["events"],
    fields: &[
        ("events", Kind::Array),
        ("single_session", Kind::Bool),
        ("session_properties", Kind::Object),
    ],
};

const SESSION_BATCH: Shape = Shape {
    strict: true,
    required: &["events"],
    fields: &[("events", Kind::Array)],
};

/// Refuses what `POST /v1/events/batch` does not take.
pub(crate) fn check_batch(body: &Value) -> Result<(), Invalid> {
    BATCH.read(body).map(drop)
}

/// Refuses what `POST /v1/sessions/{id}/events/batch` does not take.
pub(crate) fn check_session_batch(body: &Value) -> Result<(), Invalid> {
    SESSION_BATCH.read(body).map(drop)
}

/// Returns the session that all events of a batch go to, where the batch asks for one: under its name today or of old.
pub(crate) fn single_session(body: &Value) -> Result<Option<LocalSession>, Invalid> {
    let asks = |name: &str| body.get(name).and_then(Value::as_bool) == Some(true);
    if !asks("single_session") && !asks("is_single_session") {
        return Ok(None);
    }
    let sent = |name: &str| body.get(name).filter(|value| value.is_object());
    let mut described = sent("session_properties")
        .or_else(|| sent("session"))
        .cloned()
        .unwrap_or_else(|| serde_json::json!({}));
    described["session_id"] = Uuid::new_v4().to_string().into();
    parse_session(&described).map(Some)
}
