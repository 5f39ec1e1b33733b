//! The bodies of experiment runs become records.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Invalid;
use super::dataset::new_id;
use super::shape::{Kind, Shape};
use crate::model::{Object, iso, named_id, now};

pub(crate) const STATUSES: [&str; 5] = ["pending", "completed", "failed", "cancelled", "running"];

/// An update may change these fields; a creation may give two more.
const CHANGED: Shape = Shape {
    strict: false,
    required: &[],
    fields: &[
        ("name", Kind::Filled),
        ("description", Kind::Text),
        ("status", Kind::OneOf(&STATUSES)),
        ("metadata", Kind::Object),
        ("results", Kind::Object),
        ("configuration", Kind::Object),
        ("event_ids", Kind::Texts),
        ("session_ids", Kind::Texts),
        ("datapoint_ids", Kind::Texts),
        ("evaluators", Kind::Array),
        ("passing_ranges", Kind::Object),
    ],
};

const NEW: Shape = Shape {
    strict: false,
    required: &[],
    fields: &[("run_id", Kind::Filled), ("dataset_id", Kind::Text)],
};

/// A run keeps these fields and does not answer with them.
const HIDDEN: [&str; 4] = [
    "session_ids",
    "datapoint_ids",
    "evaluators",
    "passing_ranges",
];

/// Returns the fields that a body gives a run, with its id.
pub(crate) fn new_run(body: &Value) -> Result<(String, Object), Invalid> {
    let mut fields = changed_run(body)?;
    let more = NEW.read(body)?;
    let made = || Uuid::new_v4().to_string();
    let id = more
        .get("run_id")
        .and_then(Value::as_str)
        .and_then(named_id);
    let dataset = more.get("dataset_id").cloned();
    fields.extend(dataset.map(|dataset| ("dataset_id".to_owned(), dataset)));
    Ok((id.unwrap_or_else(made), fields))
}

/// Returns the fields of a run that a body changes.
pub(crate) fn changed_run(body: &Value) -> Result<Object, Invalid> {
    let mut fields = CHANGED.read(body)?;
    if let Some(Value::String(name)) = fields.get_mut("name") {
        *name = name.trim().to_owned();
    }
    Ok(fields)
}

/// Returns a run of which nothing is known but its id.
pub(crate) fn blank_run(run_id: &str) -> Value {
    let created = iso(now());
    json!({
        "id": new_id(),
        "run_id": run_id,
        "name": null,
        "description": null,
        "status": "pending",
        "metadata": {},
        "results": {},
        "configuration": {},
        "event_ids": [],
        "session_ids": [],
        "datapoint_ids": [],
        "evaluators": [],
        "passing_ranges": {},
        "dataset_id": null,
        "is_active": true,
        "scope_type": "project",
        "scope_id": "proj_local",
        "created_at": created,
        "updated_at": created,
    })
}

/// Returns a run as HoneyHive answers with it.
pub(crate) fn run_answer(run: &Value, dataset_name: Option<&str>) -> Value {
    let mut answer = run.clone();
    if let Some(fields) = answer.as_object_mut() {
        fields.retain(|name, _| !HIDDEN.contains(&name.as_str()));
        fields.insert("dataset_name".to_owned(), dataset_name.into());
    }
    answer
}
