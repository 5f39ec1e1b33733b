//! A [`Gate`] is a condition for a run, judged by the estimate or by its interval.

use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::time::Duration;

use super::baseline::Baseline;
use super::compare::change;
use super::measured::Measured;
use super::results::TrialReport;
use super::statistics::{Interval, Level, Moments, percentile, percentile_interval, wilson};
use super::summary::interval_of;
use super::units::{MetricKind, Units};
use super::verdict::{GateOutcome, Verdict};
use crate::model::milliseconds::milliseconds;

/// A `Gate` is a condition that a run must fulfil to be good enough.
///
/// | Gate | Asks for |
/// |---|---|
/// | `mean(m)` | the mean of a metric; of booleans, the share of true ones |
/// | `share(m, range)` | the share of datapoints whose value is in a range |
/// | `percentile(m, 0.95)` | a percentile of a metric |
/// | `latency(0.95)` | a percentile of the function's time |
/// | `max_errors(0.02)` | the share of trials where the function or an evaluator failed |
/// | `max_skipped(m, 0.1)` | the share of trials that the evaluator of a metric skipped |
/// | `no_worse_than(&baseline, m, 0.02)` | the difference to an earlier run, pair by pair |
///
/// Each is judged by its estimate, unless [`unless_proven_otherwise`](Self::unless_proven_otherwise) or
/// [`proven`](Self::proven) asks for its interval.
///
/// ```
/// use honeyhive::evaluate::Gate;
///
/// let gates = [
///     Gate::mean("exact_match").at_least(0.80),
///     Gate::mean("helpful").at_least(0.60).unless_proven_otherwise(),
///     Gate::max_errors(0.02),
/// ];
/// assert_eq!(gates[0].to_string(), "mean of exact_match ≥ 0.8");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a gate is checked by `report.gate([..])` or `report.assert([..])`"]
pub struct Gate {
    measure: Measure,
    bound: Option<Limit>,
    judge: Judge,
    allow_inconclusive: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Measure {
    Mean(String),
    Share(String, Bound<f64>, Bound<f64>),
    Percentile(String, f64),
    Latency(f64),
    Errors,
    Skipped(String),
    Difference(String, Box<Baseline>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judge {
    Estimate,
    UnlessProvenOtherwise,
    Proven,
}

impl Gate {
    const fn new(measure: Measure, bound: Option<Limit>) -> Self {
        Self {
            measure,
            bound,
            judge: Judge::Estimate,
            allow_inconclusive: false,
        }
    }

    /// Judges the mean of a metric; of booleans, the share of true ones.
    pub fn mean(metric: impl Into<String>) -> Self {
        Self::new(Measure::Mean(metric.into()), None)
    }

    /// Judges the share of datapoints whose value, the mean of its trials, is in a range: `Gate::share("score",
    /// 0.5..)`.
    pub fn share(metric: impl Into<String>, range: impl RangeBounds<f64>) -> Self {
        let [low, high] = [range.start_bound().cloned(), range.end_bound().cloned()];
        Self::new(Measure::Share(metric.into(), low, high), None)
    }

    /// Judges a percentile of a metric, by its share: 0.95 for the 95th.
    pub fn percentile(metric: impl Into<String>, share: f64) -> Self {
        Self::new(Measure::Percentile(metric.into(), share), None)
    }

    /// Judges a percentile of the function's time, by its share; for [`within`](Self::within).
    pub const fn latency(share: f64) -> Self {
        Self::new(Measure::Latency(share), None)
    }

    /// Allows at most this share of trials where the function or an evaluator failed.
    pub const fn max_errors(share: f64) -> Self {
        Self::new(Measure::Errors, Some(Limit::AtMost(share)))
    }

    /// Allows at most this share of trials that the metric's evaluator skipped.
    pub fn max_skipped(metric: impl Into<String>, share: f64) -> Self {
        Self::new(Measure::Skipped(metric.into()), Some(Limit::AtMost(share)))
    }

    /// Allows the metric to be at most `margin` below an earlier run, datapoint by datapoint. Without a common
    /// datapoint the verdict is inconclusive.
    pub fn no_worse_than(baseline: &Baseline, metric: impl Into<String>, margin: f64) -> Self {
        let measure = Measure::Difference(metric.into(), Box::new(baseline.clone()));
        Self::new(measure, Some(Limit::AtLeast(-margin)))
    }

    /// Requires this value or more.
    pub const fn at_least(mut self, bound: f64) -> Self {
        self.bound = Some(Limit::AtLeast(bound));
        self
    }

    /// Requires this value or less.
    pub const fn at_most(mut self, bound: f64) -> Self {
        self.bound = Some(Limit::AtMost(bound));
        self
    }

    /// Requires this time or less.
    pub const fn within(self, bound: Duration) -> Self {
        self.at_most(milliseconds(bound))
    }

    /// Fails only where the whole interval misses the condition. Without an interval the verdict is inconclusive.
    pub const fn unless_proven_otherwise(mut self) -> Self {
        self.judge = Judge::UnlessProvenOtherwise;
        self
    }

    /// Passes only where the whole interval fulfils the condition, fails where the whole interval misses it, and is
    /// inconclusive between.
    pub const fn proven(mut self) -> Self {
        self.judge = Judge::Proven;
        self
    }

    /// Allows an inconclusive verdict; by default it counts as a failure.
    pub const fn allow_inconclusive(mut self) -> Self {
        self.allow_inconclusive = true;
        self
    }

    pub(super) fn check(&self, trials: &[TrialReport], level: Level) -> Verdict {
        let measured = self.measure.of(trials, level);
        let outcome = match (&measured, self.bound) {
            (Some(measured), Some(limit)) => self.judge.outcome(measured, limit),
            _ => GateOutcome::Inconclusive,
        };
        Verdict {
            gate: self.to_string(),
            outcome,
            found: measured.map_or_else(|| "no values".to_owned(), |measured| measured.to_string()),
            counts: outcome == GateOutcome::Fail
                || (outcome == GateOutcome::Inconclusive && !self.allow_inconclusive),
        }
    }
}

impl Measure {
    fn of(&self, trials: &[TrialReport], level: Level) -> Option<Measured> {
        let units = |metric: &str| {
            Units::of_trials(trials)
                .remove(metric)
                .filter(|units| units.kind() != MetricKind::Text)
        };
        match self {
            Self::Mean(metric) => {
                let units = units(metric)?;
                let means = units.means();
                Measured::new(
                    Moments::of(&means)?.mean,
                    interval_of(&units, &means, level),
                )
            }
            Self::Share(metric, low, high) => {
                let means = units(metric)?.means();
                let hits = means
                    .iter()
                    .filter(|mean| (*low, *high).contains(*mean))
                    .count();
                Measured::share(hits, means.len(), wilson(hits, means.len(), level))
            }
            Self::Percentile(metric, share) => of_percentile(units(metric)?.means(), *share, level),
            Self::Latency(share) => of_percentile(
                trials.iter().filter_map(|trial| trial.latency_ms).collect(),
                *share,
                level,
            ),
            Self::Errors => share_of(trials, TrialReport::has_error, level),
            Self::Skipped(metric) => share_of(trials, |trial| trial.score(metric).is_none(), level),
            Self::Difference(metric, baseline) => {
                let change = change(metric, &units(metric)?, baseline.values(metric)?, level)?;
                Measured::new(change.difference, change.interval)
            }
        }
    }
}

fn of_percentile(mut values: Vec<f64>, share: f64, level: Level) -> Option<Measured> {
    values.sort_by(f64::total_cmp);
    Measured::new(
        percentile(&values, share)?,
        percentile_interval(&values, share, level),
    )
}

fn share_of(
    trials: &[TrialReport],
    is_hit: impl Fn(&TrialReport) -> bool,
    level: Level,
) -> Option<Measured> {
    let hits = trials.iter().filter(|trial| is_hit(trial)).count();
    Measured::share(hits, trials.len(), wilson(hits, trials.len(), level))
}

impl Limit {
    /// Returns whether the value holds, or one that differs from the bound by rounding only.
    fn holds(self, value: f64) -> bool {
        let room = |bound: f64| 1e-9 * bound.abs();
        match self {
            Self::AtLeast(bound) => value >= bound - room(bound),
            Self::AtMost(bound) => value <= bound + room(bound),
        }
    }

    /// Returns whether the interval holds wholly, and whether it holds anywhere.
    fn holds_wholly_and_anywhere(self, interval: Interval) -> (bool, bool) {
        let (low, high) = (self.holds(interval.low), self.holds(interval.high));
        (low && high, low || high)
    }
}

impl Judge {
    fn outcome(self, measured: &Measured, limit: Limit) -> GateOutcome {
        let sure = measured
            .interval
            .map(|interval| limit.holds_wholly_and_anywhere(interval));
        match (self, sure) {
            (Self::Estimate, _) if limit.holds(measured.estimate) => GateOutcome::Pass,
            (Self::Estimate, _) | (_, Some((_, false))) => GateOutcome::Fail,
            (_, None) | (Self::Proven, Some((false, true))) => GateOutcome::Inconclusive,
            (_, Some(_)) => GateOutcome::Pass,
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.measure {
            Measure::Mean(metric) => write!(formatter, "mean of {metric}")?,
            Measure::Share(metric, low, high) => {
                write!(formatter, "share of {metric} {}", Range(*low, *high))?
            }
            Measure::Percentile(metric, share) => {
                write!(formatter, "p{} of {metric}", share * 100.0)?
            }
            Measure::Latency(share) => {
                write!(formatter, "p{} of the latency in ms", share * 100.0)?
            }
            Measure::Errors => formatter.write_str("share of errors")?,
            Measure::Skipped(metric) => write!(formatter, "share without {metric}")?,
            Measure::Difference(metric, _) => {
                write!(formatter, "change of {metric} to the baseline")?
            }
        }
        match self.bound {
            Some(Limit::AtLeast(bound)) => write!(formatter, " ≥ {bound}")?,
            Some(Limit::AtMost(bound)) => write!(formatter, " ≤ {bound}")?,
            None => formatter.write_str(", without a bound (`.at_least(..)` or `.at_most(..)`)")?,
        }
        formatter.write_str(match self.judge {
            Judge::Estimate => "",
            Judge::UnlessProvenOtherwise => ", unless proven otherwise",
            Judge::Proven => ", proven",
        })
    }
}

struct Range(Bound<f64>, Bound<f64>);

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Bound::Included(low) | Bound::Excluded(low) = self.0 {
            write!(formatter, "{low}")?;
        }
        formatter.write_str("..")?;
        match self.1 {
            Bound::Included(high) => write!(formatter, "={high}"),
            Bound::Excluded(high) => write!(formatter, "{high}"),
            Bound::Unbounded => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
