//! Runs of experiments have a list, and a page each.

use axum::extract::{Path, State};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::super::frame::{self, Page, Place};
use super::super::{format, value};
use crate::api::{RUN, run_side, run_summary};
use crate::experiments::Side;
use crate::reply::Answer;
use crate::shared::Server;

/// The page shows this many datapoints; the rest is in the API.
const SHOWN: usize = 500;

/// Answers `GET /experiments`: all runs, the newest first.
pub(in crate::read) async fn page(State(shared): State<Server>) -> Answer {
    let runs = shared.read(|reading| reading.records(RUN)).await?;
    let body = html! {
        main.wide data-live="record" {
            h1 { "Experiments" }
            @if runs.is_empty() { (none()) } @else { (table(&runs)) }
        }
    };
    Ok(framed(body, "Experiments").reply(&shared))
}

/// Answers `GET /experiments/{id}`: one run: its metrics, its datapoints, and what to compare it with.
pub(in crate::read) async fn run(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let asked = id.clone();
    let found = shared.read(move |reading| {
        if reading.record(RUN, &asked)?.is_none() {
            return Ok(None);
        }
        let (side, summary) = (run_side(reading, &asked)?, run_summary(reading, &asked)?);
        Ok(Some((side, summary, reading.records(RUN)?)))
    });
    let Some((side, summary, runs)) = found.await? else {
        let why = format!("No run has the id {id}.");
        return Ok(frame::missing(&shared, "Unknown run", &why));
    };
    let title = name(&side.answer);
    Ok(framed(body(&side, &summary, &runs), title).reply(&shared))
}

pub(super) fn framed(body: Markup, title: &str) -> Page<'_> {
    Page {
        title,
        place: Place::Experiments,
        view: "list",
        actions: html! {},
        body,
    }
}

pub(super) fn name(run: &Value) -> &str {
    let name = value::text(run, "name");
    if name.is_empty() { "unnamed run" } else { name }
}

/// Returns the name of a run, with its id where another run has the same name: most runs of an experiment do.
pub(super) fn told_apart(run: &Value, other: &Value) -> String {
    if name(run) != name(other) {
        return name(run).to_owned();
    }
    format!(
        "{} · {}",
        name(run),
        format::short(value::text(run, "run_id"))
    )
}

/// Returns the status of a run, as a capsule.
pub(super) fn status(run: &Value) -> Markup {
    let status = run["status"].as_str().unwrap_or("pending");
    let tone = match status {
        "completed" => "ok",
        "failed" | "cancelled" => "bad",
        _ => "open",
    };
    frame::pill(tone, status)
}

fn none() -> Markup {
    html! {
        p.dim { "No run yet. " code { "honeyhive::evaluate" } ", the Python SDK's " code { "evaluate()" } " and "
            code { "POST /v1/runs" } " make one." }
    }
}

fn table(runs: &[Value]) -> Markup {
    html! {
        table.list {
            thead { tr { th { "Run" } th { "Description" } th { "Status" } th { "Made" } th { "" } } }
            tbody { @for (index, run) in runs.iter().enumerate().rev() { (row(run, before(&runs[..index], run))) } }
        }
    }
}

/// Returns the newest older run of the same dataset or name, for the comparison that the page offers.
fn before<'r>(older: &'r [Value], run: &Value) -> Option<&'r Value> {
    let of_one = |other: &&Value| {
        let dataset = dataset(run);
        (!dataset.is_null() && self::dataset(other) == dataset) || name(other) == name(run)
    };
    older.iter().rev().find(of_one)
}

/// Returns the id of a run's dataset: a stored one, or a list that the program had.
fn dataset(run: &Value) -> &Value {
    let offline = &run["metadata"]["offline_dataset_id"];
    run.get("dataset_id")
        .filter(|stored| !stored.is_null())
        .unwrap_or(offline)
}

fn row(run: &Value, before: Option<&Value>) -> Markup {
    let id = value::text(run, "run_id");
    html! {
        tr data-id=(id) {
            td.name {
                a href={ "/experiments/" (format::encoded(id)) } { (name(run)) }
                div.mono.dim { (format::short(id)) }
            }
            td.talk { (value::text(run, "description")) }
            td.outcome { (status(run)) }
            td.dim { (value::made(run)) }
            td { @if let Some(before) = before { (compare_link(run, before)) } }
        }
    }
}

fn compare_link(run: &Value, other: &Value) -> Markup {
    let [id, old] = [run, other].map(|run| value::text(run, "run_id"));
    html! {
        a.link href={ "/experiments/" (format::encoded(id)) "/compare/" (format::encoded(old)) } { "compare with " (told_apart(other, run)) }
    }
}

fn body(side: &Side, summary: &Value, runs: &[Value]) -> Markup {
    let run = &side.answer;
    let id = value::text(run, "run_id");
    let others = runs
        .iter()
        .rev()
        .filter(|other| value::text(other, "run_id") != id);
    let others: Vec<&Value> = others.take(8).collect();
    let datapoints = summary["datapoints"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    html! {
        main.wide data-live="record" {
            h1 { (name(run)) }
            div.facts {
                span.mono { (id) }
                (status(run))
                span { (format::counted(datapoints.len() as i64, "session")) }
                @if let Some(dataset) = run["dataset_name"].as_str() { span { "dataset " b { (dataset) } } }
                a.link href={ "/?run_id=" (format::encoded(id)) } { "its sessions" }
                @for other in others { (compare_link(run, other)) }
            }
            h2 { "Metrics" }
            (metrics(&summary["metrics"]["details"]))
            h2 { "Datapoints " span.dim { (passed(summary)) } }
            (points(side, datapoints))
        }
    }
}

fn passed(summary: &Value) -> String {
    let count = |key: &str| summary[key].as_array().map_or(0, Vec::len);
    format!("{} passed, {} failed", count("passed"), count("failed"))
}

fn metrics(details: &Value) -> Markup {
    let details = details.as_array().map_or(&[][..], Vec::as_slice);
    html! {
        @if details.is_empty() { p.dim { "No metric has been recorded." } } @else {
            table {
                thead { tr { th { "Metric" } th { "Of" } th.num { "Average" } th.num { "Values" } th { "Has to be" } th.num { "Failed" } } }
                tbody { @for detail in details {
                    tr {
                        td { (value::text(detail, "metric_name")) }
                        td.dim { (value::text(detail, "event_name")) }
                        td.num { (value::number(&detail["aggregate"])) }
                        td.num { (detail["values"].as_array().map_or(0, Vec::len)) }
                        td.dim { (range(&detail["passing_range"])) }
                        td.num { (detail["datapoints"]["failed"].as_array().map_or(0, Vec::len)) }
                    }
                } }
            }
        }
    }
}

fn range(range: &Value) -> String {
    let end = |name: &str| range[name].as_f64().map(format::number);
    match (end("min"), end("max")) {
        (None, None) => "–".to_owned(),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
    }
}

fn points(side: &Side, datapoints: &[Value]) -> Markup {
    html! {
        table.list {
            thead { tr { th { "Datapoint" } th { "Inputs" } th { "Outputs" } th { "Metrics" } th { "Verdict" } } }
            tbody { @for point in datapoints.iter().take(SHOWN) { (self::point(side, point)) } }
        }
        @if datapoints.len() > SHOWN { p.total { "the first " (SHOWN) " of " (datapoints.len()) } }
    }
}

fn point(side: &Side, point: &Value) -> Markup {
    let session = value::text(point, "session_id");
    let row = side.rows.iter().find(|row| row.event_id == session);
    let answer = row.map_or(Value::Null, |row| row.answer.clone());
    let metrics = point["metrics"].as_array().into_iter().flatten();
    let metrics = metrics.map(|metric| {
        (
            value::text(metric, "name").to_owned(),
            metric["value"].clone(),
        )
    });
    let metrics = json!(metrics.collect::<serde_json::Map<_, _>>());
    html! {
        tr data-id=(session) {
            td.name {
                a href={ "/sessions/" (format::encoded(session)) } { (format::short(point["datapoint_id"].as_str().unwrap_or(session))) }
            }
            td.code { (value::fields(&answer["inputs"])) }
            td.code { (value::fields(&answer["outputs"])) }
            td.code { (value::fields(&metrics)) }
            td.outcome { @if point["passed"] == true { (frame::pill("ok", "passed")) } @else { (frame::pill("bad", "failed")) } }
        }
    }
}
