//! HoneyHive's API is served route by route.

mod comparisons;
mod datapoints;
mod datasets;
mod events;
mod keys;
mod metrics;
mod otlp;
mod params;
mod plain;
mod records;
mod runs;
mod runs_list;
mod schema;
mod seed;
mod sent;
mod sessions;

use axum::Router;
use axum::routing::{delete, get, post, put};
use serde_json::json;

use crate::reply::Reply;
use crate::shared::Server;

pub(crate) use runs::{RUN, run_side, run_summary};
pub(crate) use seed::seed_dataset;

/// Returns all routes of the API; those under `/v1/projects/{project_id}` are the same, by another key.
pub(crate) fn routes() -> Router<Server> {
    tracing_routes()
        .merge(dataset_routes())
        .merge(run_routes())
        .merge(metric_routes())
        .merge(plain_routes())
        .route("/v1/ingestion_api_keys", post(keys::create_ingestion))
        .route("/v1/fine_grained_api_keys", post(keys::create_data_plane))
}

/// Returns the routes that tracing writes to, and those that find what was written.
fn tracing_routes() -> Router<Server> {
    Router::new()
        .route(
            "/healthz",
            get(async || Reply::json(&json!({ "status": "ok" }))),
        )
        .route("/projects", get(projects))
        .route("/v1/sessions", post(sessions::start))
        .route("/session/start", post(sessions::start_legacy))
        .route(
            "/v1/sessions/{id}/events/batch",
            post(events::create_in_session),
        )
        .route(
            "/session/{id}/traces",
            post(events::create_in_session_legacy),
        )
        .route("/v1/events", post(events::create))
        .route("/v1/events/batch", post(events::create_batch))
        .route("/v1/events/search", post(events::search))
        .route("/v1/events/export", post(events::export))
        .route("/v1/events/schema", get(schema::of_all))
        .route("/v1/events/{id}", get(events::get).put(events::update))
        .route(
            "/events",
            post(events::create_legacy).put(events::update_legacy),
        )
        .route("/events/batch", post(events::create_batch_legacy))
        .route("/events/export", post(events::export))
        .route("/events/model", post(events::create_model))
        .route("/events/model/batch", post(events::create_model_batch))
        .route("/v1/traces", post(otlp::traces))
        .route("/opentelemetry/v1/traces", post(otlp::traces))
        .route("/opentelemetry/v1/metrics", post(otlp::metrics))
        .route("/opentelemetry/v1/logs", post(otlp::logs))
        .route("/v1/logs", post(otlp::logs))
}

fn dataset_routes() -> Router<Server> {
    let datasets = get(datasets::list)
        .post(datasets::create)
        .put(datasets::update_legacy)
        .delete(datasets::delete_legacy);
    let datapoint = get(datapoints::get)
        .put(datapoints::update)
        .delete(datapoints::delete);
    Router::new()
        .route("/v1/datasets", datasets)
        .route(
            "/v1/datasets/{id}",
            put(datasets::update).delete(datasets::delete),
        )
        .route(
            "/v1/datasets/{id}/datapoints",
            post(datasets::add_datapoints),
        )
        .route(
            "/v1/datasets/{id}/{datapoint}",
            delete(datasets::remove_datapoint),
        )
        .route(
            "/v1/datasets/{id}/datapoints/{datapoint}",
            delete(datasets::remove_datapoint),
        )
        .route(
            "/v1/datapoints",
            get(datapoints::list).post(datapoints::create),
        )
        .route("/v1/datapoints/batch", post(datapoints::create_batch))
        .route("/v1/datapoints/{id}", datapoint)
}

fn run_routes() -> Router<Server> {
    Router::new()
        .route("/v1/runs", get(runs::list).post(runs::create))
        .route("/v1/runs/schema", get(schema::of_all))
        .route(
            "/v1/runs/compare/events",
            get(comparisons::compare_events_legacy),
        )
        .route(
            "/v1/runs/{id}",
            get(runs::get).put(runs::update).delete(runs::delete),
        )
        .route("/v1/runs/{id}/schema", get(schema::of_run))
        .route("/v1/runs/{id}/metrics", get(runs::metrics))
        .route("/v1/runs/{id}/summary", get(runs::summary))
        .route("/v1/runs/{id}/result", get(runs::summary))
        .route("/v1/runs/{id}/compare/{old}", get(comparisons::compare))
        .route(
            "/v1/runs/{id}/compare-with/{old}",
            get(comparisons::compare_legacy),
        )
        .route(
            "/v1/runs/{id}/compare/{old}/events",
            get(comparisons::compare_events),
        )
}

fn metric_routes() -> Router<Server> {
    let metrics = get(metrics::list)
        .post(otlp::metrics_or_metric)
        .put(metrics::update_legacy)
        .delete(metrics::delete_legacy);
    let versions = get(metrics::versions).post(metrics::create_version);
    Router::new()
        .route("/v1/metrics", metrics)
        .route("/v1/metrics/run", post(metrics::run))
        .route("/v1/metrics/run_metric", post(metrics::run))
        .route(
            "/v1/metrics/{id}",
            put(metrics::update).delete(metrics::delete),
        )
        .route("/v1/metrics/{id}/versions", versions)
        .route(
            "/v1/metrics/{id}/versions/{name}/deploy",
            post(metrics::deploy),
        )
}

fn plain_routes() -> Router<Server> {
    let configurations = get(plain::configurations).post(plain::create_configuration);
    let configuration = put(plain::update_configuration).delete(plain::delete_configuration);
    let queue = get(plain::queue)
        .put(plain::update_queue)
        .delete(plain::delete_queue);
    let chart = get(plain::chart)
        .put(plain::update_chart)
        .delete(plain::delete_chart);
    Router::new()
        .route("/v1/configurations", configurations)
        .route("/v1/configurations/{id}", configuration)
        .route("/v1/queues", get(plain::queues).post(plain::create_queue))
        .route("/v1/queues/{id}", queue)
        .route("/v1/charts", get(plain::charts).post(plain::create_chart))
        .route("/v1/charts/{id}", chart)
}

async fn projects() -> Reply {
    Reply::json(&json!([{ "id": "proj_local", "name": "local" }]))
}
