//! Two runs are shown beside each other: what has changed, how sure that is, and on which datapoints.

use std::collections::HashMap;
use std::fmt::Write;

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use serde_json::Value;

use super::super::{api, format, frame, value};
use super::experiments::{framed, name, status, told_apart};
use crate::api::{RUN, run_side};
use crate::experiments::{Change, DURATION, RunRow, Side, Verdict, changes};
use crate::reply::Answer;
use crate::shared::Server;

/// The page shows this many datapoints at a time.
const SHOWN: usize = 200;

/// A forest's picture has this width, half of it on either side of zero.
const WIDTH: f64 = 260.0;

/// Answers `GET /experiments/{new}/compare/{old}?metric=&show=worse`.
pub(in crate::read) async fn page(
    State(shared): State<Server>,
    Path((new, old)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Answer {
    let ids = [new.clone(), old.clone()];
    let found = shared.read(move |reading| {
        let [new, old] = &ids;
        for id in [new, old] {
            if reading.record(RUN, id)?.is_none() {
                return Ok(Err(id.clone()));
            }
        }
        Ok(Ok((run_side(reading, new)?, run_side(reading, old)?)))
    });
    let (new, old) = match found.await? {
        Ok(sides) => sides,
        Err(id) => {
            let why = format!("No run has the id {id}.");
            return Ok(frame::missing(&shared, "Unknown run", &why));
        }
    };
    let query = query.unwrap_or_default();
    let comparison = Comparison::of(&new, &old, &query);
    let title = format!("{} against {}", name(&new.answer), name(&old.answer));
    let mut page = framed(comparison.body(), &title);
    page.actions =
        html! { button type="button" data-copy=(comparison.markdown()) { "Copy as Markdown" } };
    Ok(page.reply(&shared))
}

struct Comparison<'s> {
    new: &'s Side,
    old: &'s Side,
    /// The session of each datapoint in the new run; the first of several.
    now: HashMap<&'s str, &'s RunRow>,
    before: HashMap<&'s str, &'s RunRow>,
    changes: Vec<Change>,
    /// The metric whose datapoints are shown.
    chosen: Option<usize>,
    show: Show,
}

/// `Show` selects the datapoints that are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    Worse,
    Better,
    Same,
}

const SHOWS: [(Show, &str); 3] = [
    (Show::Worse, "worse"),
    (Show::Better, "better"),
    (Show::Same, "same"),
];

impl<'s> Comparison<'s> {
    fn of(new: &'s Side, old: &'s Side, query: &str) -> Self {
        let changes = changes(&old.rows, &new.rows);
        let asked = api::text(query, "metric");
        let named = changes
            .iter()
            .position(|change| Some(&change.metric) == asked.as_ref());
        let first = changes.iter().position(|change| change.metric != DURATION);
        let show = api::text(query, "show");
        let show = SHOWS
            .iter()
            .find(|(_, word)| Some(*word) == show.as_deref());
        Self {
            chosen: named.or(first).or((!changes.is_empty()).then_some(0)),
            changes,
            now: sessions(new),
            before: sessions(old),
            new,
            old,
            show: show.map_or(Show::Worse, |(show, _)| *show),
        }
    }

    fn body(&self) -> Markup {
        let (new, old) = (&self.new.answer, &self.old.answer);
        html! {
            main.wide {
                h1 { (told_apart(new, old)) span.dim { " against " (told_apart(old, new)) } }
                div.facts {
                    span { b { (self.in_both()) } " datapoints in both" }
                    @for (only, side) in [(self.now.len() - self.in_both(), told_apart(new, old)), (self.before.len() - self.in_both(), told_apart(old, new))] {
                        @if only > 0 { span { (only) " only in " (side) } }
                    }
                    span { "run " (run_link(new)) " " (status(new)) }
                    span { "baseline " (run_link(old)) " " (status(old)) }
                }
                h2 { "Metrics" }
                @if self.changes.is_empty() { p.dim { "The two runs have no metric on a datapoint in common." } }
                @else { (self.metrics()) }
                @if let Some(change) = self.chosen.map(|chosen| &self.changes[chosen]) { (self.points(change)) }
            }
        }
    }

    fn metrics(&self) -> Markup {
        let (new, old) = (&self.new.answer, &self.old.answer);
        html! {
            div.scroll { table {
                thead { tr {
                    th { "Metric" } th.num { (told_apart(old, new)) } th.num { (told_apart(new, old)) } th.num { "Difference" }
                    th { "95 % interval of the difference" } th.num { "p (Holm)" } th { "Verdict" }
                } }
                tbody { @for change in &self.changes { (metric(change)) } }
            } }
            p.dim { "Paired by datapoint. Higher is better, except for latency, duration, time, cost, tokens and errors." }
        }
    }

    fn points(&self, change: &Change) -> Markup {
        let (new, old) = (&self.new.answer, &self.old.answer);
        let of = |show| {
            change
                .pairs
                .iter()
                .filter(|(_, pair)| kind(change, **pair) == show)
                .count()
        };
        let counts = SHOWS.map(|(show, word)| (show, word, of(show)));
        let [(.., worse), (.., better), (.., same)] = counts;
        let shown = change
            .pairs
            .iter()
            .filter(|(_, pair)| kind(change, **pair) == self.show);
        html! {
            h2 #points { "Datapoints " span.dim { (change.metric) ": " (better) " better, " (worse) " worse, " (same) " the same" } }
            div.bar {
                @for (show, word, count) in counts {
                    a.chip.on[show == self.show] href=(link(&change.metric, word)) { (word) " " (count) }
                }
                @if self.changes.len() > 1 {
                    @for other in &self.changes {
                        a.chip.on[other.metric == change.metric] href=(link(&other.metric, "worse")) { (other.metric) }
                    }
                }
            }
            @if counts.iter().all(|(show, _, count)| *show != self.show || *count == 0) {
                p.dim { "None of the datapoints in both." }
            } @else { table {
                thead { tr { th { "Input" } th { "Expected" } th { (told_apart(old, new)) } th { (told_apart(new, old)) } th.num { "Score" } } }
                tbody { @for (id, pair) in shown.take(SHOWN) { (self.point(change, id, *pair)) } }
            } }
        }
    }

    fn point(&self, change: &Change, id: &str, (old, new): (f64, f64)) -> Markup {
        let (before, now) = (self.before.get(id).copied(), self.now.get(id).copied());
        let answer = |row: Option<&RunRow>, key: &str| {
            row.map_or(Value::Null, |row| row.answer[key].clone())
        };
        let mut expected = answer(now, "feedback")["ground_truth"].clone();
        if expected.is_null() {
            expected = answer(before, "feedback")["ground_truth"].clone();
        }
        let tone = match self.show {
            Show::Worse => "bad",
            Show::Better => "good",
            Show::Same => "dim",
        };
        html! {
            tr {
                td.w { (value::brief(&answer(now, "inputs"))) }
                td.w { (value::brief(&expected)) }
                @for row in [before, now] {
                    td.w { @if let Some(row) = row {
                        a href={ "/sessions/" (format::encoded(&row.session_id)) } { (value::brief(&row.answer["outputs"])) }
                    } }
                }
                td.num.(tone) { (amount(change, old)) " → " (amount(change, new)) }
            }
        }
    }

    fn in_both(&self) -> usize {
        let ids = self.now.keys();
        ids.filter(|id| self.before.contains_key(*id)).count()
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "## {} against {}\n\n{} datapoints in both\n\n| Metric | Before | Now | Difference | 95 % interval | p (Holm) | Verdict |\n|---|--:|--:|--:|---|--:|---|\n",
            cell(&told_apart(&self.new.answer, &self.old.answer)),
            cell(&told_apart(&self.old.answer, &self.new.answer)),
            self.in_both()
        );
        for change in &self.changes {
            let interval = change
                .interval
                .map(|(low, high)| format!("{} to {}", amount(change, low), amount(change, high)));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                cell(&change.metric),
                amount(change, change.old),
                amount(change, change.new),
                signed(change),
                interval.unwrap_or_default(),
                probability(change.p),
                verdict_words(change)
            );
        }
        text
    }
}

/// Returns a text that stays in its line and its cell of a table in Markdown.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\r', '\n'], " ")
}

fn run_link(run: &Value) -> Markup {
    let id = value::text(run, "run_id");
    html! { a.mono.link href={ "/experiments/" (format::encoded(id)) } { (format::short(id)) } }
}

fn link(metric: &str, show: &str) -> String {
    format!("?metric={}&show={show}#points", format::encoded(metric))
}

fn metric(change: &Change) -> Markup {
    let tone = match change.verdict() {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Unknown => "unknown",
    };
    html! {
        tr.(tone) {
            td { (change.metric) }
            td.num { (amount(change, change.old)) }
            td.num { (amount(change, change.new)) }
            td.num { (signed(change)) }
            td { (forest(change)) }
            td.num { (probability(change.p)) }
            td {
                @match change.verdict() {
                    Verdict::Better => (frame::pill("ok", "better")),
                    Verdict::Worse => (frame::pill("bad", "worse")),
                    Verdict::Unknown => span.dim { (verdict_words(change)) },
                }
            }
        }
    }
}

/// Draws the interval on a line of its own scale, zero in the middle.
fn forest(change: &Change) -> Markup {
    let Some((low, high)) = change.interval else {
        return html! { span.dim { "too few" } };
    };
    let reach = low.abs().max(high.abs()).max(f64::MIN_POSITIVE) * 1.15;
    let at = |value: f64| format!("{:.1}", WIDTH / 2.0 * (1.0 + value / reach));
    let words = format!("{} to {}", amount(change, low), amount(change, high));
    html! {
        svg.forest viewBox="0 0 260 18" role="img" aria-label=(words) {
            title { (words) }
            line.zero x1="130" x2="130" y1="-6" y2="24" {}
            line x1=(at(low)) x2=(at(high)) y1="9" y2="9" stroke-width="2" {}
            circle cx=(at(change.difference)) cy="9" r="5" {}
        }
    }
}

fn verdict_words(change: &Change) -> String {
    match (change.verdict(), change.smallest) {
        (Verdict::Better, _) => "better".to_owned(),
        (Verdict::Worse, _) => "worse".to_owned(),
        (Verdict::Unknown, Some(smallest)) if smallest > 0.0 => {
            format!(
                "no difference shown; {} can show {}",
                change.pairs.len(),
                amount(change, smallest)
            )
        }
        (Verdict::Unknown, _) => "no difference shown".to_owned(),
    }
}

fn kind(change: &Change, (old, new): (f64, f64)) -> Show {
    match change.direction(new - old) {
        Verdict::Worse => Show::Worse,
        Verdict::Better => Show::Better,
        Verdict::Unknown => Show::Same,
    }
}

fn amount(change: &Change, value: f64) -> String {
    if change.metric == DURATION {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", format::duration(value.abs()));
    }
    format::number(value)
}

fn signed(change: &Change) -> String {
    let sign = if change.difference > 0.0 { "+" } else { "" };
    format!("{sign}{}", amount(change, change.difference))
}

fn probability(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p < 0.001 => "< 0.001".to_owned(),
        Some(p) => format!("{p:.3}"),
    }
}

fn sessions(side: &Side) -> HashMap<&str, &RunRow> {
    let mut sessions = HashMap::new();
    for row in side.rows.iter().filter(|row| row.event_type == "session") {
        if let Some(id) = &row.datapoint_id {
            sessions.entry(id.as_str()).or_insert(row);
        }
    }
    sessions
}
