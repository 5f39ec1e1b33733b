//! Each trial of each datapoint has a result.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::score::ScoreValue;

/// The outcome says how a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The function gave outputs.
    Ok,
    /// The function gave an error.
    Failed,
    /// The function took too long.
    TimedOut,
    /// The function panicked.
    Panicked,
    /// The run ended before the trial began, or in the middle of it.
    NotRun,
}

impl Outcome {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Panicked => "panicked",
            Self::NotRun => "not run",
        }
    }

    /// Returns true where the function ran and gave no outputs.
    #[must_use]
    pub const fn is_error(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Panicked)
    }
}

/// The result of a metric for a trial is a value, a skip or an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MetricResult {
    /// The evaluator gave a value.
    Value(ScoreValue),
    /// The evaluator skipped the datapoint.
    Skipped,
    /// The evaluator failed.
    Error(String),
}

impl MetricResult {
    /// Returns the value, where there is one.
    #[must_use]
    pub const fn value(&self) -> Option<&ScoreValue> {
        match self {
            Self::Value(value) => Some(value),
            Self::Skipped | Self::Error(_) => None,
        }
    }
}

/// A `TrialReport` is the report of one trial of one datapoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialReport {
    pub(super) datapoint_id: String,
    pub(super) position: usize,
    pub(super) trial: u32,
    pub(super) outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) session_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(default)]
    pub(super) attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) latency_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metrics: BTreeMap<String, MetricResult>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) explanations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outputs: Option<Value>,
}

impl TrialReport {
    pub(super) fn not_run(datapoint_id: &str, position: usize, trial: u32) -> Self {
        Self {
            datapoint_id: datapoint_id.to_owned(),
            position,
            trial,
            outcome: Outcome::NotRun,
            session_id: None,
            error: None,
            attempts: 0,
            latency_ms: None,
            metrics: BTreeMap::new(),
            explanations: BTreeMap::new(),
            outputs: None,
        }
    }

    /// Returns the datapoint's id.
    #[must_use]
    pub fn datapoint_id(&self) -> &str {
        &self.datapoint_id
    }

    /// Returns the number of the datapoint's trial; the first is 0.
    #[must_use]
    pub const fn trial(&self) -> u32 {
        self.trial
    }

    /// Returns the trial's outcome.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the trial's session in HoneyHive; `None` where the trial has not begun.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// Returns the text of the function's error or panic.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Returns how often the function was called.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns true where the function succeeded after it had failed.
    #[must_use]
    pub fn is_flaky(&self) -> bool {
        self.outcome == Outcome::Ok && self.attempts > 1
    }

    /// Returns how long the function's last call took, from its first poll to its end.
    #[must_use]
    pub fn latency(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.latency_ms? / 1e3).ok()
    }

    /// Returns the result of each metric, by its name.
    #[must_use]
    pub const fn metrics(&self) -> &BTreeMap<String, MetricResult> {
        &self.metrics
    }

    /// Returns the value of a metric; `None` where it was skipped, failed or is missing.
    #[must_use]
    pub fn score(&self, metric: &str) -> Option<&ScoreValue> {
        self.metrics.get(metric)?.value()
    }

    /// Returns the evaluator's explanation of its score.
    #[must_use]
    pub fn explanation(&self, metric: &str) -> Option<&str> {
        self.explanations.get(metric).map(String::as_str)
    }

    /// Returns the function's outputs, where outputs are kept.
    ///
    /// # Errors
    ///
    /// The outputs are not of this type.
    pub fn outputs<O: DeserializeOwned>(&self) -> Option<Result<O, serde_json::Error>> {
        self.outputs.clone().map(serde_json::from_value)
    }

    pub(super) fn has_error(&self) -> bool {
        let is_error = |result: &MetricResult| matches!(result, MetricResult::Error(_));
        self.outcome.is_error() || self.metrics.values().any(is_error)
    }
}
