//! The bodies of datasets and datapoints become records.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Invalid;
use super::shape::{Kind, Shape};
use crate::model::{Object, iso, now};

const NEW_DATASET: Shape = Shape {
    strict: false,
    required: &[],
    fields: &[
        ("name", Kind::Label),
        ("description", Kind::Text),
        ("datapoints", Kind::Texts),
    ],
};

const CHANGED_DATASET: Shape = Shape {
    strict: true,
    required: &[],
    fields: NEW_DATASET.fields,
};

const CHANGED_DATASET_LEGACY: Shape = Shape {
    strict: true,
    required: &["dataset_id"],
    fields: &[
        ("dataset_id", Kind::Filled),
        ("name", Kind::Label),
        ("description", Kind::Text),
        ("datapoints", Kind::Texts),
    ],
};

const ADDED: Shape = Shape {
    strict: false,
    required: &["data", "mapping"],
    fields: &[("data", Kind::Objects), ("mapping", Kind::Object)],
};

const MAPPING: Shape = Shape {
    strict: false,
    required: &[],
    fields: &[
        ("inputs", Kind::Texts),
        ("history", Kind::Texts),
        ("ground_truth", Kind::Texts),
    ],
};

const DATAPOINT: Shape = Shape {
    strict: false,
    required: &[],
    fields: &[
        ("inputs", Kind::Object),
        ("history", Kind::Objects),
        ("ground_truth", Kind::Object),
        ("metadata", Kind::Object),
        ("linked_event", Kind::Text),
        ("linked_datasets", Kind::Texts),
    ],
};

const FROM_EVENTS: Shape = Shape {
    strict: false,
    required: &[],
    fields: &[
        ("filters", Kind::ObjectOrObjects),
        ("dateRange", Kind::Object),
        ("checkState", Kind::Object),
        ("selectAll", Kind::Bool),
        ("dataset_id", Kind::Text),
        ("events", Kind::Texts),
        ("mapping", Kind::Object),
    ],
};

/// Returns an id of the form that HoneyHive gives to all but events: 24 hexadecimal digits.
pub(crate) fn new_id() -> String {
    let id = Uuid::new_v4().simple().to_string();
    id[..24].to_owned()
}

/// Returns a dataset as it is kept and answered.
pub(crate) fn new_dataset(body: &Value) -> Result<Value, Invalid> {
    let sent = NEW_DATASET.read(body)?;
    let created = iso(now());
    let or = |name: &str, usual: Value| sent.get(name).cloned().unwrap_or(usual);
    Ok(json!({
        "id": new_id(),
        "name": or("name", "Untitled Dataset".into()),
        "description": or("description", Value::Null),
        "datapoints": or("datapoints", json!([])),
        "created_at": created,
        "updated_at": created,
    }))
}

/// Returns the fields of a dataset that a body changes.
pub(crate) fn changed_dataset(body: &Value) -> Result<Object, Invalid> {
    CHANGED_DATASET.read(body)
}

/// Returns the changed fields of a dataset, and its id from the body.
pub(crate) fn changed_dataset_legacy(body: &Value) -> Result<(String, Object), Invalid> {
    let mut changes = CHANGED_DATASET_LEGACY.read(body)?;
    let id = changes.remove("dataset_id");
    let id = id.as_ref().and_then(Value::as_str).unwrap_or_default();
    Ok((id.to_owned(), changes))
}

/// Returns the datapoints that rows of data become, by the names of their fields.
pub(crate) fn mapped_datapoints(body: &Value, dataset: &str) -> Result<Vec<Value>, Invalid> {
    let sent = ADDED.read(body)?;
    let mapping = MAPPING.read(&sent["mapping"])?;
    let rows = sent["data"].as_array().map_or(&[][..], Vec::as_slice);
    if rows.is_empty() {
        return Err(Invalid("`data` must hold at least one object".to_owned()));
    }
    let picked = |row: &Value, name: &str| -> Object {
        let names = mapping.get(name).and_then(Value::as_array);
        let names = names.into_iter().flatten().filter_map(Value::as_str);
        names
            .filter_map(|field| Some((field.to_owned(), row.get(field)?.clone())))
            .collect()
    };
    let datapoints = rows.iter().map(|row| {
        let history: Vec<Value> = picked(row, "history")
            .into_iter()
            .flat_map(|(_, value)| match value {
                Value::Array(messages) => messages,
                message => vec![message],
            })
            .collect();
        finished(&json!({
            "inputs": picked(row, "inputs"),
            "history": history,
            "ground_truth": picked(row, "ground_truth"),
            "linked_datasets": [dataset],
        }))
    });
    Ok(datapoints.collect())
}

/// Returns a datapoint as it is kept and answered.
pub(crate) fn new_datapoint(body: &Value) -> Result<Value, Invalid> {
    Ok(finished(&Value::Object(DATAPOINT.read(body)?)))
}

/// Returns the fields of a datapoint that a body changes.
pub(crate) fn changed_datapoint(body: &Value) -> Result<Object, Invalid> {
    DATAPOINT.read(body)
}

/// Returns a datapoint made of an event: its inputs, and as its ground truth the feedback's, else its outputs.
pub(crate) fn datapoint_of_event(event: &Value, dataset: Option<&str>) -> Value {
    let history = event["inputs"].get("chat_history").cloned();
    let ground_truth = event["feedback"].get("ground_truth").cloned();
    let ground_truth = ground_truth.filter(Value::is_object);
    finished(&json!({
        "inputs": event["inputs"],
        "history": history.filter(Value::is_array),
        "ground_truth": ground_truth.unwrap_or_else(|| event["outputs"].clone()),
        "linked_event": event["event_id"],
        "linked_datasets": dataset.map(|id| vec![id]),
    }))
}

/// `FromEvents` has the events that `POST /v1/datapoints/batch` names, and the dataset to put them in.
#[derive(Debug)]
pub(crate) struct FromEvents {
    pub(crate) ids: Vec<String>,
    pub(crate) all: bool,
    pub(crate) filters: Value,
    pub(crate) range: Option<Value>,
    pub(crate) dataset: Option<String>,
}

impl FromEvents {
    pub(crate) fn parse(body: &Value) -> Result<Self, Invalid> {
        let sent = FROM_EVENTS.read(body)?;
        let named = sent.get("events").and_then(Value::as_array);
        let named = named.into_iter().flatten().filter_map(Value::as_str);
        let checked = sent.get("checkState").and_then(Value::as_object);
        let checked = checked.into_iter().flatten();
        let checked = checked.filter(|(_, checked)| **checked == Value::Bool(true));
        let ids = named.chain(checked.map(|(id, _)| id.as_str()));
        let dataset = sent.get("dataset_id").and_then(Value::as_str);
        Ok(Self {
            ids: ids.map(str::to_owned).collect(),
            all: sent.get("selectAll") == Some(&Value::Bool(true)),
            filters: match sent.get("filters") {
                Some(one @ Value::Object(_)) => json!([one]),
                many => many.cloned().unwrap_or_else(|| json!([])),
            },
            range: sent.get("dateRange").cloned(),
            dataset: dataset.map(str::to_owned),
        })
    }
}

/// Returns a datapoint with every field that an answer has.
fn finished(datapoint: &Value) -> Value {
    let created = iso(now());
    let or = |name: &str, usual: Value| match datapoint.get(name) {
        None | Some(Value::Null) => usual,
        Some(value) => value.clone(),
    };
    json!({
        "id": new_id(),
        "inputs": or("inputs", json!({})),
        "history": or("history", json!([])),
        "ground_truth": or("ground_truth", Value::Null),
        "metadata": or("metadata", Value::Null),
        "linked_event": or("linked_event", Value::Null),
        "linked_datasets": or("linked_datasets", json!([])),
        "created_at": created,
        "updated_at": created,
    })
}
