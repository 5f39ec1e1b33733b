//! Reports have numbers of every kind, but no `NaN` anywhere, whatever the evaluators say.

use honeyhive::evaluate::{Case, Dataset, ExperimentReport, Gate, Level};
use honeyhive::json;
use serde_json::Value;

use crate::stage::Echo;

/// Returns the report of a run whose only metric has these values; `None` is one that an evaluator had nothing to say
/// of.
async fn report_of(values: &[Option<f64>], trials: u32) -> ExperimentReport {
    let rows = values
        .iter()
        .map(|value| (json!({"value": value}), None::<Value>));
    honeyhive::evaluate(async |dp: Echo| Ok::<_, String>(dp.inputs()["value"].clone()))
        .dataset(Dataset::new(rows))
        .evaluator("m", |case: Case<Value, Value, Value>| {
            case.outputs().as_f64()
        })
        .evaluator("is_half", |case: Case<Value, Value, Value>| {
            Some(case.outputs().as_f64()? == 0.5)
        })
        .trials(trials)
        .level(Level::P99)
        .offline()
        .await
        .unwrap()
}

#[track_caller]
fn assert_is_finite(text: &str, what: &str) {
    let words = text.split(|c: char| !c.is_alphanumeric());
    for word in words {
        let word = word.to_lowercase();
        assert!(
            !["nan", "inf", "infinity"].contains(&word.as_str()),
            "{what}: {text}"
        );
    }
}

/// Asserts that an estimate of a metric with values is there: JSON has `null` for NaN and infinity.
#[track_caller]
fn assert_is_told(report: &ExperimentReport, values: usize) {
    let json = report.json();
    let metric = json["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "m")
        .unwrap();
    assert_eq!(metric["n"], values);
    for number in ["estimate", "aggregate", "p50", "p90", "p95"] {
        assert_eq!(
            metric[number].is_number(),
            values > 0,
            "{number} of {metric}"
        );
    }
    for end in metric["interval"].as_array().into_iter().flatten() {
        assert!(end.is_number(), "{metric}");
    }
}

#[tokio::test]
async fn no_number_of_a_report_or_its_json_is_nan_for_none_one_equal_far_and_huge_values() {
    let table: [(&str, Vec<Option<f64>>); 9] = [
        ("no value", vec![None, None]),
        ("one value", vec![Some(0.5), None]),
        ("two values", vec![Some(0.5), Some(0.25)]),
        ("equal values", vec![Some(0.1); 7]),
        ("zeros", vec![Some(0.0), Some(-0.0)]),
        (
            "far from zero",
            vec![Some(1e9 + 0.1), Some(1e9 + 0.2), Some(1e9 + 0.4)],
        ),
        ("equal and far", vec![Some(1e9 + 0.1); 5]),
        ("huge", vec![Some(f64::MAX), Some(f64::MAX), Some(f64::MIN)]),
        (
            "tiny",
            vec![Some(f64::from_bits(1)), Some(f64::MIN_POSITIVE)],
        ),
    ];
    let mut reports = Vec::new();
    for (what, values) in &table {
        for trials in [1, 2] {
            reports.push((*what, values, report_of(values, trials).await));
        }
    }
    for (index, (what, values, report)) in reports.iter().enumerate() {
        let n = values.iter().flatten().count();
        assert_is_told(report, n);
        assert_is_finite(&format!("{:?}", report.bootstrap("m")), what);
        for step in [0, 1, 2, 5] {
            let (_, _, other) = &reports[(index + step) % reports.len()];
            let baseline = other.baseline();
            let gates = [
                Gate::mean("m").at_least(0.5).proven(),
                Gate::percentile("m", 0.9)
                    .at_most(1.0)
                    .unless_proven_otherwise(),
                Gate::share("m", 0.2..).at_least(0.5),
                Gate::no_worse_than(&baseline, "m", 0.01),
                Gate::no_worse_than(&baseline, "is_half", 0.01).proven(),
            ];
            let compared = report.clone().compared_with(&baseline);
            let verdicts = compared.gate(gates);
            for text in [
                compared.to_string(),
                compared.markdown_with(&verdicts),
                compared.json().to_string(),
                verdicts.to_string(),
                format!("{:?}", compared.comparison()),
                format!("{:?}", compared.metrics()),
            ] {
                assert_is_finite(&text, what);
            }
            for change in &compared.comparison().unwrap().changes {
                assert!(
                    (0.0..=1.0).contains(&change.p_adjusted),
                    "{what}: {change:?}"
                );
            }
        }
    }
}
