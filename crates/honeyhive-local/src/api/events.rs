//! Events.

use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::{Value, json};

use super::Server;
use super::sent::Sent;
use crate::reply::{Answer, Reply};
use crate::rest::Update;

/// `PUT /v1/events/{id}`.
pub(super) async fn update(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    apply(&shared, id, &body).await
}

/// `PUT /events`: the id is in the body.
pub(super) async fn update_legacy(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let id = body.get("event_id").and_then(Value::as_str);
    let id = id.ok_or_else(|| Reply::bad_request("`event_id` must be a string"))?;
    apply(&shared, id.to_owned(), &body).await
}

async fn apply(shared: &Server, id: String, body: &Value) -> Answer {
    let update = Update::parse(body)?;
    let policy = shared.config.unknown_updates;
    let taken = shared
        .write(move |writing| writing.update(&id, update, policy))
        .await?;
    if taken {
        return Ok(Reply::json(&json!({ "success": true })));
    }
    let message = "there is no session or event of this id";
    Err(Reply::refusal(StatusCode::NOT_FOUND, message))
}
