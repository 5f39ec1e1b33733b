//! JUnit: a suite an eval, a case a gate and a case a failed datapoint.

use std::fmt::Write as _;

use honeyhive::evaluate::{GateOutcome, Outcome, TrialReport, Verdict};

use crate::outcome::Finished;

/// The XML of all evals.
pub(crate) fn xml(evals: &[Finished]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for eval in evals {
        suite(eval, &mut xml);
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// A case: its name, and what went wrong with it, as a tag, a short text and a long one.
struct Case {
    name: String,
    wrong: Option<(&'static str, String, String)>,
}

fn suite(eval: &Finished, xml: &mut String) {
    let gates = eval.verdicts.iter().map(of_gate);
    let failed = eval
        .report
        .datapoints()
        .iter()
        .filter(|trial| trial.outcome() != Outcome::Ok)
        .map(of_trial);
    let cases: Vec<Case> = gates.chain(failed).collect();
    let count = |tag: &str| {
        cases
            .iter()
            .filter(|case| case.wrong.as_ref().is_some_and(|wrong| wrong.0 == tag))
            .count()
    };
    let name = escaped(&eval.name);
    // Writing to a text does not fail.
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        cases.len(),
        count("failure"),
        count("error"),
        count("skipped"),
    );
    for case in cases {
        case_of(&name, &case, xml);
    }
    xml.push_str("  </testsuite>\n");
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

fn case_of(suite: &str, case: &Case, xml: &mut String) {
    let name = escaped(&case.name);
    let _ = match &case.wrong {
        None => writeln!(xml, "    <testcase classname=\"{suite}\" name=\"{name}\"/>"),
        Some((tag, short, long)) => writeln!(
            xml,
            "    <testcase classname=\"{suite}\" name=\"{name}\">\n      <{tag} message=\"{}\">{}</{tag}>\n    </testcase>",
            escaped(short),
            escaped(long),
        ),
    };
}

/// A text in XML. What XML 1.0 has no place for, such as control characters, becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
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
