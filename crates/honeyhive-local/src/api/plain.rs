//! Configurations, queues and charts are plain records.

use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::{Value, json};

use super::params::Params;
use super::records::{self, Kind, texts};
use super::sent::Sent;
use crate::reply::{Answer, Reply};
use crate::rest;
use crate::shared::Server;
use crate::store::Failed;

/// Answers `GET /v1/configurations?name=&env=&tags=`.
pub(super) async fn configurations(State(shared): State<Server>, params: Params) -> Answer {
    let wanted = ["name", "env", "tags"].map(|name| (name, params.text(name).map(str::to_owned)));
    let kept = shared
        .read(|reading| reading.records(Kind::CONFIGURATION))
        .await?;
    let has = |record: &Value, name: &str, value: &str| {
        record[name] == value || texts(record, name).iter().any(|held| held == value)
    };
    let fits = |record: &Value| {
        let mut wanted = wanted.iter();
        wanted.all(|(name, value)| value.as_ref().is_none_or(|value| has(record, name, value)))
    };
    let kept: Vec<Value> = kept.into_iter().filter(fits).collect();
    Ok(Reply::json(&json!({ "configurations": kept })))
}

/// Answers `POST /v1/configurations`.
pub(super) async fn create_configuration(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let id = put(
        &shared,
        Kind::CONFIGURATION,
        rest::new_configuration(&body)?,
    )
    .await?;
    Ok(Reply::json(
        &json!({ "acknowledged": true, "insertedId": id["id"] }),
    ))
}

/// Answers `PUT /v1/configurations/{id}`.
pub(super) async fn update_configuration(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    let changes = rest::changed_configuration(&body)?;
    let done = shared.write(move |writing| {
        match records::changed(writing, Kind::CONFIGURATION, &id, changes) {
            Ok(_) => Ok(1),
            Err(Failed::Missing(_)) => Ok(0),
            Err(failed) => Err(failed),
        }
    });
    let count = done.await?;
    Ok(Reply::json(&json!({
        "acknowledged": true,
        "modifiedCount": count,
        "matchedCount": count,
        "upsertedCount": 0,
        "upsertedId": null,
    })))
}

/// Answers `DELETE /v1/configurations/{id}`.
pub(super) async fn delete_configuration(
    State(shared): State<Server>,
    Path(id): Path<String>,
) -> Answer {
    let done = shared.write(move |writing| writing.delete_record(Kind::CONFIGURATION, &id));
    let count = i64::from(done.await?);
    Ok(Reply::json(
        &json!({ "acknowledged": true, "deletedCount": count }),
    ))
}

/// Answers `GET /v1/queues?enabled=`.
pub(super) async fn queues(State(shared): State<Server>, params: Params) -> Answer {
    let enabled = params.text("enabled").map(|text| text == "true");
    let queues = shared.read(|reading| reading.records(Kind::QUEUE)).await?;
    let fits = |queue: &&Value| enabled.is_none_or(|enabled| queue["enabled"] == enabled);
    let queues: Vec<Value> = queues.iter().filter(fits).map(shown_queue).collect();
    Ok(Reply::json(&json!({ "queues": queues })))
}

/// Answers `POST /v1/queues`: the one call that answers 201.
pub(super) async fn create_queue(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let queue = put(&shared, Kind::QUEUE, rest::new_queue(&body)?).await?;
    let mut reply =
        Reply::json(&json!({ "queue": shown_queue(&queue), "message": "Queue created" }));
    reply.status = StatusCode::CREATED;
    Ok(reply)
}

/// Answers `GET /v1/queues/{id}`: without a wrapper.
pub(super) async fn queue(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let queue = shared.read(move |reading| records::read(reading, Kind::QUEUE, &id));
    Ok(Reply::json(&shown_queue(&queue.await?)))
}

/// Answers `PUT /v1/queues/{id}`: the id is in the body, too.
pub(super) async fn update_queue(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    let queue = shared.write(move |writing| {
        let events = texts(&records::known(writing, Kind::QUEUE, &id)?, "event_ids");
        let changes = rest::changed_queue(&body, &id, &events);
        let changes = changes.map_err(|invalid| Failed::Refused(invalid.0))?;
        records::changed(writing, Kind::QUEUE, &id, changes)
    });
    let queue = shown_queue(&queue.await?);
    Ok(Reply::json(
        &json!({ "queue": queue, "message": "Queue updated" }),
    ))
}

/// Answers `DELETE /v1/queues/{id}`.
pub(super) async fn delete_queue(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    remove(&shared, Kind::QUEUE, id).await?;
    Ok(Reply::json(&json!({ "message": "Queue deleted" })))
}

/// Returns a queue without its events: an answer does not have them.
fn shown_queue(queue: &Value) -> Value {
    let mut shown = queue.clone();
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("event_ids");
    }
    shown
}

/// Answers `GET /v1/charts`.
pub(super) async fn charts(State(shared): State<Server>) -> Answer {
    let charts = shared.read(|reading| reading.records(Kind::CHART)).await?;
    Ok(Reply::json(&json!({ "success": true, "data": charts })))
}

/// Answers `POST /v1/charts`.
pub(super) async fn create_chart(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let chart = put(&shared, Kind::CHART, rest::new_chart(&body)?).await?;
    Ok(Reply::json(&json!({ "success": true, "data": chart })))
}

/// Answers `GET /v1/charts/{id}`.
pub(super) async fn chart(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let chart = shared.read(move |reading| records::read(reading, Kind::CHART, &id));
    Ok(Reply::json(
        &json!({ "success": true, "data": chart.await? }),
    ))
}

/// Answers `PUT /v1/charts/{id}`.
pub(super) async fn update_chart(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    let changes = rest::changed_chart(&body)?;
    let chart = shared.write(move |writing| records::changed(writing, Kind::CHART, &id, changes));
    Ok(Reply::json(
        &json!({ "success": true, "data": chart.await? }),
    ))
}

/// Answers `DELETE /v1/charts/{id}`.
pub(super) async fn delete_chart(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    remove(&shared, Kind::CHART, id).await?;
    Ok(Reply::json(
        &json!({ "success": true, "message": "Chart deleted" }),
    ))
}

/// Keeps a new record under its id, and returns it.
async fn put(shared: &Server, kind: &'static str, record: Value) -> Result<Value, Reply> {
    shared
        .write(move |writing| {
            writing.put_record(kind, &records::text(&record, "id"), None, &record)?;
            Ok(record)
        })
        .await
}

async fn remove(shared: &Server, kind: &'static str, id: String) -> Result<(), Reply> {
    shared
        .write(move |writing| match writing.delete_record(kind, &id)? {
            true => Ok(()),
            false => Err(records::missing(kind, &id)),
        })
        .await
}
