//! The schema (`GET …/schema`) lists the fields that events have, also by the events' names.

use axum::extract::{Path, State};
use serde_json::{Map, Value, json};

use super::params::Params;
use super::records::{self, Kind};
use super::runs;
use crate::model::canonical_id;
use crate::reply::{Answer, Reply};
use crate::rest;
use crate::shared::Server;

/// Answers `GET /v1/events/schema?dateRange=&evaluation_id=` and `GET /v1/runs/schema`.
pub(super) async fn of_all(State(shared): State<Server>, params: Params) -> Answer {
    let run = params.text("evaluation_id").map(canonical_id);
    answer(&shared, run, &params).await
}

/// Answers `GET /v1/runs/{id}/schema`.
pub(super) async fn of_run(
    State(shared): State<Server>,
    Path(id): Path<String>,
    params: Params,
) -> Answer {
    let id = canonical_id(&id);
    let asked = id.clone();
    shared
        .read(move |reading| runs::known(reading, &asked))
        .await?;
    answer(&shared, Some(id), &params).await
}

async fn answer(shared: &Server, run: Option<String>, params: &Params) -> Answer {
    let range = params.object("dateRange")?;
    let (from, to) = rest::date_range(range.as_ref())?;
    let schema = shared.read(move |reading| {
        let mut fields: Vec<Value> = Vec::new();
        let mut mappings: Map<String, Value> = Map::new();
        for (name, kind) in reading.event_names(run.as_deref(), from, to)? {
            let mut mapped = Vec::new();
            for field in reading.event_fields(&name, &kind)? {
                let known = json!({ "name": field, "event_type": kind });
                if !fields.contains(&known) {
                    fields.push(known);
                }
                mapped.push(json!({ "field_name": field, "event_type": kind }));
            }
            let known = mappings.entry(name).or_insert_with(|| json!([]));
            if let Value::Array(known) = known {
                known.append(&mut mapped);
            }
        }
        let datasets = reading.records(Kind::DATASET)?;
        let datasets: Vec<String> = datasets
            .iter()
            .map(|set| records::text(set, "name"))
            .collect();
        Ok(json!({ "fields": fields, "datasets": datasets, "mappings": mappings }))
    });
    Ok(Reply::json(&schema.await?))
}
