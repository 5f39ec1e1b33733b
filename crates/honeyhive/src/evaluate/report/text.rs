//! The report's `Display` is a plain table.

use std::fmt;

use super::experiment::ExperimentReport;
use crate::evaluate::results::Outcome;
use crate::evaluate::summary::MetricReport;
use crate::evaluate::units::MetricKind;

/// A report lists at most this many failed datapoints.
const FAILURES: usize = 10;
/// A cell has at most this many characters.
const CELL: usize = 200;

impl fmt::Display for ExperimentReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{}: {}, {}",
            on_one_line(self.name()),
            self.status(),
            Counts(self)
        )?;
        let metrics = self.metrics();
        write_table(formatter, &metrics)?;
        if metrics.iter().any(MetricReport::is_rough) {
            writeln!(
                formatter,
                "~ rough: below 30 datapoints the interval of numbers is a guess"
            )?;
        }
        if let Some(comparison) = self.comparison() {
            write!(formatter, "\n{comparison}")?;
        }
        self.write_failures(formatter)?;
        self.delivery()
            .problems
            .iter()
            .try_for_each(|problem| writeln!(formatter, "not delivered: {}", on_one_line(problem)))
    }
}

impl ExperimentReport {
    fn write_failures(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed: Vec<_> = self
            .datapoints()
            .iter()
            .filter(|trial| trial.outcome.is_error())
            .collect();
        for trial in failed.iter().take(FAILURES) {
            let error = trial.error().unwrap_or_default();
            let error = on_one_line(error.lines().next().unwrap_or_default());
            writeln!(
                formatter,
                "{} {}: {error}",
                on_one_line(&trial.datapoint_id),
                trial.outcome.name()
            )?;
        }
        match failed.len().saturating_sub(FAILURES) {
            0 => Ok(()),
            more => writeln!(formatter, "and {more} more"),
        }
    }
}

/// Returns a text of limited length without line breaks and control characters, which a terminal would obey.
pub(super) fn on_one_line(text: &str) -> String {
    let mut characters = text.trim().chars();
    let plain = |c: char| {
        if c.is_control() || c.is_whitespace() {
            ' '
        } else {
            c
        }
    };
    let mut line: String = characters.by_ref().take(CELL).map(plain).collect();
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

/// `Counts` shows the numbers of trials by outcome.
pub(super) struct Counts<'r>(pub(super) &'r ExperimentReport);

impl fmt::Display for Counts<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        write!(
            formatter,
            "{} of {} ok",
            report.count(Outcome::Ok),
            report.datapoints().len()
        )?;
        for outcome in [
            Outcome::Failed,
            Outcome::TimedOut,
            Outcome::Panicked,
            Outcome::NotRun,
        ] {
            match report.count(outcome) {
                0 => {}
                count => write!(formatter, ", {count} {}", outcome.name())?,
            }
        }
        match report
            .datapoints()
            .iter()
            .filter(|trial| trial.is_flaky())
            .count()
        {
            0 => Ok(()),
            flaky => write!(formatter, ", {flaky} flaky"),
        }
    }
}

/// Returns the cells of a metric: name, n, estimate, interval, and what is left out.
pub(super) fn cells(metric: &MetricReport) -> [String; 5] {
    let estimate = match metric.kind {
        MetricKind::Text => counts(metric),
        MetricKind::Bool | MetricKind::Number => {
            metric.estimate.map_or_else(|| "-".to_owned(), number)
        }
    };
    let interval = metric.interval.map_or_else(
        || "-".to_owned(),
        |interval| {
            let mark = if metric.is_rough() { " ~" } else { "" };
            format!(
                "{} to {}{mark}",
                number(interval.low),
                number(interval.high)
            )
        },
    );
    let left_out = [
        ("skipped", metric.skipped),
        ("errors", metric.errors),
        ("missing", metric.missing),
    ];
    let left_out: Vec<_> = left_out
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    [
        metric.name.clone(),
        metric.n.to_string(),
        estimate,
        interval,
        left_out.join(", "),
    ]
}

pub(super) fn number(value: f64) -> String {
    format!("{value:.4}")
}

fn counts(metric: &MetricReport) -> String {
    let counts = metric
        .counts
        .iter()
        .map(|(text, count)| format!("{text} {count}"));
    counts.collect::<Vec<_>>().join(", ")
}

pub(super) const HEADINGS: [&str; 5] = ["metric", "n", "estimate", "interval", "left out"];

fn write_table(formatter: &mut fmt::Formatter<'_>, metrics: &[MetricReport]) -> fmt::Result {
    let rows: Vec<[String; 5]> = std::iter::once(HEADINGS.map(str::to_owned))
        .chain(
            metrics
                .iter()
                .map(|metric| cells(metric).map(|cell| on_one_line(&cell))),
        )
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    for row in &rows {
        let line = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        writeln!(
            formatter,
            "{}",
            line.collect::<Vec<_>>().join("  ").trim_end()
        )?;
    }
    Ok(())
}
