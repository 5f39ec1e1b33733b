//! A [`Comparison`] compares two runs on the same datapoints, pair by pair.

use std::collections::BTreeMap;
use std::fmt;

use super::baseline::Baseline;
use super::score::ScoreValue;
use super::statistics::{
    Interval, Level, Moments, agresti_min, holm, mc_nemar, mean, smallest_difference, t_interval,
    wilcoxon,
};
use super::units::{MetricKind, Units, kind_of, mean_of};

/// A `Change` is the change of a metric between two runs, over the datapoints that have it in both.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The metric.
    pub metric: String,
    /// The kind of the metric's values.
    pub kind: MetricKind,
    /// The number of datapoints that have the metric in both runs.
    pub pairs: usize,
    /// The number of datapoints whose value went up.
    pub up: usize,
    /// The number of datapoints whose value went down.
    pub down: usize,
    /// The mean of the earlier run.
    pub old: f64,
    /// The mean of this run.
    pub new: f64,
    /// The mean of this run less that of the earlier run.
    pub difference: f64,
    /// The difference's interval: Agresti and Min's for booleans of one trial, else Student's. `None` for one pair of
    /// numbers.
    pub interval: Option<Interval>,
    /// The probability of such differences where nothing has changed: McNemar's exact test for booleans of one trial,
    /// else Wilcoxon's signed rank test.
    pub p: f64,
    /// The probability after Holm's adjustment over all metrics compared.
    pub p_adjusted: f64,
    /// The smallest difference that this number of pairs shows four times of five. `None` where all have changed alike,
    /// or not at all: such differences do not show how they scatter.
    pub smallest: Option<f64>,
    /// The datapoints that only the earlier run has.
    pub only_old: Vec<String>,
    /// The datapoints that only this run has.
    pub only_new: Vec<String>,
}

impl Change {
    /// Returns true where the difference is significant, at 5 % after Holm's adjustment.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        self.p_adjusted < 0.05
    }
}

/// A `Comparison` has the changes between two runs, metric by metric.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// The changes of metrics with numbers or booleans that both runs have, by name.
    pub changes: Vec<Change>,
    /// The metrics that only one of the runs has, or that have no datapoint in common.
    pub not_compared: Vec<String>,
}

impl Comparison {
    pub(super) fn of(new: &BTreeMap<String, Units>, old: &Baseline, level: Level) -> Self {
        let mut comparison = Self::default();
        for (metric, units) in new {
            match old
                .values(metric)
                .and_then(|old| change(metric, units, old, level))
            {
                Some(change) => comparison.changes.push(change),
                None => comparison.not_compared.push(metric.clone()),
            }
        }
        let only_old = old.metrics().filter(|metric| !new.contains_key(*metric));
        comparison.not_compared.extend(only_old.map(str::to_owned));
        comparison.not_compared.sort();
        comparison.adjust();
        comparison
    }

    fn adjust(&mut self) {
        let probabilities: Vec<f64> = self.changes.iter().map(|change| change.p).collect();
        for (change, adjusted) in self.changes.iter_mut().zip(holm(&probabilities)) {
            change.p_adjusted = adjusted;
        }
    }

    /// Returns the change of a metric.
    #[must_use]
    pub fn change(&self, metric: &str) -> Option<&Change> {
        self.changes.iter().find(|change| change.metric == metric)
    }
}

/// Writes one line per metric.
impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(formatter, "{change}")?;
        }
        if !self.not_compared.is_empty() {
            writeln!(formatter, "not compared: {}", self.not_compared.join(", "))?;
        }
        Ok(())
    }
}

/// Writes one sentence: the old value, the new one, and what the difference shows.
impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            metric,
            old,
            new,
            difference,
            pairs,
            p_adjusted,
            ..
        } = self;
        write!(formatter, "{metric}: {old:.4} → {new:.4} ({difference:+.4}")?;
        if let Some(Interval { low, high }) = self.interval {
            write!(formatter, ", {low:+.4} to {high:+.4}")?;
        }
        write!(
            formatter,
            "; {pairs} pairs, {} up, {} down; p = {p_adjusted:.4})",
            self.up, self.down
        )?;
        match (self.is_shown(), self.smallest) {
            (true, _) => formatter.write_str(": a difference"),
            (false, Some(smallest)) => write!(
                formatter,
                ": no difference shown; so many pairs show one of {smallest:.4} four times of five"
            ),
            (false, None) => formatter.write_str(": no difference shown"),
        }
    }
}

/// Returns the change of one metric; `None` for texts, where no datapoint is in both runs, or where a difference is too
/// large for a number.
pub(super) fn change(
    metric: &str,
    new: &Units,
    old: &BTreeMap<String, Vec<ScoreValue>>,
    level: Level,
) -> Option<Change> {
    let pair =
        |(id, values): &(String, Vec<ScoreValue>)| Some((mean_of(old.get(id)?)?, mean_of(values)?));
    let pairs: Vec<(f64, f64)> = new.of_datapoints.iter().filter_map(pair).collect();
    let differences: Vec<f64> = pairs.iter().map(|(old, new)| new - old).collect();
    if !differences.iter().all(|difference| difference.is_finite()) {
        return None;
    }
    let moments = Moments::of(&differences)?;
    let count =
        |is_counted: fn(f64) -> bool| differences.iter().filter(|it| is_counted(**it)).count();
    let (up, down) = (count(|it| it > 0.0), count(|it| it < 0.0));
    let kind = kind_of(old.values().flatten().chain(new.values()));
    let is_single = !new.has_trials() && old.values().all(|values| values.len() == 1);
    let (interval, p) = if kind == MetricKind::Bool && is_single {
        (agresti_min(down, up, moments.n, level), mc_nemar(down, up))
    } else {
        (t_interval(&differences, level), wilcoxon(&differences))
    };
    let mean_of_side =
        |side: fn(&(f64, f64)) -> f64| mean(&pairs.iter().map(side).collect::<Vec<_>>());
    let deviation = moments.deviation.filter(|deviation| *deviation > 0.0);
    Some(Change {
        metric: metric.to_owned(),
        kind,
        pairs: moments.n,
        up,
        down,
        old: mean_of_side(|pair| pair.0)?,
        new: mean_of_side(|pair| pair.1)?,
        difference: moments.mean,
        interval,
        p,
        p_adjusted: p,
        smallest: deviation.and_then(|deviation| smallest_difference(deviation, moments.n)),
        only_old: only_old(new, old),
        only_new: only_new(new, old),
    })
}

fn only_new(new: &Units, old: &BTreeMap<String, Vec<ScoreValue>>) -> Vec<String> {
    let ids = new.of_datapoints.iter().map(|(id, _)| id);
    ids.filter(|id| !old.contains_key(*id)).cloned().collect()
}

fn only_old(new: &Units, old: &BTreeMap<String, Vec<ScoreValue>>) -> Vec<String> {
    let ids: std::collections::BTreeSet<_> = new.of_datapoints.iter().map(|(id, _)| id).collect();
    old.keys().filter(|id| !ids.contains(id)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::splitmix::SplitMix64;
    use crate::evaluate::statistics::close::assert_close;
    use crate::evaluate::summary::made::{trial, value};

    fn units<T: Into<ScoreValue> + Clone>(values: &[T]) -> BTreeMap<String, Units> {
        let trials = values
            .iter()
            .cloned()
            .enumerate()
            .map(|(i, v)| trial(i, 0, &[("m", value(v))]));
        Units::of_trials(&trials.collect::<Vec<_>>())
    }

    fn baseline<T: Into<ScoreValue> + Clone>(values: &[T]) -> Baseline {
        let mut baseline = Baseline::default();
        for (index, value) in values.iter().cloned().enumerate() {
            baseline.add("m", &format!("EXT-{index}"), value.into());
        }
        baseline
    }

    #[test]
    fn pairs_without_a_difference_do_not_say_that_the_smallest_would_show() {
        let comparison = Comparison::of(&units(&[1.0; 12]), &baseline(&[1.0; 12]), Level::P95);
        let change = comparison.change("m").unwrap();
        assert_eq!((change.up, change.down, change.smallest), (0, 0, None));
        assert!(
            change.to_string().ends_with("no difference shown"),
            "{change}"
        );
    }

    #[test]
    fn numbers_are_compared_pair_by_pair() {
        let differences = [0.12, -0.05, 0.31, 0.22, -0.17, 0.08, 0.41, 0.02];
        let comparison = Comparison::of(&units(&differences), &baseline(&[0.0; 8]), Level::P95);
        let change = comparison.change("m").unwrap();
        assert_eq!((change.pairs, change.up, change.down), (8, 6, 2));
        assert_close(change.difference, 0.1175, 1e-9, "mean");
        assert_close(change.p, 0.1484375, 1e-9, "p");
        let interval = change.interval.unwrap();
        assert_close(interval.low, -0.0419869755149, 1e-9, "low");
        assert_close(interval.high, 0.276986975515, 1e-9, "high");
        assert!(!change.is_shown() && change.to_string().contains("no difference shown"));
    }

    #[test]
    fn truths_are_compared_by_mc_nemar_and_unpaired_datapoints_are_listed() {
        let new: Vec<bool> = (0..100).map(|i| !(15..20).contains(&i)).collect();
        let old: Vec<bool> = (0..100).map(|i| i >= 15).collect();
        let mut old = baseline(&old);
        old.add("m", "EXT-gone", ScoreValue::Bool(true));
        let comparison = Comparison::of(&units(&new), &old, Level::P95);
        let change = comparison.change("m").unwrap();
        assert_eq!((change.pairs, change.up, change.down), (100, 15, 5));
        assert_close(change.p, 0.041389465332, 1e-9, "p");
        assert_close(change.interval.unwrap().low, 0.0120635192912, 1e-9, "low");
        assert_eq!(change.only_old, ["EXT-gone"]);
        assert!(change.is_shown());
    }

    #[test]
    fn nothing_in_common_is_not_compared() {
        let mut old = Baseline::default();
        old.add("m", "EXT-other", ScoreValue::Bool(true));
        old.add("gone", "EXT-0", ScoreValue::Bool(true));
        let comparison = Comparison::of(&units(&[true]), &old, Level::P95);
        assert!(comparison.changes.is_empty());
        assert_eq!(comparison.not_compared, ["gone", "m"]);
    }

    /// Returns how often a test says that two runs of one noisy function differ. `draw` gives a value, and each
    /// datapoint has a difficulty of its own.
    fn false_alarms(
        n: usize,
        test: impl Fn(&[f64]) -> f64,
        draw: impl Fn(f64, &mut SplitMix64) -> f64,
    ) -> f64 {
        const TIMES: usize = 2_000;
        let mut random = SplitMix64::new(n as u64);
        let mut alarms = 0;
        for _ in 0..TIMES {
            let difference = |_| {
                let hard = random.index(1_000) as f64 / 1_000.0;
                draw(hard, &mut random) - draw(hard, &mut random)
            };
            let differences: Vec<f64> = (0..n).map(difference).collect();
            alarms += usize::from(test(&differences) < 0.05);
        }
        alarms as f64 / TIMES as f64
    }

    #[test]
    fn two_runs_of_one_noisy_function_are_seldom_called_different() {
        let mc_nemar = |differences: &[f64]| {
            let count = |wanted| {
                differences
                    .iter()
                    .filter(|difference| **difference == wanted)
                    .count()
            };
            mc_nemar(count(-1.0), count(1.0))
        };
        // A p below 0.05 means an interval without zero.
        let t = |differences: &[f64]| {
            let interval = t_interval(differences, Level::P95).unwrap();
            if interval.low > 0.0 || interval.high < 0.0 {
                0.0
            } else {
                1.0
            }
        };
        for n in [20, 50, 200] {
            let boolean = |hard: f64, random: &mut SplitMix64| {
                f64::from(random.index(1_000) as f64 / 1_000.0 > hard)
            };
            let number =
                |hard: f64, random: &mut SplitMix64| hard + random.index(1_000) as f64 / 1_000.0;
            let alarms = [
                false_alarms(n, mc_nemar, boolean),
                false_alarms(n, t, number),
                false_alarms(n, wilcoxon, number),
            ];
            assert!(
                alarms.iter().all(|share| *share <= 0.06),
                "McNemar, t and Wilcoxon at {n}: {alarms:?}"
            );
        }
    }
}
