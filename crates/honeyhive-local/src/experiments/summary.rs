//! A run has a summary.

use serde_json::{Value, json};

use super::aggregate::{Aggregate, number};
use super::rows::RunRow;

/// `Detail` has the values of one metric on the events of one name and type.
#[derive(Debug)]
pub(super) struct Detail {
    pub(super) metric: String,
    pub(super) event_name: String,
    pub(super) event_type: String,
    /// The values, each with its datapoint.
    pub(super) values: Vec<(String, f64)>,
}

impl Detail {
    pub(super) fn numbers(&self) -> Vec<f64> {
        self.values.iter().map(|(_, value)| *value).collect()
    }
}

/// Returns the numeric metrics of a run, in the order in which they were first seen.
pub(super) fn details(rows: &[RunRow]) -> Vec<Detail> {
    let mut details: Vec<Detail> = Vec::new();
    for row in rows {
        for (metric, value) in &row.metrics {
            let Some(value) = number(value) else { continue };
            let known = details.iter_mut().find(|detail| {
                detail.metric == *metric
                    && detail.event_name == row.event_name
                    && detail.event_type == row.event_type
            });
            let value = (row.subject().to_owned(), value);
            match known {
                Some(detail) => detail.values.push(value),
                None => details.push(Detail {
                    metric: metric.clone(),
                    event_name: row.event_name.clone(),
                    event_type: row.event_type.clone(),
                    values: vec![value],
                }),
            }
        }
    }
    details
}

/// Returns a run's summary, as HoneyHive answers with it; `kinds` tells the type of a metric that is known by name.
pub(crate) fn summary(
    run: &Value,
    answer: &Value,
    rows: &[RunRow],
    aggregate: Aggregate,
    kinds: &impl Fn(&str) -> Option<String>,
) -> Value {
    let details = details(rows);
    let (passed, failed) = verdicts(run, rows);
    let shown: Vec<Value> = details
        .iter()
        .map(|detail| shown(run, detail, aggregate, kinds))
        .collect();
    let sessions = rows.iter().filter(|row| row.event_type == "session");
    let datapoints: Vec<Value> = sessions
        .map(|session| datapoint(run, session, rows, &failed))
        .collect();
    json!({
        "status": run["status"].as_str().unwrap_or("pending"),
        "success": failed.is_empty(),
        "passed": passed,
        "failed": failed,
        "metrics": { "aggregation_function": aggregate.name(), "details": shown },
        "datapoints": datapoints,
        "event_details": event_details(rows),
        "run_object": answer,
    })
}

/// Returns the names and types of a run's events, each once; its sessions only where they have metrics themselves.
pub(super) fn event_details(rows: &[RunRow]) -> Vec<Value> {
    let mut details: Vec<Value> = Vec::new();
    let telling = |row: &&RunRow| row.event_type != "session" || !row.metrics.is_empty();
    for row in rows.iter().filter(telling) {
        let detail = json!({ "event_name": row.event_name, "event_type": row.event_type });
        if !details.contains(&detail) {
            details.push(detail);
        }
    }
    details
}

fn shown(
    run: &Value,
    detail: &Detail,
    aggregate: Aggregate,
    kinds: &impl Fn(&str) -> Option<String>,
) -> Value {
    let range = run["passing_ranges"].get(&detail.metric);
    let (mut passed, mut failed) = (Vec::new(), Vec::new());
    for (subject, value) in &detail.values {
        // A metric without a range cannot fail.
        match range.is_none_or(|range| is_within(range, *value)) {
            true => passed.push(subject),
            false => failed.push(subject),
        }
    }
    json!({
        "metric_name": detail.metric,
        "metric_type": kinds(&detail.metric).unwrap_or_else(|| "CLIENT_SIDE".to_owned()),
        "event_name": detail.event_name,
        "event_type": detail.event_type,
        "aggregate": aggregate.of(&detail.numbers()),
        "values": detail.numbers(),
        "passing_range": range,
        "datapoints": { "passed": passed, "failed": failed },
    })
}

/// Returns the datapoints that passed and those that failed: a datapoint passes if none of it failed, and each metric
/// with a range is within it.
fn verdicts(run: &Value, rows: &[RunRow]) -> (Vec<String>, Vec<String>) {
    let (mut passed, mut failed): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for row in rows {
        let subject = row.subject().to_owned();
        let out_of_range = row.metrics.iter().any(|(metric, value)| {
            let range = run["passing_ranges"].get(metric);
            let value = number(value);
            range
                .zip(value)
                .is_some_and(|(range, value)| !is_within(range, value))
        });
        let is_failure = row.failed || out_of_range;
        if is_failure && !failed.contains(&subject) {
            failed.push(subject.clone());
        }
        if !passed.contains(&subject) {
            passed.push(subject);
        }
    }
    passed.retain(|subject| !failed.contains(subject));
    (passed, failed)
}

fn is_within(range: &Value, value: f64) -> bool {
    let end = |name: &str| range.get(name).and_then(Value::as_f64);
    end("min").is_none_or(|min| value >= min) && end("max").is_none_or(|max| value <= max)
}

/// Returns a datapoint with its numeric metrics: the official SDK takes no others.
fn datapoint(run: &Value, session: &RunRow, rows: &[RunRow], failed: &[String]) -> Value {
    let mine = rows
        .iter()
        .filter(|row| row.session_id == session.session_id);
    let metrics: Vec<Value> = mine
        .flat_map(|row| {
            row.metrics.iter().filter_map(|(name, value)| {
                let number = number(value)?;
                let range = run["passing_ranges"].get(name);
                Some(json!({
                    "name": name,
                    "event_name": row.event_name,
                    "event_type": row.event_type,
                    "value": value,
                    "passed": range.is_none_or(|range| is_within(range, number)),
                }))
            })
        })
        .collect();
    json!({
        "datapoint_id": session.datapoint_id,
        "session_id": session.session_id,
        "passed": !failed.iter().any(|subject| subject == session.subject()),
        "metrics": metrics,
    })
}
