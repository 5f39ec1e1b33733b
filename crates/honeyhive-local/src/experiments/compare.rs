//! Two runs are compared side by side.

use serde_json::{Map, Value, json};

use super::aggregate::Aggregate;
use super::paired::{Change, Verdict, changes};
use super::rows::RunRow;
use super::summary::{details, event_details};

/// A `Side` is a run with its sessions and events.
#[derive(Debug)]
pub(crate) struct Side {
    /// The run in the form of HoneyHive's answer.
    pub(crate) answer: Value,
    pub(crate) rows: Vec<RunRow>,
}

/// Returns the comparison as HoneyHive answers with it: each metric's aggregate over all of a run, before and now.
pub(crate) fn compare(
    new: &Side,
    old: &Side,
    aggregate: Aggregate,
    kinds: &impl Fn(&str) -> Option<String>,
) -> Value {
    let (new_values, old_values) = (by_metric(&new.rows), by_metric(&old.rows));
    let mut names: Vec<&String> = new_values.iter().map(|(name, _)| name).collect();
    let only_old = old_values.iter().map(|(name, _)| name);
    names.extend(only_old.filter(|name| !new_values.iter().any(|(known, _)| known == *name)));
    let of = |values: &[(String, Vec<f64>)], name: &String| {
        let found = values.iter().find(|(known, _)| known == name);
        found.and_then(|(_, values)| aggregate.of(values))
    };
    let changes = changes(&old.rows, &new.rows);
    let metrics: Vec<Value> = names
        .into_iter()
        .map(|name| {
            let datapoints = changes.iter().find(|change| change.metric == *name);
            let (new, old) = (of(&new_values, name), of(&old_values, name));
            let difference = new.zip(old).map(|(new, old)| new - old);
            let change = difference.zip(old.filter(|old| *old != 0.0));
            let mut metric = json!({
                "metric_name": name,
                "metric_type": kinds(name).unwrap_or_else(|| "CLIENT_SIDE".to_owned()),
                "old_aggregate": old,
                "new_aggregate": new,
                "difference": difference,
                "percentage_change": change.map(|(difference, old)| 100.0 * difference / old.abs()),
            });
            metric
                .as_object_mut()
                .into_iter()
                .for_each(|metric| metric.extend(by_datapoint(datapoints)));
            metric
        })
        .collect();
    json!({
        "metrics": metrics,
        "commonDatapoints": common(new, old),
        "event_details": presence(new, old),
        "old_run": old.answer,
        "new_run": new.answer,
    })
}

/// Returns the datapoints on which a metric has changed, for better or worse: the official SDK relies on these fields,
/// which no description of the API has.
fn by_datapoint(change: Option<&Change>) -> Map<String, Value> {
    let pairs = || {
        change
            .iter()
            .flat_map(|it| it.pairs.iter().map(move |pair| (*it, pair)))
    };
    let of = |wanted: Verdict| -> Vec<&String> {
        let is_wanted = |(change, (_, (old, new))): &(&Change, (_, &(f64, f64)))| {
            change.direction(new - old) == wanted
        };
        pairs().filter(is_wanted).map(|(_, (id, _))| id).collect()
    };
    let values = |side: fn(&(f64, f64)) -> f64| -> Vec<f64> {
        pairs().map(|(_, (_, values))| side(values)).collect()
    };
    let (improved, degraded, same) = (
        of(Verdict::Better),
        of(Verdict::Worse),
        of(Verdict::Unknown),
    );
    let fields = json!({
        "found_count": pairs().count(),
        "improved_count": improved.len(),
        "degraded_count": degraded.len(),
        "same_count": same.len(),
        "improved": improved,
        "degraded": degraded,
        "same": same,
        "old_values": values(|(old, _)| *old),
        "new_values": values(|(_, new)| *new),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Returns the events of both runs on one datapoint, of one name and type: the first run's and the second's. Sessions
/// are named after their run, so their names do not count.
pub(crate) fn pairs(first: &Side, second: &Side, fits: impl Fn(&RunRow) -> bool) -> Vec<Value> {
    let mut taken = vec![false; second.rows.len()];
    let mut pairs = Vec::new();
    for row in first
        .rows
        .iter()
        .filter(|row| row.datapoint_id.is_some() && fits(row))
    {
        let mut others = second.rows.iter().enumerate();
        let twin = others.find(|(index, other)| {
            !taken[*index]
                && other.datapoint_id == row.datapoint_id
                && other.event_type == row.event_type
                && (other.event_name == row.event_name || row.event_type == "session")
        });
        if let Some((index, twin)) = twin {
            taken[index] = true;
            pairs.push(json!({
                "datapoint_id": row.datapoint_id,
                "event_1": row.answer,
                "event_2": twin.answer,
            }));
        }
    }
    pairs
}

/// Returns the values of each metric, whichever events have it.
fn by_metric(rows: &[RunRow]) -> Vec<(String, Vec<f64>)> {
    let mut metrics: Vec<(String, Vec<f64>)> = Vec::new();
    for detail in details(rows) {
        let numbers = detail.numbers();
        match metrics.iter_mut().find(|(name, _)| *name == detail.metric) {
            Some((_, values)) => values.extend(numbers),
            None => metrics.push((detail.metric, numbers)),
        }
    }
    metrics
}

fn common(new: &Side, old: &Side) -> Vec<String> {
    let mut common: Vec<String> = Vec::new();
    for id in new.rows.iter().filter_map(|row| row.datapoint_id.as_ref()) {
        let is_old = old
            .rows
            .iter()
            .any(|row| row.datapoint_id.as_ref() == Some(id));
        if is_old && !common.contains(id) {
            common.push(id.clone());
        }
    }
    common
}

fn presence(new: &Side, old: &Side) -> Vec<Value> {
    let (new, old) = (event_details(&new.rows), event_details(&old.rows));
    let marked = |detail: &Value, presence: &str| {
        let mut detail = detail.clone();
        detail["presence"] = presence.into();
        detail
    };
    let mut all: Vec<Value> = new
        .iter()
        .map(|detail| marked(detail, if old.contains(detail) { "both" } else { "new" }))
        .collect();
    let only_old = old.iter().filter(|detail| !new.contains(detail));
    all.extend(only_old.map(|detail| marked(detail, "old")));
    all
}
