//! Datasets have names, and datapoints in them.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::params::Params;
use super::records::{self, Kind, texts};
use super::sent::Sent;
use crate::model::Object;
use crate::reply::{Answer, Reply};
use crate::rest;
use crate::shared::Server;
use crate::store::{Failed, Writing};

/// Answers `GET /v1/datasets?dataset_id=&name=`.
pub(super) async fn list(State(shared): State<Server>, params: Params) -> Answer {
    let id = params.text("dataset_id").map(str::to_owned);
    let name = params.text("name").map(str::to_owned);
    let datasets = shared.read(move |reading| {
        let kept = match (&id, &name) {
            (Some(id), _) => reading.record(Kind::DATASET, id)?.into_iter().collect(),
            (None, Some(name)) => reading.records_named(Kind::DATASET, name)?,
            (None, None) => reading.records(Kind::DATASET)?,
        };
        let named = |dataset: &Value| name.as_deref().is_none_or(|name| dataset["name"] == name);
        Ok(kept.into_iter().filter(named).collect::<Vec<_>>())
    });
    Ok(Reply::json(&json!({ "datasets": datasets.await? })))
}

/// Answers `POST /v1/datasets`.
pub(super) async fn create(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let dataset = rest::new_dataset(&body)?;
    let id = shared.write(move |writing| {
        let id = records::text(&dataset, "id");
        writing.put_record(Kind::DATASET, &id, None, &dataset)?;
        let points = texts(&dataset, "datapoints");
        points
            .iter()
            .try_for_each(|point| link(writing, point, &id))?;
        Ok(id)
    });
    let id = id.await?;
    Ok(Reply::json(
        &json!({ "inserted": true, "result": { "insertedId": id } }),
    ))
}

/// Answers `PUT /v1/datasets/{id}`.
pub(super) async fn update(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    change(&shared, id, rest::changed_dataset(&body)?).await
}

/// Answers `PUT /v1/datasets`: the id is in the body.
pub(super) async fn update_legacy(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let (id, changes) = rest::changed_dataset_legacy(&body)?;
    change(&shared, id, changes).await
}

async fn change(shared: &Server, id: String, changes: Object) -> Answer {
    let dataset = shared.write(move |writing| {
        let before = texts(&records::known(writing, Kind::DATASET, &id)?, "datapoints");
        let dataset = records::changed(writing, Kind::DATASET, &id, changes)?;
        let after = texts(&dataset, "datapoints");
        let gone = before.iter().filter(|point| !after.contains(point));
        gone.clone()
            .try_for_each(|point| unlink(writing, point, &id))?;
        after
            .iter()
            .try_for_each(|point| link(writing, point, &id))?;
        Ok(dataset)
    });
    Ok(Reply::json(&json!({ "result": dataset.await? })))
}

/// Answers `DELETE /v1/datasets/{id}`: its datapoints stay.
pub(super) async fn delete(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    remove(&shared, id).await
}

/// Answers `DELETE /v1/datasets?dataset_id=`.
pub(super) async fn delete_legacy(State(shared): State<Server>, params: Params) -> Answer {
    let id = params.text("dataset_id");
    let id = id.ok_or_else(|| Reply::bad_request("`dataset_id` is missing"))?;
    remove(&shared, id.to_owned()).await
}

async fn remove(shared: &Server, id: String) -> Answer {
    let id = shared.write(move |writing| {
        let dataset = records::known(writing, Kind::DATASET, &id)?;
        let points = texts(&dataset, "datapoints");
        points
            .iter()
            .try_for_each(|point| unlink(writing, point, &id))?;
        writing.delete_record(Kind::DATASET, &id)?;
        Ok(id)
    });
    Ok(Reply::json(&json!({ "result": { "id": id.await? } })))
}

/// Answers `POST /v1/datasets/{id}/datapoints`.
pub(super) async fn add_datapoints(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    let datapoints = rest::mapped_datapoints(&body, &id)?;
    let ids = shared.write(move |writing| {
        let mut dataset = records::known(writing, Kind::DATASET, &id)?;
        let mut ids = texts(&dataset, "datapoints");
        let known = ids.len();
        for datapoint in &datapoints {
            let point = records::text(datapoint, "id");
            writing.put_record(Kind::DATAPOINT, &point, None, datapoint)?;
            ids.push(point);
        }
        dataset["datapoints"] = json!(ids);
        records::touched(&mut dataset);
        writing.put_record(Kind::DATASET, &id, None, &dataset)?;
        Ok(ids.split_off(known))
    });
    let ids = ids.await?;
    Ok(Reply::json(
        &json!({ "inserted": true, "datapoint_ids": ids }),
    ))
}

/// Answers `DELETE /v1/datasets/{id}/datapoints/{datapoint}` and its legacy twin: the datapoint itself stays.
pub(super) async fn remove_datapoint(
    State(shared): State<Server>,
    Path((id, point)): Path<(String, String)>,
) -> Answer {
    let done = shared.write(move |writing| {
        let dataset = records::known(writing, Kind::DATASET, &id)?;
        let points = texts(&dataset, "datapoints");
        let left: Vec<&String> = points.iter().filter(|kept| **kept != point).collect();
        if left.len() == points.len() {
            let message = format!("dataset {id} has no datapoint {point}");
            return Err(Failed::Missing(message));
        }
        let changes = Object::from_iter([("datapoints".to_owned(), json!(left))]);
        records::changed(writing, Kind::DATASET, &id, changes)?;
        unlink(writing, &point, &id)
    });
    done.await?;
    let message = "Datapoint dereferenced";
    Ok(Reply::json(
        &json!({ "dereferenced": true, "message": message }),
    ))
}

/// Adds a dataset to those of a datapoint; an unknown datapoint is only a name in the dataset.
pub(super) fn link(writing: &mut Writing<'_>, point: &str, dataset: &str) -> Result<(), Failed> {
    relink(writing, point, |linked| {
        if !linked.iter().any(|known| known == dataset) {
            linked.push(dataset.to_owned());
        }
    })
}

pub(super) fn unlink(writing: &mut Writing<'_>, point: &str, dataset: &str) -> Result<(), Failed> {
    relink(writing, point, |linked| {
        linked.retain(|known| known != dataset)
    })
}

fn relink(
    writing: &mut Writing<'_>,
    point: &str,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<(), Failed> {
    let Some(mut datapoint) = writing.record(Kind::DATAPOINT, point)? else {
        return Ok(());
    };
    let mut linked = texts(&datapoint, "linked_datasets");
    change(&mut linked);
    datapoint["linked_datasets"] = json!(linked);
    writing.put_record(Kind::DATAPOINT, point, None, &datapoint)
}
