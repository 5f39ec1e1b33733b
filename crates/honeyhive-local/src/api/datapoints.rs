//! Datapoints are kept here, and given back.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::datasets::{link, unlink};
use super::params::Params;
use super::records::{self, Kind, texts};
use super::sent::Sent;
use crate::reply::{Answer, Reply};
use crate::rest::{self, FromEvents, Search, event_answer, session_answer};
use crate::shared::Server;
use crate::store::{Failed, Found, Reading, Writing};

/// Answers `GET /v1/datapoints?datapoint_ids=&dataset_name=`.
pub(super) async fn list(State(shared): State<Server>, params: Params) -> Answer {
    let ids: Vec<String> = params
        .list("datapoint_ids")
        .into_iter()
        .map(str::to_owned)
        .collect();
    let name = params.text("dataset_name").map(str::to_owned);
    let datapoints = shared.read(move |reading| {
        let mut kept = match ids.is_empty() {
            true => reading.records(Kind::DATAPOINT)?,
            false => by_ids(reading, &ids)?,
        };
        if let Some(name) = &name {
            let datasets = reading.records_named(Kind::DATASET, name)?;
            let within: Vec<String> = datasets
                .iter()
                .flat_map(|set| texts(set, "datapoints"))
                .collect();
            kept.retain(|datapoint| within.contains(&records::text(datapoint, "id")));
        }
        Ok(kept)
    });
    Ok(Reply::json(&json!({ "datapoints": datapoints.await? })))
}

fn by_ids(reading: &Reading<'_>, ids: &[String]) -> Result<Vec<Value>, Failed> {
    let found = ids.iter().map(|id| reading.record(Kind::DATAPOINT, id));
    found.filter_map(Result::transpose).collect()
}

/// Answers `POST /v1/datapoints`.
pub(super) async fn create(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let datapoint = rest::new_datapoint(&body)?;
    let id = shared
        .write(move |writing| keep(writing, &datapoint))
        .await?;
    Ok(Reply::json(
        &json!({ "inserted": true, "result": { "insertedIds": [id] } }),
    ))
}

/// Answers `POST /v1/datapoints/batch`: datapoints made of events.
pub(super) async fn create_batch(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let asked = FromEvents::parse(&body)?;
    let search = json!({ "filters": asked.filters, "dateRange": asked.range, "limit": 7500 });
    let search = Search::parse_export(&search)?;
    let dataset = asked.dataset.clone();
    let events = shared
        .read(move |reading| chosen(reading, &asked, &search))
        .await?;
    let ids = shared.write(move |writing| {
        if let Some(dataset) = &dataset {
            records::known(writing, Kind::DATASET, dataset)?;
        }
        let points = events.iter().map(|event| {
            let point = rest::datapoint_of_event(event, dataset.as_deref());
            keep(writing, &point)
        });
        points.collect::<Result<Vec<_>, Failed>>()
    });
    Ok(Reply::json(
        &json!({ "inserted": true, "insertedIds": ids.await? }),
    ))
}

/// Returns the events that a batch names, or all that its conditions hold for.
fn chosen(
    reading: &Reading<'_>,
    asked: &FromEvents,
    search: &Search,
) -> Result<Vec<Value>, Failed> {
    if asked.all {
        let (found, _) = reading.search(search)?;
        let events = found.iter().map(|found| match found {
            Found::Session(session) => session_answer(session),
            Found::Event(event) => event_answer(event),
        });
        return Ok(events.collect());
    }
    let mut events = Vec::new();
    for id in &asked.ids {
        match reading.event(id)? {
            Some(event) => events.push(event_answer(&event)),
            None => events.extend(reading.session(id)?.map(|session| session_answer(&session))),
        }
    }
    Ok(events)
}

/// Keeps a datapoint, and notes it in the datasets that it names.
fn keep(writing: &mut Writing<'_>, datapoint: &Value) -> Result<String, Failed> {
    let id = records::text(datapoint, "id");
    writing.put_record(Kind::DATAPOINT, &id, None, datapoint)?;
    for dataset in texts(datapoint, "linked_datasets") {
        include(writing, &dataset, &id)?;
    }
    Ok(id)
}

fn include(writing: &mut Writing<'_>, dataset: &str, point: &str) -> Result<(), Failed> {
    let Some(mut kept) = writing.record(Kind::DATASET, dataset)? else {
        return Ok(());
    };
    let mut points = texts(&kept, "datapoints");
    if !points.iter().any(|known| known == point) {
        points.push(point.to_owned());
        kept["datapoints"] = json!(points);
        records::touched(&mut kept);
        writing.put_record(Kind::DATASET, dataset, None, &kept)?;
    }
    Ok(())
}

/// Answers `GET /v1/datapoints/{id}`: a list of one.
pub(super) async fn get(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let datapoint = shared.read(move |reading| records::read(reading, Kind::DATAPOINT, &id));
    Ok(Reply::json(&json!({ "datapoint": [datapoint.await?] })))
}

/// Answers `PUT /v1/datapoints/{id}`.
pub(super) async fn update(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    let changes = rest::changed_datapoint(&body)?;
    let done = shared.write(move |writing| {
        let before = texts(
            &records::known(writing, Kind::DATAPOINT, &id)?,
            "linked_datasets",
        );
        let datapoint = records::changed(writing, Kind::DATAPOINT, &id, changes)?;
        let after = texts(&datapoint, "linked_datasets");
        for dataset in &after {
            include(writing, dataset, &id)?;
            link(writing, &id, dataset)?;
        }
        let gone = before.iter().filter(|dataset| !after.contains(dataset));
        for dataset in gone {
            exclude(writing, dataset, &id)?;
        }
        Ok(())
    });
    done.await?;
    Ok(Reply::json(
        &json!({ "updated": true, "result": { "modifiedCount": 1 } }),
    ))
}

/// Answers `DELETE /v1/datapoints/{id}`: out of its datasets, too.
pub(super) async fn delete(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let done = shared.write(move |writing| {
        let datapoint = records::known(writing, Kind::DATAPOINT, &id)?;
        for dataset in texts(&datapoint, "linked_datasets") {
            exclude(writing, &dataset, &id)?;
        }
        writing.delete_record(Kind::DATAPOINT, &id)
    });
    Ok(Reply::json(&json!({ "deleted": done.await? })))
}

fn exclude(writing: &mut Writing<'_>, dataset: &str, point: &str) -> Result<(), Failed> {
    if let Some(mut kept) = writing.record(Kind::DATASET, dataset)? {
        let mut points = texts(&kept, "datapoints");
        points.retain(|known| known != point);
        kept["datapoints"] = json!(points);
        records::touched(&mut kept);
        writing.put_record(Kind::DATASET, dataset, None, &kept)?;
    }
    unlink(writing, point, dataset)
}
