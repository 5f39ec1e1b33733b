//! The function makes these calls.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;

use super::{Call, FUNCTION_NAME, Outcome, Queued, Shared};

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route(
            "/2018-06-01/runtime/invocation/{request_id}/response",
            post(response),
        )
        .route(
            "/2018-06-01/runtime/invocation/{request_id}/error",
            post(error),
        )
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

/// Answers once there is an event: the call is a long poll.
async fn next(State(shared): State<Arc<Shared>>) -> Response {
    (shared.observe)(&Call::Next);
    shared.asked.send_modify(|asked| *asked += 1);
    let queued = shared.queue.lock().await.recv().await;
    match queued {
        Some(queued) => invocation(queued),
        // The queue is closed, so no event will come.
        None => std::future::pending().await,
    }
}

fn invocation(queued: Queued) -> Response {
    let deadline = SystemTime::now() + queued.timeout;
    let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", queued.request_id),
        (
            "lambda-runtime-deadline-ms",
            deadline.as_millis().to_string(),
        ),
        (
            "lambda-runtime-invoked-function-arn",
            format!("arn:aws:lambda:us-east-1:123456789012:function:{FUNCTION_NAME}"),
        ),
    ];
    (headers, queued.event).into_response()
}

async fn response(
    State(shared): State<Arc<Shared>>,
    Path(request_id): Path<String>,
    body: Bytes,
) -> StatusCode {
    (shared.observe)(&Call::Response(request_id.clone()));
    shared.settle(&request_id, Outcome::Response(json(&body)))
}

async fn error(
    State(shared): State<Arc<Shared>>,
    Path(request_id): Path<String>,
    body: Bytes,
) -> StatusCode {
    (shared.observe)(&Call::Error(request_id.clone()));
    shared.settle(&request_id, Outcome::Error(json(&body)))
}

/// Answers the report of a failed start; the function ends by itself after it.
async fn init_error(State(shared): State<Arc<Shared>>) -> StatusCode {
    (shared.observe)(&Call::InitError);
    StatusCode::ACCEPTED
}

impl Shared {
    fn settle(&self, request_id: &str, outcome: Outcome) -> StatusCode {
        match self.waiting().remove(request_id) {
            Some(waiting) => {
                // The caller may have gone.
                let _ = waiting.send(outcome);
                StatusCode::ACCEPTED
            }
            None => StatusCode::BAD_REQUEST,
        }
    }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
