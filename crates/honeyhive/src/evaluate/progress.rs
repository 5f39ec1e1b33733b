//! [`Progress`] says how far a run has come.

use std::collections::BTreeMap;
use std::time::Duration;

use super::results::TrialReport;

/// `Progress` says how far a run has come, for [`on_progress`](crate::evaluate::Evaluate::on_progress) and
/// [`stop_when`](crate::evaluate::Evaluate::stop_when).
#[derive(Debug, Clone, Default)]
pub struct Progress {
    pub(super) total: usize,
    pub(super) done: usize,
    pub(super) errors: usize,
    pub(super) running: usize,
    pub(super) elapsed: Duration,
    sums: BTreeMap<String, f64>,
}

impl Progress {
    pub(super) fn of(total: usize) -> Self {
        Self {
            total,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, trial: &TrialReport) {
        self.done += 1;
        self.errors += usize::from(trial.outcome().is_error());
        for (name, result) in trial.metrics() {
            if let Some(number) = result.value().and_then(|value| value.as_number()) {
                *self.sums.entry(name.clone()).or_insert(0.0) += number;
            }
        }
    }

    /// Returns the number of all trials.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.total
    }

    /// Returns the number of trials that have ended.
    #[must_use]
    pub const fn done(&self) -> usize {
        self.done
    }

    /// Returns the number of functions that failed, timed out or panicked.
    #[must_use]
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// Returns the number of running trials.
    #[must_use]
    pub const fn running(&self) -> usize {
        self.running
    }

    /// Returns the time since the first trial began.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns the sum of a metric so far: of the evaluators' values, or of those given to
    /// [`record`](crate::evaluate::Datapoint::record).
    #[must_use]
    pub fn sum(&self, metric: &str) -> f64 {
        self.sums.get(metric).copied().unwrap_or_default()
    }
}
