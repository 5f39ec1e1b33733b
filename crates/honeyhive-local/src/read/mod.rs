//! The read side shows what the server holds, as JSON and as pages.

mod api;
mod assets;
mod filters;
mod format;
mod frame;
mod import;
mod live;
mod markdown;
mod outcome;
mod pages;
mod value;
mod welcome;

use axum::Router;
use axum::response::Response;
use axum::routing::{delete, get, post};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};
use http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

use crate::shared::Server;

/// The policy allows scripts and styles of this server alone, no frames, no forms to elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

pub(crate) use import::TIMES_AS_LONG;

/// Returns the routes of the pages and of `/api`.
pub(crate) fn routes() -> Router<Server> {
    Router::new()
        .route("/", get(pages::sessions::page))
        .route("/sessions", get(pages::sessions::rows))
        .route("/sessions/{id}", get(pages::session::page))
        .route("/orphans", get(pages::orphans::page))
        .route("/requests", get(pages::requests::page))
        .route("/requests/{sequence}", get(pages::requests::request))
        .route("/datasets", get(pages::datasets::page))
        .route("/datasets/{id}", get(pages::datasets::dataset))
        .route("/experiments", get(pages::experiments::page))
        .route("/experiments/{id}", get(pages::experiments::run))
        .route(
            "/experiments/{new}/compare/{old}",
            get(pages::comparison::page),
        )
        .route("/assets/style.css", get(assets::style))
        .route("/assets/app.js", get(assets::script))
        .route("/favicon.ico", get(assets::icon))
        .route("/api", delete(api::clear))
        .route("/api/import", post(import::import))
        .route("/api/sessions", get(api::sessions))
        .route("/api/sessions/{id}", get(api::session))
        .route("/api/sessions/{id}/tree", get(api::tree))
        .route("/api/sessions/{id}/search", get(api::search))
        .route("/api/sessions/{id}/markdown", get(api::markdown))
        .route("/api/stream", get(live::stream))
        .route("/api/events/{id}", get(api::event))
        .route("/api/requests", get(api::requests))
        .route("/api/orphans", get(api::orphans))
        .route("/api/stats", get(api::stats))
        .route("/api/changes", get(api::changes))
}

/// Returns an answer of the read side, with headers that keep a browser from misusing it.
pub(crate) fn shielded(mut response: Response) -> Response {
    response.headers_mut().extend(HEADERS);
    response
}
