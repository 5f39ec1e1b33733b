//! HoneyHive's API, route by route.

mod events;
mod otlp;
mod sent;
mod sessions;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post, put};
use serde_json::json;

use crate::reply::Reply;
use crate::shared::Shared;

pub(crate) type Server = Arc<Shared>;

/// All routes of the API.
pub(crate) fn routes() -> Router<Server> {
    Router::new()
        .route(
            "/healthz",
            get(async || Reply::json(&json!({ "status": "ok" }))),
        )
        .route("/projects", get(projects))
        .route("/v1/sessions", post(sessions::start))
        .route("/session/start", post(sessions::start_legacy))
        .route("/v1/events/{id}", put(events::update))
        .route("/events", put(events::update_legacy))
        .route("/v1/traces", post(otlp::traces))
        .route("/opentelemetry/v1/traces", post(otlp::traces))
}

async fn projects() -> Reply {
    Reply::json(&json!([{ "id": "proj_local", "name": "local" }]))
}
