//! Configurations, queues and charts are plain records.

use serde_json::{Value, json};

use super::Invalid;
use super::dataset::new_id;
use super::shape::{Kind, Shape};
use crate::model::{Object, iso, now};

const CONFIGURATION_FIELDS: &[(&str, Kind)] = &[
    ("name", Kind::Name),
    ("provider", Kind::Filled),
    ("parameters", Kind::Object),
    ("type", Kind::OneOf(&["LLM", "pipeline"])),
    ("env", Kind::Texts),
    ("tags", Kind::Texts),
    ("user_properties", Kind::Object),
];

const NEW_CONFIGURATION: Shape = Shape {
    strict: true,
    required: &["name", "provider", "parameters"],
    fields: CONFIGURATION_FIELDS,
};

const CHANGED_CONFIGURATION: Shape = Shape {
    strict: true,
    required: &["name"],
    fields: CONFIGURATION_FIELDS,
};

const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

const NEW_QUEUE: Shape = Shape {
    strict: false,
    required: &["name"],
    fields: &[
        ("name", Kind::Name),
        ("description", Kind::Text),
        ("filters", Kind::Object),
        ("enabled", Kind::Bool),
        ("event_ids", Kind::Texts),
    ],
};

const CHANGED_QUEUE: Shape = Shape {
    strict: false,
    required: &["id"],
    fields: &[
        ("id", Kind::Filled),
        ("name", Kind::Name),
        ("description", Kind::Text),
        ("filters", Kind::Object),
        ("enabled", Kind::Bool),
        ("add_event_ids", Kind::Texts),
        ("remove_event_ids", Kind::Texts),
    ],
};

const BUCKETS: [&str; 7] = [
    "minute",
    "five_minute",
    "hour",
    "day",
    "week",
    "month",
    "auto",
];

const CHART_FIELDS: &[(&str, Kind)] = &[
    ("name", Kind::Name),
    ("metric", Kind::Filled),
    ("description", Kind::Text),
    ("func", Kind::Text),
    ("groupBy", Kind::Text),
    ("bucketing", Kind::OneOf(&BUCKETS)),
    ("dateRange", Kind::Object),
    ("query", Kind::Objects),
    ("owner_id", Kind::Filled),
];

const NEW_CHART: Shape = Shape {
    strict: true,
    required: &["name", "metric"],
    fields: CHART_FIELDS,
};

const CHANGED_CHART: Shape = Shape {
    strict: true,
    required: &[],
    fields: CHART_FIELDS,
};

/// Returns a configuration as it is kept and answered.
pub(crate) fn new_configuration(body: &Value) -> Result<Value, Invalid> {
    let sent = checked(NEW_CONFIGURATION.read(body)?)?;
    let or = |name: &str, usual: Value| sent.get(name).cloned().unwrap_or(usual);
    Ok(json!({
        "id": new_id(),
        "name": sent["name"],
        "type": or("type", "LLM".into()),
        "provider": sent["provider"],
        "parameters": sent["parameters"],
        "env": or("env", json!([])),
        "tags": or("tags", json!([])),
        "user_properties": or("user_properties", Value::Null),
        "created_at": iso(now()),
        "updated_at": Value::Null,
    }))
}

/// Returns the fields of a configuration that a body changes: its type is `LLM` again where the body names none.
pub(crate) fn changed_configuration(body: &Value) -> Result<Object, Invalid> {
    let mut changes = checked(CHANGED_CONFIGURATION.read(body)?)?;
    changes.entry("type").or_insert_with(|| "LLM".into());
    Ok(changes)
}

fn checked(sent: Object) -> Result<Object, Invalid> {
    let env = sent.get("env").and_then(Value::as_array);
    let mut env = env.into_iter().flatten().filter_map(Value::as_str);
    if env.any(|name| !ENVIRONMENTS.contains(&name)) {
        return Err(Invalid("`env` must hold dev, staging or prod".to_owned()));
    }
    Ok(sent)
}

/// Returns a queue as it is kept.
pub(crate) fn new_queue(body: &Value) -> Result<Value, Invalid> {
    let sent = NEW_QUEUE.read(body)?;
    let or = |name: &str, usual: Value| sent.get(name).cloned().unwrap_or(usual);
    Ok(json!({
        "id": new_id(),
        "name": sent["name"],
        "description": or("description", "".into()),
        "filters": or("filters", json!({ "filterArray": [] })),
        "enabled": or("enabled", true.into()),
        "event_ids": or("event_ids", json!([])),
        "scope_type": "project",
        "scope_id": "proj_local",
        "is_active": true,
        "created_at": iso(now()),
        "updated_at": Value::Null,
    }))
}

/// Returns the fields of a queue that a body changes, given the events that are in it.
pub(crate) fn changed_queue(body: &Value, id: &str, events: &[String]) -> Result<Object, Invalid> {
    let mut changes = CHANGED_QUEUE.read(body)?;
    if changes.remove("id").is_none_or(|sent| sent != id) {
        return Err(Invalid("`id` must be that of the path".to_owned()));
    }
    let mut named = |name: &str| -> Vec<String> {
        let ids = changes.remove(name);
        let ids = ids.as_ref().and_then(Value::as_array).cloned();
        let ids = ids.unwrap_or_default().into_iter();
        ids.filter_map(|id| id.as_str().map(str::to_owned))
            .collect()
    };
    let (added, removed) = (named("add_event_ids"), named("remove_event_ids"));
    let mut events: Vec<String> = events.to_vec();
    events.extend(added);
    events.retain(|event| !removed.contains(event));
    changes.insert("event_ids".to_owned(), json!(events));
    Ok(changes)
}

/// Returns a chart as it is kept and answered.
pub(crate) fn new_chart(body: &Value) -> Result<Value, Invalid> {
    let sent = NEW_CHART.read(body)?;
    let or = |name: &str, usual: Value| sent.get(name).cloned().unwrap_or(usual);
    let created = iso(now());
    Ok(json!({
        "id": new_id(),
        "name": sent["name"],
        "metric": sent["metric"],
        "description": or("description", Value::Null),
        "func": or("func", Value::Null),
        "groupBy": or("groupBy", Value::Null),
        "bucketing": or("bucketing", "day".into()),
        "dateRange": or("dateRange", Value::Null),
        "query": or("query", json!([])),
        "owner_id": or("owner_id", Value::Null),
        "is_active": true,
        "created_at": created,
        "updated_at": created,
    }))
}

/// Returns the fields of a chart that a body changes.
pub(crate) fn changed_chart(body: &Value) -> Result<Object, Invalid> {
    CHANGED_CHART.read(body)
}
