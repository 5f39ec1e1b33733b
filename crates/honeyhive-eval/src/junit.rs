//! JUnit gets a suite per eval, with a case for each gate, each failed datapoint, and each metric that some datapoints
//! lack.

use std::fmt::Write as _;

use honeyhive::evaluate::{GateOutcome, MetricReport, MetricResult, Outcome, TrialReport, Verdict};

use crate::bounded::{BYTES, Bounded};
use crate::outcome::Finished;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
/// The text that closes all suites, with a line that counts those that are left out, and the text that closes one have
/// at most these lengths.
const ALL_CLOSED: usize = 100;
const SUITE_CLOSED: usize = 120;
/// The text of a case has at most this many bytes.
const CASE: usize = 4 * 1024;

/// Returns the XML of all evals, at most 64 KiB. Suites that do not fit are counted, and so are the cases that a suite
/// lacks.
pub(crate) fn xml(evals: &[Finished]) -> String {
    within(BYTES, evals)
}

fn within(bytes: usize, evals: &[Finished]) -> String {
    let mut xml = Bounded::new(bytes);
    xml.open(HEAD, ALL_CLOSED);
    let left_out = evals.iter().filter(|eval| !suite(eval, &mut xml)).count();
    let counted = match left_out {
        0 => String::new(),
        more => format!("  <!-- {more} more evals are left out -->\n"),
    };
    xml.close(ALL_CLOSED, &format!("{counted}</testsuites>\n"));
    xml.into_text()
}

/// A `Case` has a name and, where something went wrong, a tag, a short text and a long one.
struct Case {
    name: String,
    wrong: Option<(&'static str, String, String)>,
}

/// Adds the suite of an eval; returns false where there is no room for it.
fn suite(eval: &Finished, xml: &mut Bounded) -> bool {
    let gates = eval.verdicts.iter().map(of_gate);
    let failed = eval
        .report
        .datapoints()
        .iter()
        .filter(|trial| trial.outcome() != Outcome::Ok)
        .map(of_trial);
    let metrics = eval.report.metrics();
    let left_out = metrics
        .iter()
        .filter_map(|metric| of_metric(metric, eval.report.datapoints()));
    let cases: Vec<Case> = gates.chain(failed).chain(left_out).collect();
    let count = |tag: &str| {
        cases
            .iter()
            .filter(|case| case.wrong.as_ref().is_some_and(|wrong| wrong.0 == tag))
            .count()
    };
    let name = escaped(&eval.name);
    let head = format!(
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n",
        cases.len(),
        count("failure"),
        count("error"),
        count("skipped"),
    );
    if !xml.open(&head, SUITE_CLOSED) {
        return false;
    }
    let left_out = cases
        .iter()
        .filter(|case| !xml.push(&case_of(&name, case)))
        .count();
    let counted = match left_out {
        0 => String::new(),
        more => format!("    <system-out>{more} more cases are left out</system-out>\n"),
    };
    xml.close(SUITE_CLOSED, &format!("{counted}  </testsuite>\n"));
    true
}

fn of_gate(verdict: &Verdict) -> Case {
    let wrong = match (verdict.outcome, verdict.is_failure()) {
        (GateOutcome::Pass, _) => None,
        (_, true) => Some(("failure", verdict.found.clone(), verdict.to_string())),
        (_, false) => Some(("skipped", verdict.found.clone(), verdict.to_string())),
    };
    Case {
        name: verdict.gate.clone(),
        wrong,
    }
}

fn of_trial(trial: &TrialReport) -> Case {
    let name = match trial.trial() {
        0 => trial.datapoint_id().to_owned(),
        more => format!("{}, trial {more}", trial.datapoint_id()),
    };
    let tag = if trial.outcome() == Outcome::NotRun {
        "skipped"
    } else {
        "error"
    };
    let text = trial.error().unwrap_or("not run");
    let short = text.lines().next().unwrap_or_default();
    Case {
        name,
        wrong: Some((tag, short.to_owned(), text.to_owned())),
    }
}

/// Returns the case of a metric that an evaluator failed on, or had nothing to say of: such a trial enters no mean, and
/// is no zero.
fn of_metric(metric: &MetricReport, trials: &[TrialReport]) -> Option<Case> {
    let (errors, skipped) = (metric.errors, metric.skipped);
    if errors + skipped == 0 {
        return None;
    }
    let tag = if errors > 0 { "error" } else { "skipped" };
    let mut text = String::new();
    for trial in trials {
        let said = match trial.metrics().get(&metric.name) {
            Some(MetricResult::Error(error)) => error,
            Some(MetricResult::Skipped) => "skipped",
            _ => continue,
        };
        // Writing to a text does not fail.
        let _ = writeln!(text, "{}: {said}", trial.datapoint_id());
    }
    Some(Case {
        name: format!("metric {}", metric.name),
        wrong: Some((tag, format!("{errors} failed, {skipped} skipped"), text)),
    })
}

fn case_of(suite: &str, case: &Case) -> String {
    let name = escaped(&case.name);
    match &case.wrong {
        None => format!("    <testcase classname=\"{suite}\" name=\"{name}\"/>\n"),
        Some((tag, short, long)) => format!(
            "    <testcase classname=\"{suite}\" name=\"{name}\">\n      <{tag} message=\"{}\">{}</{tag}>\n    </testcase>\n",
            escaped(short),
            escaped(long),
        ),
    }
}

/// Returns the beginning of a text in XML. Characters that XML 1.0 forbids, such as control characters, become U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len().min(CASE));
    for character in text.chars() {
        if escaped.len() >= CASE {
            escaped.push('…');
            break;
        }
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if character.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use honeyhive::evaluate::{Case, Datapoint, Dataset, Gate, Row, evaluate};

    use super::*;

    #[test]
    fn the_xml_of_a_run_is_this() {
        let ask = async |dp: Datapoint<u32>| match *dp.inputs() {
            3 => Err("three\u{1} <is> & \"too\" many\u{ffff}\nand more".to_owned()),
            number => Ok(number),
        };
        let row = |number: u32| Row::new(number).id(format!("row-{number}"));
        let report = evaluate(ask)
            .dataset(Dataset::new((0..4).map(row)))
            .evaluator(
                "small",
                |case: Case<u32, serde_json::Value, u32>| match *case.outputs() {
                    0 => Ok(None),
                    1 => Err("no <judge>"),
                    number => Ok(Some(number < 9)),
                },
            )
            .evaluator("even", |case: Case<u32, serde_json::Value, u32>| {
                (*case.outputs() != 1).then_some(1.0)
            })
            .offline()
            .block()
            .expect("a report");
        let gates = [
            Gate::mean("small").at_least(0.5),
            Gate::max_errors(0.1),
            Gate::mean("gone").at_least(1.0).allow_inconclusive(),
        ];
        let verdicts = report.gate(gates);
        let name = "sup<port>".to_owned();
        let xml = xml(&[Finished {
            name,
            report,
            verdicts,
        }]);
        assert_eq!(xml, EXPECTED, "{xml}");
    }

    #[test]
    fn many_failures_fit_and_the_rest_is_counted() {
        let finished = |name: &str| {
            let fails = async |_: Datapoint<u32>| Err::<u32, _>("x & y\n".repeat(2_000));
            let report = evaluate(fails)
                .dataset(Dataset::new((0..50).map(Row::new)))
                .offline()
                .block()
                .expect("a report");
            let verdicts = report.gate([Gate::max_errors(0.1)]);
            Finished {
                name: name.to_owned(),
                report,
                verdicts,
            }
        };
        let evals = [finished("first"), finished("second")];
        for (bytes, suites, evals_left_out) in [(BYTES, 2, 0), (450, 1, 1), (200, 0, 2)] {
            let xml = within(bytes, &evals);
            assert!(xml.len() <= bytes, "{} of {bytes}", xml.len());
            for tag in ["testsuites", "testsuite ", "testcase ", "error "] {
                let name = tag.trim_end();
                let (begun, ended) = (format!("<{tag}"), format!("</{name}>"));
                assert_eq!(
                    xml.matches(&begun).count(),
                    xml.matches(&ended).count(),
                    "{xml}"
                );
            }
            assert_eq!(xml.matches("tests=\"51\"").count(), suites, "{xml}");
            assert_eq!(
                xml.matches(" more cases are left out").count(),
                suites,
                "{xml}"
            );
            let counted = xml.contains(&format!("{evals_left_out} more evals are left out"));
            assert_eq!(counted, evals_left_out > 0, "{xml}");
            assert!(xml.ends_with("</testsuites>\n"));
        }
    }

    const EXPECTED: &str = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites>
  <testsuite name=\"sup&lt;port&gt;\" tests=\"6\" failures=\"1\" errors=\"2\" skipped=\"2\">
    <testcase classname=\"sup&lt;port&gt;\" name=\"mean of small ≥ 0.5\"/>
    <testcase classname=\"sup&lt;port&gt;\" name=\"share of errors ≤ 0.1\">
      <failure message=\"0.5000, 2 of 4, 0.1500 to 0.8500\">FAIL  share of errors ≤ 0.1  (0.5000, 2 of 4, 0.1500 to 0.8500)</failure>
    </testcase>
    <testcase classname=\"sup&lt;port&gt;\" name=\"mean of gone ≥ 1\">
      <skipped message=\"no values\">INCONCLUSIVE  mean of gone ≥ 1  (no values)</skipped>
    </testcase>
    <testcase classname=\"sup&lt;port&gt;\" name=\"EXT-row-3\">
      <error message=\"three\u{fffd} &lt;is&gt; &amp; &quot;too&quot; many\u{fffd}\">three\u{fffd} &lt;is&gt; &amp; &quot;too&quot; many\u{fffd}
and more</error>
    </testcase>
    <testcase classname=\"sup&lt;port&gt;\" name=\"metric even\">
      <skipped message=\"0 failed, 1 skipped\">EXT-row-1: skipped
</skipped>
    </testcase>
    <testcase classname=\"sup&lt;port&gt;\" name=\"metric small\">
      <error message=\"1 failed, 1 skipped\">EXT-row-0: skipped
EXT-row-1: no &lt;judge&gt;
</error>
    </testcase>
  </testsuite>
</testsuites>
";
}
