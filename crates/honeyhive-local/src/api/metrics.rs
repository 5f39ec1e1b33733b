//! Metrics have versions, and can be tried.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::params::Params;
use super::records::{self, Kind};
use super::sent::Sent;
use crate::model::Object;
use crate::reply::{Answer, Reply};
use crate::rest;
use crate::shared::Server;
use crate::store::{Failed, Writing};

/// Answers `GET /v1/metrics?type=&id=`.
pub(super) async fn list(State(shared): State<Server>, params: Params) -> Answer {
    let wanted = ["type", "id"].map(|name| (name, params.text(name).map(str::to_owned)));
    let metrics = shared.read(|reading| reading.records(Kind::METRIC)).await?;
    let fits = |metric: &Value| {
        let mut wanted = wanted.iter();
        wanted.all(|(name, value)| value.as_ref().is_none_or(|value| metric[*name] == *value))
    };
    let metrics: Vec<Value> = metrics.into_iter().filter(fits).collect();
    Ok(Reply::json(&json!({ "metrics": metrics })))
}

/// Answers `POST /v1/metrics`.
pub(super) async fn create(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let metric = rest::new_metric(&body)?;
    let id = records::text(&metric, "id");
    let kept = id.clone();
    let done = shared.write(move |writing| writing.put_record(Kind::METRIC, &kept, None, &metric));
    done.await?;
    Ok(Reply::json(&json!({ "inserted": true, "metric_id": id })))
}

/// Answers `PUT /v1/metrics/{id}`.
pub(super) async fn update(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    change(&shared, id, rest::changed_metric(&body)?).await
}

/// Answers `PUT /v1/metrics`: the id is in the body.
pub(super) async fn update_legacy(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let (id, changes) = rest::changed_metric_legacy(&body)?;
    change(&shared, id, changes).await
}

async fn change(shared: &Server, id: String, changes: Object) -> Answer {
    let done = shared.write(move |writing| records::changed(writing, Kind::METRIC, &id, changes));
    done.await?;
    Ok(Reply::json(&json!({ "updated": true })))
}

/// Answers `DELETE /v1/metrics/{id}`.
pub(super) async fn delete(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    remove(&shared, id).await
}

/// Answers `DELETE /v1/metrics?metric_id=`.
pub(super) async fn delete_legacy(State(shared): State<Server>, params: Params) -> Answer {
    let id = params.text("metric_id");
    let id = id.ok_or_else(|| Reply::bad_request("`metric_id` is missing"))?;
    remove(&shared, id.to_owned()).await
}

async fn remove(shared: &Server, id: String) -> Answer {
    let done = shared.write(move |writing| {
        for version in writing.records_of(Kind::METRIC_VERSION, &id)? {
            writing.delete_record(Kind::METRIC_VERSION, &version_id(&id, &version))?;
        }
        match writing.delete_record(Kind::METRIC, &id)? {
            true => Ok(()),
            false => Err(records::missing(Kind::METRIC, &id)),
        }
    });
    done.await?;
    Ok(Reply::json(&json!({ "deleted": true })))
}

/// Answers `GET /v1/metrics/{id}/versions`: oldest first.
pub(super) async fn versions(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let versions = shared.read(move |reading| {
        records::read(reading, Kind::METRIC, &id)?;
        reading.records_of(Kind::METRIC_VERSION, &id)
    });
    Ok(Reply::json(
        &json!({ "success": true, "data": versions.await? }),
    ))
}

/// Answers `POST /v1/metrics/{id}/versions`.
pub(super) async fn create_version(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    let version = shared.write(move |writing| {
        records::known(writing, Kind::METRIC, &id)?;
        let number = writing.records_of(Kind::METRIC_VERSION, &id)?.len() + 1;
        let (version, at_once) =
            rest::new_version(&body, number).map_err(|invalid| Failed::Refused(invalid.0))?;
        put_version(writing, &id, &version)?;
        match at_once {
            true => deploy_one(writing, &id, &records::text(&version, "name")),
            false => Ok(version),
        }
    });
    Ok(Reply::json(
        &json!({ "success": true, "data": version.await? }),
    ))
}

/// Answers `POST /v1/metrics/{id}/versions/{name}/deploy`.
pub(super) async fn deploy(
    State(shared): State<Server>,
    Path((id, name)): Path<(String, String)>,
) -> Answer {
    let version = shared.write(move |writing| deploy_one(writing, &id, &name));
    Ok(Reply::json(
        &json!({ "success": true, "data": version.await? }),
    ))
}

/// Marks one version, unmarks the others, and makes its content the metric's.
fn deploy_one(writing: &mut Writing<'_>, id: &str, name: &str) -> Result<Value, Failed> {
    let mut deployed = None;
    for mut version in writing.records_of(Kind::METRIC_VERSION, id)? {
        let is_it = version["name"] == name;
        version["deployed"] = is_it.into();
        put_version(writing, id, &version)?;
        if is_it {
            deployed = Some(version);
        }
    }
    let version = deployed.ok_or_else(|| records::missing("version", name))?;
    let content = version["content"].as_object().cloned();
    records::changed(writing, Kind::METRIC, id, content.unwrap_or_default())?;
    Ok(version)
}

fn put_version(writing: &mut Writing<'_>, id: &str, version: &Value) -> Result<(), Failed> {
    let key = version_id(id, version);
    writing.put_record(Kind::METRIC_VERSION, &key, Some(id), version)
}

fn version_id(id: &str, version: &Value) -> String {
    format!("{id}/{}", records::text(version, "name"))
}

/// Answers `POST /v1/metrics/run`: what can be told without running a program or a model.
pub(super) async fn run(Sent(body): Sent) -> Answer {
    let (metric, event) = rest::trial(&body)?;
    let outcome = crate::experiments::trial(&metric, &event);
    Ok(Reply::json(&json!({
        "success": outcome.result.is_some(),
        "loading": false,
        "result": outcome.result,
        "explanation": outcome.explanation,
    })))
}
