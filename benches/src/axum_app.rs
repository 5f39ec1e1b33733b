//! The same axum router runs bare and under each layer.

use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use axum::response::IntoResponse;
use axum::{Router, routing::post};
use honeyhive::{HoneyHiveTracer, SessionBudget};
use honeyhive_tower::HoneyHiveLayer;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower::layer::util::Identity;

use crate::{BODY, REPLY, Work, filtered, tracer, tracer_with, with_span};

/// The variants have these names.
pub(crate) const VARIANTS: [&str; 7] = [
    "axum_bare",
    "axum_noop_layer",
    "axum_honeyhive",
    "axum_honeyhive_span",
    "axum_honeyhive_budget",
    "axum_honeyhive_filtered",
    "axum_honeyhive_disabled",
];

async fn chat(body: Bytes) -> impl IntoResponse {
    assert!(!body.is_empty(), "the request has a body");
    ([(header::CONTENT_TYPE, "application/json")], REPLY)
}

/// Returns the router that every variant puts its layers around.
pub fn app() -> Router {
    Router::new().route("/api/chat", post(chat))
}

/// Returns the work of a variant; `None` where none has this name.
pub(crate) fn find(variant: &str) -> Option<Work> {
    Some(work(match variant {
        "axum_bare" => app(),
        "axum_noop_layer" => app().layer(Identity::new()),
        "axum_honeyhive" => app().layer(HoneyHiveLayer::new(tracer())),
        "axum_honeyhive_span" => app().layer(HoneyHiveLayer::from(with_span())),
        "axum_honeyhive_budget" => app().layer(HoneyHiveLayer::new(budgeted())),
        "axum_honeyhive_filtered" => app().layer(HoneyHiveLayer::from(filtered())),
        "axum_honeyhive_disabled" => app().layer(HoneyHiveLayer::new(HoneyHiveTracer::disabled())),
        _ => return None,
    }))
}

/// Returns a tracer that counts what each session uses.
fn budgeted() -> HoneyHiveTracer {
    tracer_with(|builder| builder.session_budget(SessionBudget::new()))
}

/// Sends requests to a router.
#[expect(
    clippy::expect_used,
    reason = "a measurement that cannot begin should say so"
)]
pub fn work(app: Router) -> Work {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    Box::new(move |requests| runtime.block_on(drive(&app, requests)))
}

/// Sends requests and reads their answers to the end.
#[expect(clippy::expect_used, reason = "nothing in here can fail")]
async fn drive(app: &Router, requests: u32) {
    for _ in 0..requests {
        let response = app
            .clone()
            .oneshot(request())
            .await
            .expect("a router is infallible");
        response
            .into_body()
            .collect()
            .await
            .expect("the body is whole");
    }
}

#[expect(clippy::expect_used, reason = "nothing in here can fail")]
fn request() -> Request<Body> {
    Request::post("/api/chat")
        .header("host", "localhost:3000")
        .header("user-agent", "bench/1.0")
        .header("accept", "*/*")
        .header("content-type", "application/json")
        .header("content-length", "26")
        .header("accept-encoding", "gzip")
        .body(Body::from(BODY))
        .expect("a valid request")
}
