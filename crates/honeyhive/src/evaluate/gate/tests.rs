use super::*;
use crate::evaluate::results::{MetricResult, Outcome};
use crate::evaluate::summary::made::{trial, value};

/// Returns ten trials. Eight are true: 0.49 to 0.94. Numbers are 0, 1, …, 9: 2.33 to 6.67. Times are 10 ms, 20 ms, ….
fn ten() -> Vec<TrialReport> {
    let of = |i: usize| {
        let metrics = [
            ("correct", value(i < 8)),
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

    let mean = |bound| Gate::mean("correct").at_least(bound);
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
    let same = Gate::no_worse_than(&baseline, "correct", 0.0);
    assert_outcomes(&same, Pass, Pass, Inconclusive);
    assert_outcomes(
        &Gate::no_worse_than(&baseline, "correct", 0.5),
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
    let other = Baseline::of_trials(&[trial(99, 0, &[("correct", value(true))])]);
    assert_outcomes(
        &Gate::no_worse_than(&other, "correct", 1.0),
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
            .allow_inconclusive()
            .check(&ten(), Level::P95)
            .is_failure()
    );
    let unbounded = Gate::mean("correct").check(&ten(), Level::P95);
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
