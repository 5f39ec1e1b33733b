//! Two runs on the same datapoints show how much each metric has changed, and how sure that is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::aggregate::number;
use super::rows::RunRow;
use super::statistics;

/// A probability below this is called a difference.
const LEVEL: f64 = 0.05;

/// A metric with one of these parts in its name is better when it is lower.
const LESS_IS_BETTER: [&str; 6] = ["latency", "duration", "cost", "tokens", "error", "time"];

/// Every run has this metric: how long its sessions took, in milliseconds.
pub(crate) const DURATION: &str = "duration";

/// A `Change` is a metric of two runs, over the datapoints that have it in both.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) metric: String,
    pub(crate) less_is_better: bool,
    /// The values of each datapoint, before and now; several trials count as their mean.
    pub(crate) pairs: BTreeMap<String, (f64, f64)>,
    pub(crate) old: f64,
    pub(crate) new: f64,
    pub(crate) difference: f64,
    /// The 95 % interval of the difference; `None` for fewer than two datapoints.
    pub(crate) interval: Option<(f64, f64)>,
    /// The p-value after Holm's correction, over all metrics compared.
    pub(crate) p: Option<f64>,
    /// The smallest difference that so many datapoints would show four times of five.
    pub(crate) smallest: Option<f64>,
}

/// A `Verdict` is the judgement on a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Better,
    Worse,
    Unknown,
}

impl Change {
    pub(crate) fn verdict(&self) -> Verdict {
        match self.p {
            Some(p) if p < LEVEL => self.direction(self.difference),
            _ => Verdict::Unknown,
        }
    }

    /// Returns whether a difference is for the better; a difference of zero is neither.
    pub(crate) fn direction(&self, difference: f64) -> Verdict {
        match difference {
            0.0 => Verdict::Unknown,
            d if (d < 0.0) == self.less_is_better => Verdict::Better,
            _ => Verdict::Worse,
        }
    }
}

/// Returns the changes of the metrics that two runs have in common, in the order of their names.
pub(crate) fn changes(old: &[RunRow], new: &[RunRow]) -> Vec<Change> {
    let (old, new) = (by_metric(old), by_metric(new));
    let names = old.keys().filter(|name| new.contains_key(*name));
    let mut changes: Vec<Change> = names
        .filter_map(|name| change(name, &old[name], &new[name]))
        .collect();
    let mut known: Vec<&mut f64> = changes
        .iter_mut()
        .filter_map(|change| change.p.as_mut())
        .collect();
    statistics::holm(&mut known);
    changes
}

/// `Values` has the values of one metric by datapoint, and whether any of them is a number and no boolean.
#[derive(Default)]
struct Values {
    of: BTreeMap<String, Vec<f64>>,
    has_numbers: bool,
}

fn by_metric(rows: &[RunRow]) -> BTreeMap<String, Values> {
    let mut metrics: BTreeMap<String, Values> = BTreeMap::new();
    let mut add = |metric: &str, datapoint: &str, value: &Value| {
        if let Some(number) = number(value) {
            let values = metrics.entry(metric.to_owned()).or_default();
            values.has_numbers |= !value.is_boolean();
            values
                .of
                .entry(datapoint.to_owned())
                .or_default()
                .push(number);
        }
    };
    for row in rows {
        let Some(datapoint) = &row.datapoint_id else {
            continue;
        };
        for (metric, value) in &row.metrics {
            add(metric, datapoint, value);
        }
        if row.event_type == "session" {
            add(DURATION, datapoint, &row.answer["duration"]);
        }
    }
    metrics
}

fn change(metric: &str, old: &Values, new: &Values) -> Option<Change> {
    let both: BTreeSet<&String> = old
        .of
        .keys()
        .filter(|id| new.of.contains_key(*id))
        .collect();
    let pairs: BTreeMap<String, (f64, f64)> = both
        .into_iter()
        .map(|id| (id.clone(), (mean(&old.of[id]), mean(&new.of[id]))))
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let differences: Vec<f64> = pairs.values().map(|(old, new)| new - old).collect();
    // Several booleans of one datapoint have a mean that is none.
    let is_boolean = |value: f64| value == 0.0 || value == 1.0;
    let are_booleans = !old.has_numbers
        && !new.has_numbers
        && pairs
            .values()
            .all(|(old, new)| is_boolean(*old) && is_boolean(*new));
    let lowered = metric.to_lowercase();
    Some(Change {
        metric: metric.to_owned(),
        less_is_better: LESS_IS_BETTER.iter().any(|part| lowered.contains(part)),
        old: mean_of(pairs.values().map(|(old, _)| *old)),
        new: mean_of(pairs.values().map(|(_, new)| *new)),
        difference: mean(&differences),
        interval: if are_booleans {
            statistics::agresti_min(&differences)
        } else {
            statistics::t_interval(&differences)
        },
        p: if are_booleans {
            statistics::mc_nemar(&differences)
        } else {
            statistics::wilcoxon(&differences)
        },
        smallest: statistics::smallest_shown(&differences),
        pairs,
    })
}

fn mean(values: &[f64]) -> f64 {
    mean_of(values.iter().copied())
}

fn mean_of(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{DURATION, Verdict, changes};
    use crate::experiments::RunRow;

    fn row(datapoint: usize, metrics: &Value, duration: u64) -> RunRow {
        RunRow {
            event_id: format!("e{datapoint}"),
            session_id: format!("s{datapoint}"),
            event_name: "s".to_owned(),
            event_type: "session".to_owned(),
            datapoint_id: Some(format!("d{datapoint}")),
            metrics: metrics.as_object().cloned().unwrap_or_default(),
            failed: false,
            answer: json!({ "duration": duration }),
        }
    }

    #[test]
    fn a_metric_is_compared_where_both_runs_have_it_and_a_verdict_needs_evidence() {
        let old: Vec<RunRow> = (0..20)
            .map(|at| {
                row(
                    at,
                    &json!({ "match": false, "only_old": 1, "odd": at % 2 }),
                    100,
                )
            })
            .collect();
        let new: Vec<RunRow> = (0..22)
            .map(|at| row(at, &json!({ "match": at < 12, "odd": (at + 1) % 2 }), 150))
            .collect();
        let changes = changes(&old, &new);
        let told: Vec<_> = changes
            .iter()
            .map(|change| (change.metric.as_str(), change.pairs.len(), change.verdict()))
            .collect();
        assert_eq!(
            told,
            [
                (DURATION, 20, Verdict::Worse),
                ("match", 20, Verdict::Better),
                ("odd", 20, Verdict::Unknown)
            ]
        );
        assert!((changes[1].difference - 0.6).abs() < 1e-9);
    }
}
