//! [`MetricReport`] is a metric over all datapoints, with its interval.

use std::collections::BTreeMap;

use super::aggregate::{Aggregate, aggregate_of};
use super::results::{MetricResult, Outcome, TrialReport};
use super::statistics::{Interval, Level, Moments, percentile, t_interval, wilson_of_clusters};
use super::units::{MetricKind, Units};

/// The number of datapoints below which Student's interval is rough.
const ROUGH_BELOW: usize = 30;

/// A `MetricReport` is a metric over all datapoints. The unit is the datapoint: several trials count as their mean.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MetricReport {
    /// The metric's name.
    pub name: String,
    /// The kind of the metric's values.
    pub kind: MetricKind,
    /// The number of datapoints that have a value.
    pub n: usize,
    /// The number of trials that the evaluator skipped.
    pub skipped: usize,
    /// The number of trials on which the evaluator failed.
    pub errors: usize,
    /// The number of trials without the metric, because the function failed or did not run.
    pub missing: usize,
    /// The mean; `None` for texts, or where there are no values.
    pub estimate: Option<f64>,
    /// The estimate's interval: Wilson's for booleans, whose trials count by how much they differ within a datapoint, else
    /// Student's. `None` for fewer than two datapoints with numbers.
    pub interval: Option<Interval>,
    /// The aggregate that the run asks for.
    pub aggregate: Option<f64>,
    /// The standard deviation over datapoints.
    pub deviation: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// The 90th percentile.
    pub p90: Option<f64>,
    /// The 95th percentile.
    pub p95: Option<f64>,
    /// The number of times that each text occurs; empty for other values.
    pub counts: BTreeMap<String, usize>,
}

impl MetricReport {
    /// Returns true for numbers of few datapoints, whose interval is rough.
    #[must_use]
    pub fn is_rough(&self) -> bool {
        self.interval.is_some() && self.kind == MetricKind::Number && self.n < ROUGH_BELOW
    }

    fn of(name: String, units: &Units, aggregate: &Aggregate, level: Level) -> Self {
        let kind = units.kind();
        let means = if kind == MetricKind::Text {
            Vec::new()
        } else {
            units.means()
        };
        let mut sorted = means.clone();
        sorted.sort_by(f64::total_cmp);
        let moments = Moments::of(&means);
        Self {
            name,
            kind,
            n: units.of_datapoints.len(),
            skipped: 0,
            errors: 0,
            missing: 0,
            estimate: moments.map(|moments| moments.mean),
            interval: interval_of(units, &means, level),
            aggregate: aggregate_of(aggregate, &sorted).filter(|_| !sorted.is_empty()),
            deviation: moments.and_then(|moments| moments.deviation),
            p50: percentile(&sorted, 0.5),
            p90: percentile(&sorted, 0.9),
            p95: percentile(&sorted, 0.95),
            counts: if kind == MetricKind::Text {
                units.counts()
            } else {
                BTreeMap::new()
            },
        }
    }

    fn count(&mut self, trials: &[TrialReport]) {
        for trial in trials {
            match trial.metrics.get(&self.name) {
                Some(MetricResult::Value(_)) => {}
                Some(MetricResult::Skipped) => self.skipped += 1,
                Some(MetricResult::Error(_)) => self.errors += 1,
                None if trial.outcome == Outcome::Ok => {}
                None => self.missing += 1,
            }
        }
    }
}

/// Returns the interval of a metric's mean.
pub(super) fn interval_of(units: &Units, means: &[f64], level: Level) -> Option<Interval> {
    match units.kind() {
        MetricKind::Text => None,
        MetricKind::Bool => wilson_of_clusters(means, units.values().count(), level),
        MetricKind::Number => t_interval(means, level),
    }
}

/// Returns all metrics by their names. `trials` are in the order of the dataset.
pub(super) fn summarize(
    trials: &[TrialReport],
    aggregate: &Aggregate,
    level: Level,
) -> Vec<MetricReport> {
    let units = Units::of_trials(trials);
    let summary = |(name, units): (String, Units)| {
        let mut report = MetricReport::of(name, &units, aggregate, level);
        report.count(trials);
        report
    };
    units.into_iter().map(summary).collect()
}

/// The module makes trials for the tests of summaries and reports.
#[cfg(test)]
pub(super) mod made {
    use super::*;
    use crate::evaluate::score::ScoreValue;

    pub(crate) fn trial(
        position: usize,
        trial: u32,
        metrics: &[(&str, MetricResult)],
    ) -> TrialReport {
        let metrics = metrics
            .iter()
            .map(|(name, result)| ((*name).to_owned(), result.clone()));
        TrialReport {
            outcome: Outcome::Ok,
            attempts: 1,
            metrics: metrics.collect(),
            ..TrialReport::not_run(&format!("EXT-{position}"), position, trial)
        }
    }

    pub(crate) fn value(value: impl Into<ScoreValue>) -> MetricResult {
        MetricResult::Value(value.into())
    }
}

#[cfg(test)]
mod tests {
    use super::made::{trial, value};
    use super::*;
    use crate::evaluate::statistics::wilson;

    fn only(trials: &[TrialReport]) -> MetricReport {
        let mut all = summarize(trials, &Aggregate::Average, Level::P95);
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[test]
    fn passes_of_one_trial_have_wilsons_interval() {
        let trials: Vec<_> = (0..10)
            .map(|i| trial(i, 0, &[("m", value(i < 8))]))
            .collect();
        let metric = only(&trials);
        assert_eq!(
            (metric.kind, metric.n, metric.estimate),
            (MetricKind::Bool, 10, Some(0.8))
        );
        assert_eq!(metric.interval, wilson(8, 10, Level::P95));
    }

    #[test]
    fn trials_of_a_datapoint_are_one_unit() {
        let passes = [[true, true], [true, false], [false, false]];
        let trials: Vec<_> = (0..3)
            .flat_map(|i| (0..2).map(move |t| (i, t)))
            .map(|(i, t)| trial(i, u32::try_from(t).unwrap(), &[("m", value(passes[i][t]))]))
            .collect();
        let metric = only(&trials);
        assert_eq!((metric.n, metric.estimate), (3, Some(0.5)));
        assert_eq!(
            metric.interval,
            wilson_of_clusters(&[1.0, 0.5, 0.0], 6, Level::P95)
        );
    }

    #[test]
    fn trials_that_always_pass_prove_no_more_than_their_datapoints() {
        let trials: Vec<_> = (0..2)
            .flat_map(|i| (0..3).map(move |t| trial(i, t, &[("m", value(true))])))
            .collect();
        let metric = only(&trials);
        assert_eq!((metric.n, metric.estimate), (2, Some(1.0)));
        assert_eq!(metric.interval, wilson(2, 2, Level::P95));
    }

    #[test]
    fn what_is_skipped_or_failed_is_counted_and_no_zero() {
        let failed = TrialReport {
            outcome: Outcome::Failed,
            ..TrialReport::not_run("EXT-9", 9, 0)
        };
        let trials = [
            trial(0, 0, &[("m", value(1.0))]),
            trial(1, 0, &[("m", value(0.5))]),
            trial(2, 0, &[("m", MetricResult::Skipped)]),
            trial(3, 0, &[("m", MetricResult::Error("no judge".to_owned()))]),
            failed,
        ];
        let metric = only(&trials);
        assert_eq!(
            (metric.n, metric.skipped, metric.errors, metric.missing),
            (2, 1, 1, 1)
        );
        assert_eq!(metric.estimate, Some(0.75));
        assert!(metric.is_rough());
    }

    #[test]
    fn texts_are_counted_and_a_metric_without_values_has_no_numbers() {
        let trials = [
            trial(0, 0, &[("m", value("a"))]),
            trial(1, 0, &[("m", value("b"))]),
            trial(2, 0, &[("m", value("a"))]),
        ];
        let metric = only(&trials);
        assert_eq!(
            metric.counts,
            BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)])
        );
        assert_eq!((metric.estimate, metric.interval), (None, None));
        let metric = only(&[trial(0, 0, &[("m", MetricResult::Skipped)])]);
        assert_eq!(
            (metric.n, metric.estimate, metric.interval, metric.aggregate),
            (0, None, None, None)
        );
    }
}
