//! The unit of analysis is the datapoint: the values of a metric by datapoint, whatever the number of trials.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::results::{MetricResult, TrialReport};
use super::score::ScoreValue;
use super::statistics::mean;

/// The kind of a metric's values decides which statistics it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MetricKind {
    /// All values are booleans.
    Bool,
    /// The values are numbers, or numbers and booleans.
    Number,
    /// Some or all values are texts.
    Text,
}

/// `Units` holds a metric's values by datapoint; each datapoint has one value a trial.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Units {
    /// The values by datapoint, in the order of the dataset.
    pub(super) of_datapoints: Vec<(String, Vec<ScoreValue>)>,
}

impl Units {
    /// Returns the values of each metric. `trials` are in the order of the dataset.
    pub(super) fn of_trials(trials: &[TrialReport]) -> BTreeMap<String, Self> {
        let mut all: BTreeMap<String, Self> = BTreeMap::new();
        for trial in trials {
            for (name, result) in &trial.metrics {
                let units = all.entry(name.clone()).or_default();
                if let MetricResult::Value(value) = result {
                    units.add(&trial.datapoint_id, value.clone());
                }
            }
        }
        all
    }

    fn add(&mut self, datapoint: &str, value: ScoreValue) {
        match self.of_datapoints.last_mut() {
            Some((last, values)) if last == datapoint => values.push(value),
            _ => self.of_datapoints.push((datapoint.to_owned(), vec![value])),
        }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &ScoreValue> {
        self.of_datapoints.iter().flat_map(|(_, values)| values)
    }

    pub(super) fn kind(&self) -> MetricKind {
        kind_of(self.values())
    }

    pub(super) fn has_trials(&self) -> bool {
        self.of_datapoints
            .iter()
            .any(|(_, values)| values.len() > 1)
    }

    /// Returns the mean of each datapoint's trials; texts have none.
    pub(super) fn means(&self) -> Vec<f64> {
        self.of_datapoints
            .iter()
            .filter_map(|(_, values)| mean_of(values))
            .collect()
    }

    /// Counts how often each text occurs.
    pub(super) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for value in self.values() {
            *counts.entry(value.to_string()).or_insert(0) += 1;
        }
        counts
    }
}

pub(super) fn kind_of<'v>(values: impl Iterator<Item = &'v ScoreValue>) -> MetricKind {
    values.fold(MetricKind::Bool, |kind, value| match (kind, value) {
        (MetricKind::Text, _) | (_, ScoreValue::Text(_)) => MetricKind::Text,
        (MetricKind::Number, _) | (_, ScoreValue::Number(_) | ScoreValue::Integer(_)) => {
            MetricKind::Number
        }
        (MetricKind::Bool, ScoreValue::Bool(_)) => MetricKind::Bool,
    })
}

pub(super) fn mean_of(values: &[ScoreValue]) -> Option<f64> {
    let numbers = values
        .iter()
        .map(ScoreValue::as_number)
        .collect::<Option<Vec<f64>>>()?;
    mean(&numbers)
}
