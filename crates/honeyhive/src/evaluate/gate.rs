//! [`Gate`]: what a run must reach, judged by the estimate or by its interval.

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

/// What a run must reach, or it is not good enough.
///
/// | Gate | Asks for |
/// |---|---|
/// | `mean(m)` | the mean of a metric; of truths, their share |
/// | `share(m, range)` | the share of datapoints whose value is in a range |
/// | `percentile(m, 0.95)` | a percentile of a metric |
/// | `latency(0.95)` | a percentile of the function's time |
/// | `max_errors(0.02)` | the share of trials where the function or an evaluator failed |
/// | `max_skipped(m, 0.1)` | the share of trials that a metric has nothing to say of |
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

    /// The mean of a metric; of truths, the share of true ones.
    pub fn mean(metric: impl Into<String>) -> Self {
        Self::new(Measure::Mean(metric.into()), None)
    }

    /// The share of datapoints whose value, the mean of its trials, is in a range: `Gate::share("score", 0.5..)`.
    pub fn share(metric: impl Into<String>, range: impl RangeBounds<f64>) -> Self {
        let [low, high] = [range.start_bound().cloned(), range.end_bound().cloned()];
        Self::new(Measure::Share(metric.into(), low, high), None)
    }

    /// A percentile of a metric, by its share: 0.95 for the 95th.
    pub fn percentile(metric: impl Into<String>, share: f64) -> Self {
        Self::new(Measure::Percentile(metric.into(), share), None)
    }

    /// A percentile of the function's time, by its share; for [`within`](Self::within).
    pub const fn latency(share: f64) -> Self {
        Self::new(Measure::Latency(share), None)
    }

    /// At most this share of trials where the function or an evaluator failed.
    pub const fn max_errors(share: f64) -> Self {
        Self::new(Measure::Errors, Some(Limit::AtMost(share)))
    }

    /// At most this share of trials that a metric has nothing to say of.
    pub fn max_skipped(metric: impl Into<String>, share: f64) -> Self {
        Self::new(Measure::Skipped(metric.into()), Some(Limit::AtMost(share)))
    }

    /// Not more than `margin` below an earlier run, datapoint by datapoint. Without a common datapoint it is inconclusive.
    pub fn no_worse_than(baseline: &Baseline, metric: impl Into<String>, margin: f64) -> Self {
        let measure = Measure::Difference(metric.into(), Box::new(baseline.clone()));
        Self::new(measure, Some(Limit::AtLeast(-margin)))
    }

    /// Asks for this or more.
    pub const fn at_least(mut self, bound: f64) -> Self {
        self.bound = Some(Limit::AtLeast(bound));
        self
    }

    /// Asks for this or less.
    pub const fn at_most(mut self, bound: f64) -> Self {
        self.bound = Some(Limit::AtMost(bound));
        self
    }

    /// Asks for this time or less.
    pub const fn within(self, bound: Duration) -> Self {
        self.at_most(bound.as_secs_f64() * 1e3)
    }

    /// Fails only where the whole interval misses. Without an interval it is inconclusive.
    pub const fn unless_proven_otherwise(mut self) -> Self {
        self.judge = Judge::UnlessProvenOtherwise;
        self
    }

    /// Passes only where the whole interval holds, fails where the whole interval misses, and is inconclusive between.
    pub const fn proven(mut self) -> Self {
        self.judge = Judge::Proven;
        self
    }

    /// Lets it be inconclusive; else that counts as a failure.
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
    /// The value, or one that differs from the bound by rounding only, holds.
    fn holds(self, value: f64) -> bool {
        let room = |bound: f64| 1e-9 * bound.abs();
        match self {
            Self::AtLeast(bound) => value >= bound - room(bound),
            Self::AtMost(bound) => value <= bound + room(bound),
        }
    }

    /// Whether the interval holds wholly, and whether it holds anywhere.
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
            (Self::Estimate, _) => GateOutcome::Fail,
            (_, None) => GateOutcome::Inconclusive,
            (_, Some((_, false))) => GateOutcome::Fail,
            (Self::Proven, Some((false, true))) => GateOutcome::Inconclusive,
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

/// What became of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GateOutcome {
    /// The run is good enough.
    Pass,
    /// The run is not good enough.
    Fail,
    /// The run does not tell.
    Inconclusive,
}

/// A gate and what became of it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// What was asked for.
    pub gate: String,
    /// What became of it.
    pub outcome: GateOutcome,
    /// What was found: the estimate and its interval.
    pub found: String,
    counts: bool,
}

impl Verdict {
    /// True where it counts as a failure: inconclusive ones do, unless they are allowed.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        self.counts
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.outcome {
            GateOutcome::Pass => "pass",
            GateOutcome::Fail => "FAIL",
            GateOutcome::Inconclusive => "INCONCLUSIVE",
        };
        write!(formatter, "{word}  {}  ({})", self.gate, self.found)
    }
}

/// What became of all gates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdicts(pub(super) Vec<Verdict>);

impl Verdicts {
    /// True where none counts as a failure.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.0.iter().any(Verdict::is_failure)
    }

    /// Each of them, in the order that they were asked in.
    pub fn iter(&self) -> impl Iterator<Item = &Verdict> {
        self.0.iter()
    }
}

/// A line a gate.
impl fmt::Display for Verdicts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|verdict| writeln!(formatter, "{verdict}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::results::{MetricResult, Outcome};
    use crate::evaluate::summary::made::{trial, value};

    /// Eight of ten are true: 0.49 to 0.94. Numbers are 0, 1, …, 9: 2.33 to 6.67. Times are 10 ms, 20 ms, ….
    fn ten() -> Vec<TrialReport> {
        let of = |i: usize| {
            let metrics = [
                ("truth", value(i < 8)),
                ("number", value(i)),
                (
                    "few",
                    if i == 0 {
                        MetricResult::Skipped
                    } else {
                        value(true)
                    },
                ),
            ];
            TrialReport {
                latency_ms: Some(10.0 * (i + 1) as f64),
                ..trial(i, 0, &metrics)
            }
        };
        (0..10).map(of).collect()
    }

    fn outcome(gate: &Gate) -> GateOutcome {
        gate.check(&ten(), Level::P95).outcome
    }

    #[track_caller]
    fn assert_outcomes(
        gate: &Gate,
        estimate: GateOutcome,
        otherwise: GateOutcome,
        proven: GateOutcome,
    ) {
        let found = [
            gate.clone(),
            gate.clone().unless_proven_otherwise(),
            gate.clone().proven(),
        ]
        .map(|gate| outcome(&gate));
        assert_eq!(found, [estimate, otherwise, proven], "{gate}");
    }

    #[test]
    fn each_gate_is_judged_by_its_estimate_or_by_its_interval() {
        use GateOutcome::{Fail, Inconclusive, Pass};

        let mean = |bound| Gate::mean("truth").at_least(bound);
        assert_outcomes(&mean(0.40), Pass, Pass, Pass);
        assert_outcomes(&mean(0.80), Pass, Pass, Inconclusive);
        assert_outcomes(&mean(0.90), Fail, Pass, Inconclusive);
        assert_outcomes(&mean(0.99), Fail, Fail, Fail);
        assert_outcomes(&Gate::mean("number").at_most(7.0), Pass, Pass, Pass);
        assert_outcomes(&Gate::mean("number").at_most(4.0), Fail, Pass, Inconclusive);
        assert_outcomes(&Gate::mean("number").at_most(2.0), Fail, Fail, Fail);
        let share = |bound| Gate::share("number", 2.0..).at_least(bound);
        assert_outcomes(&share(0.40), Pass, Pass, Pass);
        assert_outcomes(&share(0.90), Fail, Pass, Inconclusive);
        assert_outcomes(&share(0.99), Fail, Fail, Fail);
        let median = |bound| Gate::percentile("number", 0.5).at_least(bound);
        assert_outcomes(&median(0.0), Pass, Pass, Pass);
        assert_outcomes(&median(5.0), Fail, Pass, Inconclusive);
        assert_outcomes(&median(9.5), Fail, Fail, Fail);
        let latency = |milliseconds| Gate::latency(0.5).within(Duration::from_millis(milliseconds));
        assert_outcomes(&latency(1000), Pass, Pass, Pass);
        assert_outcomes(&latency(50), Fail, Pass, Inconclusive);
        assert_outcomes(&latency(5), Fail, Fail, Fail);
        let skipped = |share| Gate::max_skipped("few", share);
        assert_outcomes(&skipped(0.5), Pass, Pass, Pass);
        assert_outcomes(&skipped(0.1), Pass, Pass, Inconclusive);
        assert_outcomes(&skipped(0.01), Fail, Fail, Fail);
        assert_outcomes(&Gate::max_errors(0.4), Pass, Pass, Pass);
        assert_outcomes(&Gate::max_errors(0.1), Pass, Pass, Inconclusive);
    }

    #[test]
    fn a_difference_to_a_baseline_is_judged_pair_by_pair() {
        use GateOutcome::{Fail, Inconclusive, Pass};

        let baseline = Baseline::of_trials(&ten());
        let same = Gate::no_worse_than(&baseline, "truth", 0.0);
        assert_outcomes(&same, Pass, Pass, Inconclusive);
        assert_outcomes(
            &Gate::no_worse_than(&baseline, "truth", 0.5),
            Pass,
            Pass,
            Pass,
        );
        let better = |i: usize| trial(i, 0, &[("number", value(i + 5))]);
        let better = Baseline::of_trials(&(0..10).map(better).collect::<Vec<_>>());
        assert_outcomes(
            &Gate::no_worse_than(&better, "number", 0.02),
            Fail,
            Fail,
            Fail,
        );
        let other = Baseline::of_trials(&[trial(99, 0, &[("truth", value(true))])]);
        assert_outcomes(
            &Gate::no_worse_than(&other, "truth", 1.0),
            Inconclusive,
            Inconclusive,
            Inconclusive,
        );
    }

    #[test]
    fn what_is_inconclusive_counts_unless_it_is_allowed() {
        let gate = Gate::mean("no such metric").at_least(0.5);
        assert!(gate.check(&ten(), Level::P95).is_failure());
        assert!(
            !gate
                .clone()
                .allow_inconclusive()
                .check(&ten(), Level::P95)
                .is_failure()
        );
        let unbounded = Gate::mean("truth").check(&ten(), Level::P95);
        assert_eq!(unbounded.outcome, GateOutcome::Inconclusive);
        assert!(unbounded.gate.contains("without a bound"), "{unbounded}");
        let empty = Gate::max_errors(0.1).check(&[], Level::P95);
        assert_eq!(empty.outcome, GateOutcome::Inconclusive);
    }

    #[test]
    fn errors_of_functions_and_evaluators_are_errors() {
        let mut trials = ten();
        trials[0].outcome = Outcome::TimedOut;
        trials[1]
            .metrics
            .insert("judge".to_owned(), MetricResult::Error("down".to_owned()));
        let verdict = Gate::max_errors(0.1).check(&trials, Level::P95);
        assert_eq!(
            verdict.to_string(),
            "FAIL  share of errors ≤ 0.1  (0.2000, 2 of 10, 0.0567 to 0.5098)"
        );
    }
}
