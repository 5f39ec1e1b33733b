//! The report as Markdown, for a pull request, is bounded, in a fixed order, and without times and ids of the run.

use std::fmt::Write as _;

use super::experiment::ExperimentReport;
use super::text::{Counts, HEADINGS, cells, on_one_line};
use crate::evaluate::compare::Comparison;
use crate::evaluate::results::{MetricResult, TrialReport};
use crate::evaluate::summary::MetricReport;
use crate::evaluate::verdict::Verdicts;

/// The longest report: a comment of a pull request takes 64 KiB.
const BYTES: usize = 64 * 1024;
/// Room that is kept for the lines that name the rest.
const REST: usize = 1024;

impl ExperimentReport {
    /// Returns the report as Markdown: at most 64 KiB, decimals and order fixed, without times and ids of the run. The
    /// report names the parts that do not fit.
    #[must_use]
    pub fn markdown(&self) -> String {
        self.markdown_with(&Verdicts::default())
    }

    /// Returns the same Markdown with the verdicts of gates.
    #[must_use]
    pub fn markdown_with(&self, verdicts: &Verdicts) -> String {
        let mut page = Page::default();
        page.line(format_args!("### {}\n", cell(self.name())));
        page.line(format_args!("{}, {}\n", self.status(), Counts(self)));
        page.gates(verdicts);
        page.metrics(&self.metrics());
        if let Some(comparison) = self.comparison() {
            page.comparison(comparison);
        }
        page.undelivered(self);
        page.problems(self);
        page.text
    }
}

/// A `Page` has a limited length.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// Writes a line; false where there is no room for it.
    fn line(&mut self, line: std::fmt::Arguments<'_>) -> bool {
        let before = self.text.len();
        // Writing to a text does not fail.
        let _ = writeln!(self.text, "{line}");
        let fits = self.text.len() <= BYTES - REST;
        if !fits {
            self.text.truncate(before);
        }
        fits
    }

    /// Writes a table. Rows that do not fit are counted below it.
    fn table(&mut self, headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return;
        }
        let mut left_out = 0;
        let is_begun = self.line(format_args!(
            "| {} |\n|{}",
            headings.join(" | "),
            "---|".repeat(headings.len())
        ));
        for row in rows {
            let cells: Vec<_> = row.iter().map(|text| cell(text)).collect();
            if !is_begun || left_out > 0 || !self.line(format_args!("| {} |", cells.join(" | "))) {
                left_out += 1;
            }
        }
        if left_out > 0 {
            let _ = writeln!(
                self.text,
                "\n{left_out} more are left out: the report is too long."
            );
        }
        self.text.push('\n');
    }

    fn gates(&mut self, verdicts: &Verdicts) {
        let rows = verdicts.iter().map(|verdict| {
            let outcome = format!("{:?}", verdict.outcome).to_lowercase();
            vec![outcome, verdict.gate.clone(), verdict.found.clone()]
        });
        self.table(&["", "gate", "found"], rows);
    }

    fn metrics(&mut self, metrics: &[MetricReport]) {
        self.table(
            &HEADINGS,
            metrics.iter().map(|metric| cells(metric).to_vec()),
        );
        if metrics.iter().any(MetricReport::is_rough) {
            self.line(format_args!(
                "~ rough: below 30 datapoints the interval of numbers is a guess.\n"
            ));
        }
    }

    fn comparison(&mut self, comparison: &Comparison) {
        let rows = comparison.changes.iter().map(|change| {
            let interval = change.interval.map_or_else(
                || "-".to_owned(),
                |it| format!("{:+.4} to {:+.4}", it.low, it.high),
            );
            let found = if change.is_shown() {
                "a difference"
            } else {
                "none shown"
            };
            vec![
                change.metric.clone(),
                format!("{:.4}", change.old),
                format!("{:.4}", change.new),
                format!("{:+.4}", change.difference),
                interval,
                change.pairs.to_string(),
                format!("{:.4}", change.p_adjusted),
                found.to_owned(),
            ]
        });
        let headings = [
            "metric",
            "before",
            "now",
            "difference",
            "interval",
            "pairs",
            "p",
            "",
        ];
        self.table(&headings, rows);
        if !comparison.not_compared.is_empty() {
            self.line(format_args!(
                "Not compared: {}\n",
                cell(&comparison.not_compared.join(", "))
            ));
        }
    }

    /// Writes undelivered items, before the failures: those may take all the room that is left.
    fn undelivered(&mut self, report: &ExperimentReport) {
        for problem in &report.delivery().problems {
            self.line(format_args!("Not delivered: {}\n", cell(problem)));
        }
    }

    fn problems(&mut self, report: &ExperimentReport) {
        let failed = report
            .datapoints()
            .iter()
            .filter(|trial| trial.outcome.is_error());
        self.table(&["datapoint", "outcome", "error"], failed.map(failure));
        let errors = report.datapoints().iter().flat_map(evaluator_errors);
        self.table(&["datapoint", "metric", "error of the evaluator"], errors);
    }
}

fn failure(trial: &TrialReport) -> Vec<String> {
    let error = trial.error().unwrap_or_default().to_owned();
    vec![
        trial.datapoint_id.clone(),
        trial.outcome.name().to_owned(),
        error,
    ]
}

fn evaluator_errors(trial: &TrialReport) -> impl Iterator<Item = Vec<String>> {
    trial
        .metrics
        .iter()
        .filter_map(|(metric, result)| match result {
            MetricResult::Error(error) => Some(vec![
                trial.datapoint_id.clone(),
                metric.clone(),
                error.clone(),
            ]),
            MetricResult::Value(_) | MetricResult::Skipped => None,
        })
}

/// Returns a text on one line, escaped for Markdown and HTML.
fn cell(text: &str) -> String {
    let mut escaped = String::new();
    for character in on_one_line(text).chars() {
        match character {
            '|' | '`' | '*' | '_' | '\\' | '[' | ']' | '~' | '#' => {
                escaped.extend(['\\', character])
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::experiment::{Delivery, Facts, RunStatus};
    use super::*;
    use crate::evaluate::aggregate::Aggregate;
    use crate::evaluate::gate::Gate;
    use crate::evaluate::results::Outcome;
    use crate::evaluate::statistics::Level;
    use crate::evaluate::summary::made::{trial, value};

    fn report(trials: Vec<TrialReport>) -> ExperimentReport {
        let facts = Facts {
            run_id: "5b0c".to_owned(),
            name: "support|bot".to_owned(),
            function: "support".to_owned(),
            dataset_id: "EXT-d".to_owned(),
            status: RunStatus::Completed,
            aggregate: Aggregate::Average,
            level: Level::P95,
            delivery: Delivery::default(),
        };
        ExperimentReport::new(facts, trials, None)
    }

    fn failed(position: usize, error: &str) -> TrialReport {
        TrialReport {
            outcome: Outcome::Failed,
            error: Some(error.to_owned()),
            ..trial(position, 0, &[])
        }
    }

    fn small() -> ExperimentReport {
        let error = MetricResult::Error("no `judge`".to_owned());
        let mut trials: Vec<_> = (0..4)
            .map(|i| trial(i, 0, &[("exact", value(i > 0)), ("length", value(i))]))
            .collect();
        trials.push(trial(
            4,
            0,
            &[("exact", MetricResult::Skipped), ("length", error)],
        ));
        trials.push(failed(5, "a | <b>\nc"));
        // The given order differs from that of the dataset.
        trials.reverse();
        report(trials)
    }

    #[test]
    fn a_report_in_markdown_is_this() {
        let old = report(
            (0..4)
                .map(|i| trial(i, 0, &[("exact", value(true))]))
                .collect(),
        )
        .baseline();
        let verdicts = small().gate([Gate::mean("exact").at_least(0.7), Gate::max_errors(0.1)]);
        assert_eq!(
            small().compared_with(&old).markdown_with(&verdicts),
            "### support\\|bot

completed, 5 of 6 ok, 1 failed

|  | gate | found |
|---|---|---|
| pass | mean of exact ≥ 0.7 | 0.7500, 0.3006 to 0.9544 |
| fail | share of errors ≤ 0.1 | 0.3333, 2 of 6, 0.0968 to 0.7000 |

| metric | n | estimate | interval | left out |
|---|---|---|---|---|
| exact | 4 | 0.7500 | 0.3006 to 0.9544 | 1 skipped, 1 missing |
| length | 4 | 1.5000 | -0.5543 to 3.5543 \\~ | 1 errors, 1 missing |

~ rough: below 30 datapoints the interval of numbers is a guess.

| metric | before | now | difference | interval | pairs | p |  |
|---|---|---|---|---|---|---|---|
| exact | 1.0000 | 0.7500 | -0.2500 | -0.6090 to +0.2756 | 4 | 1.0000 | none shown |

Not compared: length

| datapoint | outcome | error |
|---|---|---|
| EXT-5 | failed | a \\| &lt;b&gt; c |

| datapoint | metric | error of the evaluator |
|---|---|---|
| EXT-4 | length | no \\`judge\\` |

"
        );
    }

    #[test]
    fn a_report_as_a_plain_table_is_this() {
        assert_eq!(
            small().to_string(),
            "support|bot: completed, 5 of 6 ok, 1 failed
metric  n  estimate  interval             left out
exact   4  0.7500    0.3006 to 0.9544     1 skipped, 1 missing
length  4  1.5000    -0.5543 to 3.5543 ~  1 errors, 1 missing
~ rough: below 30 datapoints the interval of numbers is a guess
EXT-5 failed: a | <b>
"
        );
    }

    #[test]
    fn long_texts_and_many_failures_fit_and_the_rest_is_counted() {
        let long = "x|`<\n".repeat(20_000);
        let page = report((0..1_000).map(|position| failed(position, &long)).collect()).markdown();
        assert!(page.len() <= BYTES, "{} bytes", page.len());
        assert!(
            page.contains(" more are left out"),
            "{}",
            &page[page.len() - 200..]
        );
        let cells = page.lines().filter(|line| line.starts_with("| EXT-"));
        for line in cells {
            let bars = line.replace("\\|", "").matches('|').count();
            assert_eq!(bars, 4, "{line}");
        }
    }

    #[test]
    fn what_was_not_delivered_is_told_however_many_have_failed() {
        let long = "x".repeat(2_000);
        let mut report = report((0..1_000).map(|position| failed(position, &long)).collect());
        report.facts.delivery.problems = vec!["3 items were dropped".to_owned()];
        let page = report.markdown();
        assert!(page.contains("Not delivered: 3 items were dropped\n"));
        assert!(page.len() <= BYTES, "{} bytes", page.len());
    }

    #[test]
    fn the_plain_table_has_no_control_characters_and_its_cells_an_end() {
        let long = format!("\u{1b}[31mred\u{1b}[0m\tand\nmore {}", "x".repeat(100_000));
        let trials = vec![
            trial(0, 0, &[("said", value(long.as_str()))]),
            failed(1, &long),
        ];
        let plain = report(trials).to_string();
        let is_odd = |c: char| c.is_control() && c != '\n';
        assert!(!plain.contains(is_odd), "{plain:?}");
        assert!(plain.lines().all(|line| line.chars().count() < 400));
        assert_eq!(plain.lines().count(), 4, "{plain}");
        assert!(plain.contains("EXT-1 failed: "), "{plain}");
    }

    #[test]
    fn a_run_of_nothing_has_a_report_without_numbers() {
        let empty = report(Vec::new());
        assert_eq!(
            empty.to_string(),
            "support|bot: completed, 0 of 0 ok\nmetric  n  estimate  interval  left out\n"
        );
        let json = report(vec![trial(0, 0, &[("m", MetricResult::Skipped)])]).json();
        assert_eq!(json["metrics"][0]["estimate"], serde_json::Value::Null);
        assert!(!json.to_string().contains("NaN"));
    }
}
