//! The report has a form in JSON.

use serde_json::{Map, Value, json};

use super::experiment::ExperimentReport;
use crate::evaluate::compare::{Change, Comparison};
use crate::evaluate::results::TrialReport;
use crate::evaluate::statistics::Interval;
use crate::evaluate::summary::MetricReport;

impl ExperimentReport {
    /// Returns the whole report as JSON: `version` 1, the run, `metrics`, `comparison` and `datapoints`.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut json = self.json_without_times();
        json["run_id"] = self.run_id().into();
        json["delivery"] =
            json!({"offline": self.delivery().is_offline, "problems": self.delivery().problems});
        json["datapoints"] = self
            .datapoints()
            .iter()
            .map(|trial| datapoint(trial, true))
            .collect();
        json
    }

    /// Returns what two runs over the same outputs have in common: the report as JSON without times and without ids of
    /// the run and of sessions.
    #[must_use]
    pub fn json_without_times(&self) -> Value {
        json!({
            "version": 1,
            "name": self.name(),
            "status": self.status().as_str(),
            "function": self.function(),
            "dataset_id": self.dataset_id(),
            "metrics": self.metrics().iter().map(metric).collect::<Vec<_>>(),
            "comparison": self.comparison().map(comparison),
            "datapoints": self.datapoints().iter().map(|trial| datapoint(trial, false)).collect::<Vec<_>>(),
        })
    }
}

fn interval(interval: Option<Interval>) -> Option<[f64; 2]> {
    interval.map(|interval| [interval.low, interval.high])
}

fn metric(metric: &MetricReport) -> Value {
    json!({
        "name": metric.name,
        "kind": metric.kind,
        "n": metric.n,
        "skipped": metric.skipped,
        "errors": metric.errors,
        "missing": metric.missing,
        "estimate": metric.estimate,
        "interval": interval(metric.interval),
        "aggregate": metric.aggregate,
        "deviation": metric.deviation,
        "p50": metric.p50,
        "p90": metric.p90,
        "p95": metric.p95,
        "counts": metric.counts,
    })
}

fn comparison(comparison: &Comparison) -> Value {
    json!({
        "changes": comparison.changes.iter().map(change).collect::<Vec<_>>(),
        "not_compared": comparison.not_compared,
    })
}

fn change(change: &Change) -> Value {
    json!({
        "metric": change.metric,
        "kind": change.kind,
        "pairs": change.pairs,
        "up": change.up,
        "down": change.down,
        "old": change.old,
        "new": change.new,
        "difference": change.difference,
        "interval": interval(change.interval),
        "p": change.p,
        "p_adjusted": change.p_adjusted,
        "smallest": change.smallest,
        "only_old": change.only_old,
        "only_new": change.only_new,
    })
}

fn datapoint(trial: &TrialReport, with_times: bool) -> Value {
    // Serialisation cannot fail: keys are texts and numbers are finite.
    let mut json = serde_json::to_value(trial).unwrap_or_default();
    if let (false, Some(object)) = (with_times, json.as_object_mut()) {
        drop_times(object);
    }
    json
}

fn drop_times(object: &mut Map<String, Value>) {
    for key in ["latency_ms", "session_id"] {
        object.remove(key);
    }
}
