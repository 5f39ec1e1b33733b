//! Datasets have pages that show their datapoints.

use axum::extract::{Path, State};
use maud::{Markup, html};
use serde_json::Value;

use super::super::format;
use super::super::frame::{self, Page, Place};
use super::super::value::{fields, made, text};
use crate::reply::Answer;
use crate::shared::Server;

/// The page shows this many datapoints; the rest is in the API.
const SHOWN: usize = 500;

/// Answers `GET /datasets`: all of them, the newest first.
pub(in crate::read) async fn page(State(shared): State<Server>) -> Answer {
    let datasets = shared.read(|reading| reading.records("dataset")).await?;
    let body = html! {
        main.wide data-live="record" {
            h1 { "Datasets" }
            @if datasets.is_empty() { (none()) } @else { (table(&datasets)) }
        }
    };
    Ok(framed(body, "Datasets").reply(&shared))
}

/// Answers `GET /datasets/{id}`: one with its datapoints.
pub(in crate::read) async fn dataset(
    State(shared): State<Server>,
    Path(id): Path<String>,
) -> Answer {
    let asked = id.clone();
    let found = shared.read(move |reading| {
        let Some(dataset) = reading.record("dataset", &asked)? else {
            return Ok(None);
        };
        let ids = datapoints(&dataset)
            .iter()
            .filter_map(Value::as_str)
            .take(SHOWN);
        let points = ids.map(|id| reading.record("datapoint", id));
        let points: Vec<Value> = points
            .filter_map(Result::transpose)
            .collect::<Result<_, _>>()?;
        Ok(Some((dataset, points)))
    });
    let Some((dataset, points)) = found.await? else {
        let why = format!("No dataset has the id {id}.");
        return Ok(frame::missing(&shared, "Unknown dataset", &why));
    };
    let title = text(&dataset, "name");
    let body = html! {
        main.wide {
            h1 { (title) }
            div.facts {
                span.mono { (id) }
                span { (format::counted(datapoints(&dataset).len() as i64, "datapoint")) }
                @if !text(&dataset, "description").is_empty() { span { (text(&dataset, "description")) } }
            }
            (points_table(&points))
        }
    };
    Ok(framed(body, title).reply(&shared))
}

fn framed(body: Markup, title: &str) -> Page<'_> {
    Page {
        title,
        place: Place::Datasets,
        view: "list",
        actions: html! {},
        body,
    }
}

fn none() -> Markup {
    html! {
        p.dim { "No dataset has been made yet. " code { "POST /v1/datasets" } " makes one, as does "
            code { "honeyhive-local export --as-dataset NAME" } " of sessions that you have seen here." }
    }
}

fn table(datasets: &[Value]) -> Markup {
    html! {
        table.list {
            thead { tr { th { "Dataset" } th { "Description" } th { "Made" } th.num { "Datapoints" } } }
            tbody {
                @for dataset in datasets.iter().rev() {
                    tr data-id=(text(dataset, "id")) {
                        td.name {
                            a href={ "/datasets/" (format::encoded(text(dataset, "id"))) } { (text(dataset, "name")) }
                            div.mono.dim { (text(dataset, "id")) }
                        }
                        td.talk { (text(dataset, "description")) }
                        td.dim { (made(dataset)) }
                        td.num { (format::count(datapoints(dataset).len() as i64)) }
                    }
                }
            }
        }
    }
}

fn points_table(points: &[Value]) -> Markup {
    html! {
        table.list {
            thead { tr { th { "Datapoint" } th { "Inputs" } th { "Ground truth" } th { "Metadata" } } }
            tbody {
                @for point in points {
                    tr {
                        td.mono { (format::short(text(point, "id"))) }
                        td.code { (fields(&point["inputs"])) }
                        td.code { (fields(&point["ground_truth"])) }
                        td.code { (fields(&point["metadata"])) }
                    }
                }
            }
        }
    }
}

fn datapoints(dataset: &Value) -> &[Value] {
    let ids = dataset["datapoints"].as_array();
    ids.map_or(&[], Vec::as_slice)
}
