//! Experiment runs are kept here and summed up.

use std::collections::HashMap;

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::params::Params;
use super::records::{self, Kind, texts};
use super::runs_list::{self, Wanted};
use super::sent::Sent;
use crate::experiments::{self, Aggregate, RunRow, Side};
use crate::model::canonical_id;
use crate::reply::{Answer, Reply};
use crate::rest::{self, Filter, Search, event_answer, run_answer, session_answer};
use crate::shared::Server;
use crate::store::{Failed, Found, Reading};

/// Answers `GET /v1/runs?…`.
pub(super) async fn list(State(shared): State<Server>, params: Params) -> Answer {
    let wanted = Wanted::of(&params)?;
    let listed = shared.read(move |reading| runs_list::page(reading, &wanted));
    Ok(Reply::json(&listed.await?))
}

/// Answers `POST /v1/runs`: one that is known already is changed.
pub(super) async fn create(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let (id, fields) = rest::new_run(&body)?;
    let kept = id.clone();
    let run = shared.write(move |writing| {
        if writing.record(Kind::RUN, &kept)?.is_none() {
            writing.put_record(Kind::RUN, &kept, None, &rest::blank_run(&kept))?;
        }
        records::changed(writing, Kind::RUN, &kept, fields)
    });
    let run = run.await?;
    let evaluation = answered(&shared, run).await?;
    Ok(Reply::json(
        &json!({ "evaluation": evaluation, "run_id": id }),
    ))
}

/// Answers `GET /v1/runs/{id}`.
pub(super) async fn get(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let evaluation = shared.read(move |reading| answer_of(reading, &known(reading, &id)?));
    Ok(Reply::json(&json!({ "evaluation": evaluation.await? })))
}

/// Answers `PUT /v1/runs/{id}`.
pub(super) async fn update(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    let changes = rest::changed_run(&body)?;
    let run = shared.write(move |writing| {
        let done = records::changed(writing, Kind::RUN, &canonical_id(&id), changes);
        done.map_err(|failed| unknown(failed, &id))
    });
    let run = run.await?;
    let warned = run.clone();
    let warning = shared
        .read(move |reading| warning(reading, &warned))
        .await?;
    let mut answer = json!({ "evaluation": answered(&shared, run).await? });
    if let Some(warning) = warning {
        answer["warning"] = warning.into();
    }
    Ok(Reply::json(&answer))
}

/// Answers `DELETE /v1/runs/{id}`: its sessions stay.
pub(super) async fn delete(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let done = shared.write(move |writing| {
        let id = canonical_id(&id);
        match writing.delete_record(Kind::RUN, &id)? {
            true => Ok(id),
            false => Err(no_run(&id)),
        }
    });
    Ok(Reply::json(&json!({ "id": done.await?, "deleted": true })))
}

/// Answers `GET /v1/runs/{id}/summary` and, of old, `/result`.
pub(super) async fn summary(
    State(shared): State<Server>,
    Path(id): Path<String>,
    params: Params,
) -> Answer {
    let aggregate = aggregate(&params)?;
    let filters = filters(&params, "filters")?;
    let summary = shared.read(move |reading| summed_up(reading, &id, aggregate, &filters));
    Ok(Reply::json(&summary.await?))
}

/// Answers `GET /v1/runs/{id}/metrics`: the events with their metrics.
pub(super) async fn metrics(
    State(shared): State<Server>,
    Path(id): Path<String>,
    params: Params,
) -> Answer {
    let filters = filters(&params, "filters")?;
    let range = params.object("dateRange")?;
    let (from, to) = rest::date_range(range.as_ref())?;
    let events = shared.read(move |reading| {
        let run = known(reading, &id)?;
        let rows = rows(reading, &run, &filters)?;
        let within = |row: &&RunRow| {
            let start = row.answer["start_time"].as_f64().unwrap_or_default();
            (from..=to).contains(&start)
        };
        Ok(rows
            .iter()
            .filter(within)
            .map(with_metrics)
            .collect::<Vec<_>>())
    });
    let events = events.await?;
    Ok(Reply::json(
        &json!({ "totalEvents": events.len(), "events": events }),
    ))
}

fn with_metrics(row: &RunRow) -> Value {
    json!({
        "event_name": row.event_name,
        "event_type": row.event_type,
        "session_id": row.session_id,
        "metadata": { "datapoint_id": row.datapoint_id },
        "metrics": row.metrics,
    })
}

/// `RUN` is the kind of a run among the records.
pub(crate) const RUN: &str = Kind::RUN;

/// Returns a run with its sessions and events, for pages.
pub(crate) fn run_side(reading: &Reading<'_>, id: &str) -> Result<Side, Failed> {
    side(reading, id, &[])
}

/// Returns the summary of a run, for pages.
pub(crate) fn run_summary(reading: &Reading<'_>, id: &str) -> Result<Value, Failed> {
    summed_up(reading, id, Aggregate::default(), &[])
}

fn summed_up(
    reading: &Reading<'_>,
    id: &str,
    aggregate: Aggregate,
    filters: &[Filter],
) -> Result<Value, Failed> {
    let run = known(reading, id)?;
    let answer = answer_of(reading, &run)?;
    let rows = rows(reading, &run, filters)?;
    let kinds = metric_kinds(reading)?;
    Ok(experiments::summary(
        &run, &answer, &rows, aggregate, &kinds,
    ))
}

pub(super) fn side(reading: &Reading<'_>, id: &str, filters: &[Filter]) -> Result<Side, Failed> {
    let run = known(reading, id)?;
    Ok(Side {
        answer: answer_of(reading, &run)?,
        rows: rows(reading, &run, filters)?,
    })
}

/// Returns the sessions and events of a run that conditions hold for.
fn rows(reading: &Reading<'_>, run: &Value, filters: &[Filter]) -> Result<Vec<RunRow>, Failed> {
    let mut named = texts(run, "event_ids");
    named.extend(texts(run, "session_ids"));
    let places = places(reading, run)?;
    let mut sessions = reading.run_sessions(&records::text(run, "run_id"), &named)?;
    // Sessions of one run come in any order, as its datapoints are tried at the same time.
    sessions.sort_by_key(|(session, _)| {
        let datapoint = session.metadata.get("datapoint_id");
        let place = datapoint.and_then(|id| places.get(id.as_str()?));
        place.copied().unwrap_or(usize::MAX)
    });
    let mut rows = Vec::new();
    for (session, events) in sessions {
        let row = RunRow::of_session(&session, session_answer(&session));
        let events: Vec<RunRow> = events
            .iter()
            .map(|event| RunRow::of_event(event, &row, event_answer(event)))
            .collect();
        rows.push(row);
        rows.extend(events);
    }
    if !filters.is_empty() {
        let found = found(reading, filters)?;
        rows.retain(|row| found.contains(&row.event_id));
    }
    Ok(rows)
}

/// Returns the place of each datapoint: in the run where the run names them, else in its dataset.
fn places(reading: &Reading<'_>, run: &Value) -> Result<HashMap<String, usize>, Failed> {
    let mut order = texts(run, "datapoint_ids");
    if let Some(dataset) = run["dataset_id"].as_str().filter(|_| order.is_empty()) {
        let dataset = reading.record(Kind::DATASET, dataset)?;
        order = dataset.map_or_else(Vec::new, |dataset| texts(&dataset, "datapoints"));
    }
    Ok(order.into_iter().zip(0..).collect())
}

fn found(reading: &Reading<'_>, filters: &[Filter]) -> Result<Vec<String>, Failed> {
    let search = Search {
        filters: filters.to_vec(),
        limit: u64::from(u32::MAX),
        page: 1,
        ..Search::default()
    };
    let (found, _) = reading.search(&search)?;
    let ids = found.into_iter().map(|found| match found {
        Found::Session(session) => session.session_id,
        Found::Event(event) => event.event_id,
    });
    Ok(ids.collect())
}

/// Returns the warning about a run that is being closed.
fn warning(reading: &Reading<'_>, run: &Value) -> Result<Option<String>, Failed> {
    let rows = rows(reading, run, &[])?;
    let sessions = rows.iter().filter(|row| row.event_type == "session");
    let without = sessions.filter(|row| row.datapoint_id.is_none()).count();
    Ok((without > 0).then(|| {
        format!("{without} of the run's sessions have no `datapoint_id` in their metadata, so they cannot be compared")
    }))
}

/// Returns the types of the metrics that are defined here, by their names.
pub(super) fn metric_kinds(
    reading: &Reading<'_>,
) -> Result<impl Fn(&str) -> Option<String>, Failed> {
    let metrics = reading.records(Kind::METRIC)?;
    Ok(move |name: &str| {
        let mut metrics = metrics.iter();
        let metric = metrics.find(|metric| metric["name"] == name)?;
        metric["type"].as_str().map(str::to_owned)
    })
}

async fn answered(shared: &Server, run: Value) -> Result<Value, Reply> {
    shared.read(move |reading| answer_of(reading, &run)).await
}

/// Returns a run in the form of an answer, with the name of its dataset.
pub(super) fn answer_of(reading: &Reading<'_>, run: &Value) -> Result<Value, Failed> {
    let dataset = match run["dataset_id"].as_str() {
        Some(id) => reading.record(Kind::DATASET, id)?,
        None => None,
    };
    let name = dataset
        .as_ref()
        .and_then(|dataset| dataset["name"].as_str());
    Ok(run_answer(run, name))
}

/// Returns a run; an unknown one is an error, but no 404: HoneyHive's routes of runs know none.
pub(super) fn known(reading: &Reading<'_>, id: &str) -> Result<Value, Failed> {
    let id = canonical_id(id);
    reading.record(Kind::RUN, &id)?.ok_or_else(|| no_run(&id))
}

fn no_run(id: &str) -> Failed {
    Failed::Refused(format!("there is no run {id}"))
}

fn unknown(failed: Failed, id: &str) -> Failed {
    match failed {
        Failed::Missing(_) => no_run(id),
        other => other,
    }
}

pub(super) fn aggregate(params: &Params) -> Result<Aggregate, Reply> {
    let Some(name) = params.text("aggregate_function") else {
        return Ok(Aggregate::default());
    };
    Aggregate::named(name).ok_or_else(|| {
        let known = "average, min, max, median, p90, p95, p99, sum or count";
        Reply::bad_request(&format!("`aggregate_function` must be {known}"))
    })
}

pub(super) fn filters(params: &Params, name: &str) -> Result<Vec<Filter>, Reply> {
    let mut filters = Vec::new();
    for text in params
        .list(name)
        .into_iter()
        .filter(|text| !text.is_empty())
    {
        filters.extend(Search::filters_from(text)?);
    }
    Ok(filters)
}
