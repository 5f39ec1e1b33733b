//! The bodies of metrics and their versions become records.

use serde_json::{Value, json};

use super::Invalid;
use super::dataset::new_id;
use super::shape::{Kind, Shape};
use crate::model::{Object, iso, now};

const TYPES: [&str; 4] = ["PYTHON", "LLM", "HUMAN", "COMPOSITE"];
const RETURNS: [&str; 4] = ["float", "boolean", "string", "categorical"];

const FIELDS: &[(&str, Kind)] = &[
    ("name", Kind::Name),
    ("type", Kind::OneOf(&TYPES)),
    ("criteria", Kind::Filled),
    ("description", Kind::Text),
    ("return_type", Kind::OneOf(&RETURNS)),
    ("enabled_in_prod", Kind::Bool),
    ("needs_ground_truth", Kind::Bool),
    ("sampling_percentage", Kind::Number),
    ("model_provider", Kind::Text),
    ("model_name", Kind::Text),
    ("scale", Kind::Number),
    ("threshold", Kind::Object),
    ("categories", Kind::Objects),
    ("child_metrics", Kind::Any),
    ("filters", Kind::Object),
];

const NEW: Shape = Shape {
    strict: true,
    required: &["name", "type", "criteria"],
    fields: FIELDS,
};

const CHANGED: Shape = Shape {
    strict: true,
    required: &[],
    fields: FIELDS,
};

const VERSION: Shape = Shape {
    strict: true,
    required: &["message", "content"],
    fields: &[
        ("message", Kind::Text),
        ("content", Kind::Object),
        ("deploy_immediately", Kind::Bool),
    ],
};

const RUN: Shape = Shape {
    strict: true,
    required: &["metric", "event"],
    fields: &[("metric", Kind::Object), ("event", Kind::Object)],
};

const THRESHOLD: Shape = Shape {
    strict: true,
    required: &[],
    fields: &[
        ("min", Kind::Number),
        ("max", Kind::Number),
        ("pass_when", Kind::Any),
        ("passing_categories", Kind::Texts),
    ],
};

/// Returns a metric as it is kept and answered.
pub(crate) fn new_metric(body: &Value) -> Result<Value, Invalid> {
    let sent = checked(NEW.read(body)?)?;
    let created = iso(now());
    let mut metric = completed(&sent);
    metric["id"] = new_id().into();
    metric["created_at"] = created.as_str().into();
    metric["updated_at"] = created.into();
    Ok(metric)
}

/// Returns the fields of a metric that a body changes.
pub(crate) fn changed_metric(body: &Value) -> Result<Object, Invalid> {
    checked(CHANGED.read(body)?)
}

/// Returns the changed fields of a metric, and its id from the body.
pub(crate) fn changed_metric_legacy(body: &Value) -> Result<(String, Object), Invalid> {
    let mut body = body.clone();
    let id = body.as_object_mut().and_then(|fields| fields.remove("id"));
    let id = id.as_ref().and_then(Value::as_str);
    let id = id.ok_or_else(|| Invalid("`id` is missing".to_owned()))?;
    Ok((id.to_owned(), changed_metric(&body)?))
}

/// Returns a version of a metric, and whether it is deployed at once.
pub(crate) fn new_version(body: &Value, number: usize) -> Result<(Value, bool), Invalid> {
    let sent = VERSION.read(body)?;
    let content = checked(NEW.read(&sent["content"])?)?;
    let is_llm = content.get("type").and_then(Value::as_str) == Some("LLM");
    let names_model = content.contains_key("model_provider") && content.contains_key("model_name");
    if is_llm && !names_model {
        return Err(Invalid(
            "an LLM metric needs `model_provider` and `model_name`".to_owned(),
        ));
    }
    let version = json!({
        "name": format!("v{number}"),
        "full_sha": uuid::Uuid::new_v4().simple().to_string(),
        "message": sent["message"],
        "date": iso(now()),
        "deployed": false,
        "content": completed(&content),
    });
    let at_once = sent.get("deploy_immediately") == Some(&Value::Bool(true));
    Ok((version, at_once))
}

/// Returns the metric and the event of a trial run.
pub(crate) fn trial(body: &Value) -> Result<(Object, Value), Invalid> {
    let sent = RUN.read(body)?;
    let metric = checked(NEW.read(&sent["metric"])?)?;
    match metric.get("type").and_then(Value::as_str) {
        Some("LLM" | "PYTHON") => Ok((metric, sent["event"].clone())),
        _ => Err(Invalid("`metric.type` must be LLM or PYTHON".to_owned())),
    }
}

fn checked(sent: Object) -> Result<Object, Invalid> {
    if sent.get("type").and_then(Value::as_str) == Some("COMPOSITE") {
        return Err(Invalid("COMPOSITE metrics are no longer made".to_owned()));
    }
    let sampling = sent.get("sampling_percentage").and_then(Value::as_f64);
    if sampling.is_some_and(|percentage| !(0.0..=100.0).contains(&percentage)) {
        return Err(Invalid(
            "`sampling_percentage` must be from 0 to 100".to_owned(),
        ));
    }
    if let Some(threshold) = sent.get("threshold") {
        THRESHOLD.read(threshold)?;
    }
    Ok(sent)
}

/// Returns a definition with its defaults.
fn completed(sent: &Object) -> Value {
    let or = |name: &str, usual: Value| sent.get(name).cloned().unwrap_or(usual);
    json!({
        "name": or("name", Value::Null),
        "type": or("type", Value::Null),
        "criteria": or("criteria", Value::Null),
        "description": or("description", "".into()),
        "return_type": or("return_type", "float".into()),
        "enabled_in_prod": or("enabled_in_prod", false.into()),
        "needs_ground_truth": or("needs_ground_truth", false.into()),
        "sampling_percentage": or("sampling_percentage", 10.into()),
        "model_provider": or("model_provider", Value::Null),
        "model_name": or("model_name", Value::Null),
        "scale": or("scale", Value::Null),
        "threshold": or("threshold", Value::Null),
        "categories": or("categories", Value::Null),
        "filters": or("filters", json!({ "filterArray": [] })),
    })
}
