//! The routes of records have some steps in common.

use serde_json::{Value, json};

use crate::model::{Object, iso, now};
use crate::store::{Failed, Reading, Writing};

/// `Kind` names the kinds of records.
#[derive(Debug)]
pub(super) struct Kind;

impl Kind {
    pub(super) const DATASET: &'static str = "dataset";
    pub(super) const DATAPOINT: &'static str = "datapoint";
    pub(super) const RUN: &'static str = "run";
    pub(super) const METRIC: &'static str = "metric";
    pub(super) const METRIC_VERSION: &'static str = "metric_version";
    pub(super) const CONFIGURATION: &'static str = "configuration";
    pub(super) const QUEUE: &'static str = "queue";
    pub(super) const CHART: &'static str = "chart";
}

/// Returns a record for a change; an unknown one is an error.
pub(super) fn known(writing: &Writing<'_>, kind: &'static str, id: &str) -> Result<Value, Failed> {
    writing.record(kind, id)?.ok_or_else(|| missing(kind, id))
}

/// Returns a record; an unknown one is an error.
pub(super) fn read(reading: &Reading<'_>, kind: &'static str, id: &str) -> Result<Value, Failed> {
    reading.record(kind, id)?.ok_or_else(|| missing(kind, id))
}

/// Changes fields of a record, and sets the time of the change.
pub(super) fn changed(
    writing: &mut Writing<'_>,
    kind: &'static str,
    id: &str,
    changes: Object,
) -> Result<Value, Failed> {
    let mut record = known(writing, kind, id)?;
    for (name, value) in changes {
        record[name.as_str()] = value;
    }
    touched(&mut record);
    writing.put_record(kind, id, None, &record)?;
    Ok(record)
}

pub(super) fn touched(record: &mut Value) {
    record["updated_at"] = json!(iso(now()));
}

pub(super) fn missing(kind: &str, id: &str) -> Failed {
    Failed::Missing(format!("there is no {} {id}", kind.replace('_', " ")))
}

pub(super) fn text(record: &Value, name: &str) -> String {
    record[name].as_str().unwrap_or_default().to_owned()
}

/// Returns the texts of a list in a record.
pub(super) fn texts(record: &Value, name: &str) -> Vec<String> {
    let items = record[name].as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
