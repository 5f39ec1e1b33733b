//! [`ExperimentReport`] is the report of a run.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::client::{Client, ClientError, RunSummary};
use crate::evaluate::aggregate::Aggregate;
use crate::evaluate::baseline::Baseline;
use crate::evaluate::clock::after;
use crate::evaluate::compare::Comparison;
use crate::evaluate::gate::Gate;
use crate::evaluate::results::{Outcome, TrialReport};
use crate::evaluate::statistics::{Interval, Level, bootstrap, pass_all_k, pass_at_k};
use crate::evaluate::summary::{MetricReport, summarize};
use crate::evaluate::units::Units;
use crate::evaluate::verdict::Verdicts;

/// The status says how a run ended. A bad score is no failure: the run is completed, and a gate judges the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunStatus {
    /// All datapoints ran.
    Completed,
    /// The run failed: no datapoint succeeded, more failed than [`max_errors`](crate::evaluate::Evaluate::max_errors)
    /// allows, or the evaluation itself broke off.
    Failed,
    /// The program stopped the run: [`cancel_on`](crate::evaluate::Evaluate::cancel_on),
    /// [`stop_when`](crate::evaluate::Evaluate::stop_when), or the future was dropped.
    Cancelled,
}

impl RunStatus {
    /// Returns HoneyHive's word for the status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// `Delivery` says what of a run has reached HoneyHive. The numbers of a report do not depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Whether nothing was to be sent: [`offline`](crate::evaluate::Evaluate::offline), or test mode.
    pub is_offline: bool,
    /// Descriptions of missing deliveries; empty where everything arrived.
    pub problems: Vec<String>,
}

impl Delivery {
    /// Returns true where all has arrived that was to be sent.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty()
    }
}

#[derive(Debug, Clone)]
pub(in crate::evaluate) struct Facts {
    pub(in crate::evaluate) run_id: String,
    pub(in crate::evaluate) name: String,
    pub(in crate::evaluate) function: String,
    pub(in crate::evaluate) dataset_id: String,
    pub(in crate::evaluate) status: RunStatus,
    pub(in crate::evaluate) aggregate: Aggregate,
    pub(in crate::evaluate) level: Level,
    pub(in crate::evaluate) delivery: Delivery,
}

/// An `ExperimentReport` has each trial, each metric with its interval, the changes since another run, and the verdicts
/// of gates. `Display` is a plain table.
///
/// ```
/// use honeyhive::evaluate::{Case, Datapoint, Dataset, Gate};
/// use honeyhive::json;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let report = honeyhive::evaluate(async |dp: Datapoint<u32, u32>| Ok::<_, String>(dp.inputs() * 2))
///     .dataset(Dataset::new([(1, Some(2)), (2, Some(4)), (3, Some(7))]))
///     .evaluator("exact_match", |case: Case<u32, u32, u32>| Some(case.outputs() == case.ground_truth()?))
///     .offline()
///     .block()?;
///
/// let metric = report.metric("exact_match").expect("it was measured");
/// assert_eq!((metric.n, metric.estimate), (3, Some(2.0 / 3.0)));
/// report.assert([Gate::mean("exact_match").at_least(0.6)]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ExperimentReport {
    pub(super) facts: Facts,
    pub(super) trials: Vec<TrialReport>,
    pub(super) compared: Option<Comparison>,
    /// The client; `None` for a run that did not go through HoneyHive.
    client: Option<Client>,
}

impl ExperimentReport {
    /// Makes a report, with `trials` in the order of the dataset.
    pub(in crate::evaluate) fn new(
        facts: Facts,
        mut trials: Vec<TrialReport>,
        client: Option<Client>,
    ) -> Self {
        trials.sort_by_key(|trial| (trial.position, trial.trial));
        Self {
            facts,
            trials,
            compared: None,
            client,
        }
    }

    /// Returns the run's id, a UUID.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.facts.run_id
    }

    /// Returns the run's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// Returns the function's name, which is that of its spans.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.facts.function
    }

    /// Returns the dataset's id.
    #[must_use]
    pub fn dataset_id(&self) -> &str {
        &self.facts.dataset_id
    }

    /// Returns the status in which the run ended.
    #[must_use]
    pub const fn status(&self) -> RunStatus {
        self.facts.status
    }

    /// Returns the state of the delivery to HoneyHive.
    #[must_use]
    pub const fn delivery(&self) -> &Delivery {
        &self.facts.delivery
    }

    /// Returns each trial of each datapoint, in the order of the dataset.
    #[must_use]
    pub fn datapoints(&self) -> &[TrialReport] {
        &self.trials
    }

    /// Returns the number of trials with this outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.trials
            .iter()
            .filter(|trial| trial.outcome == outcome)
            .count()
    }

    /// Returns the number of functions that failed, timed out or panicked.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.trials
            .iter()
            .filter(|trial| trial.outcome.is_error())
            .count()
    }

    /// Returns each metric, by name.
    #[must_use]
    pub fn metrics(&self) -> Vec<MetricReport> {
        summarize(&self.trials, &self.facts.aggregate, self.facts.level)
    }

    /// Returns the report of one metric.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<MetricReport> {
        self.metrics()
            .into_iter()
            .find(|metric| metric.name == name)
    }

    /// Returns the mean over datapoints of the probability that at least one of `k` trials passes. A trial passes where
    /// the metric is true, or 1.
    #[must_use]
    pub fn pass_at_k(&self, metric: &str, k: usize) -> Option<f64> {
        self.over_trials(metric, |n, passed| pass_at_k(n, passed, k))
    }

    /// Returns the mean over datapoints of the probability that all of `k` trials pass.
    #[must_use]
    pub fn pass_all_k(&self, metric: &str, k: usize) -> Option<f64> {
        self.over_trials(metric, |n, passed| pass_all_k(n, passed, k))
    }

    fn over_trials(&self, metric: &str, of: impl Fn(usize, usize) -> Option<f64>) -> Option<f64> {
        let units = Units::of_trials(&self.trials).remove(metric)?;
        let shares = units.of_datapoints.iter().map(|(_, values)| {
            let passed = values
                .iter()
                .filter(|value| value.as_number() == Some(1.0))
                .count();
            of(values.len(), passed)
        });
        let shares: Vec<f64> = shares.collect::<Option<_>>()?;
        (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
    }

    /// Returns the interval of a metric's mean by the percentile bootstrap, for skewed numbers: 10,000 draws, the same on
    /// every platform. Fewer than two datapoints have none.
    #[must_use]
    pub fn bootstrap(&self, metric: &str) -> Option<Interval> {
        let units = Units::of_trials(&self.trials).remove(metric)?;
        bootstrap(&units.means(), self.facts.level).map(|(interval, _)| interval)
    }

    /// Returns the changes since another run, datapoint by datapoint.
    #[must_use]
    pub fn compare(&self, old: &Baseline) -> Comparison {
        Comparison::of(&Units::of_trials(&self.trials), old, self.facts.level)
    }

    /// Returns the report with a comparison in it, for [`markdown`](Self::markdown), [`json`](Self::json) and
    /// `Display`.
    #[must_use]
    pub fn compared_with(mut self, old: &Baseline) -> Self {
        self.compared = Some(self.compare(old));
        self
    }

    /// Returns the comparison that [`compared_with`](Self::compared_with) has put in.
    #[must_use]
    pub const fn comparison(&self) -> Option<&Comparison> {
        self.compared.as_ref()
    }

    /// Returns the baseline that a later run is compared with.
    #[must_use]
    pub fn baseline(&self) -> Baseline {
        let Facts {
            name,
            function,
            dataset_id,
            ..
        } = &self.facts;
        Baseline::of_trials(&self.trials).of_run(name, function, dataset_id)
    }

    /// Returns the verdict of each gate.
    #[must_use]
    pub fn gate(&self, gates: impl IntoIterator<Item = Gate>) -> Verdicts {
        let verdicts = gates
            .into_iter()
            .map(|gate| gate.check(&self.trials, self.facts.level));
        Verdicts(verdicts.collect())
    }

    /// Returns HoneyHive's own summary of the run, with the results of HoneyHive's own evaluators. Those take their
    /// time, so the summary is asked for again until it has `metric`, at most for `limit`. Where a datapoint has
    /// several trials, the summary counts each session. `None` for a run that did not go through HoneyHive.
    ///
    /// # Errors
    ///
    /// HoneyHive does not answer.
    pub async fn server_summary(
        &self,
        metric: Option<&str>,
        limit: Duration,
    ) -> Result<Option<RunSummary>, ClientError> {
        const PAUSE: Duration = Duration::from_millis(500);
        let Some(client) = &self.client else {
            return Ok(None);
        };
        let until = after(limit);
        loop {
            let summary = client
                .runs()
                .summary(self.run_id(), self.facts.aggregate.clone())
                .await?;
            let has_metric = |name: &str| {
                summary
                    .metrics
                    .details
                    .iter()
                    .any(|found| found.metric_name == name)
            };
            if metric.is_none_or(has_metric) || Instant::now() + PAUSE >= until {
                return Ok(Some(summary));
            }
            sleep(PAUSE).await;
        }
    }

    /// Panics with the report where a gate fails, and so ends the test.
    ///
    /// # Panics
    ///
    /// Where a gate fails, or is inconclusive and that is not allowed.
    #[track_caller]
    pub fn assert(&self, gates: impl IntoIterator<Item = Gate>) {
        let verdicts = self.gate(gates);
        assert!(
            verdicts.passed(),
            "the run is not good enough\n\n{verdicts}\n{self}"
        );
    }
}
