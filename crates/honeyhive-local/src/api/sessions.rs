//! Sessions start here.

use axum::extract::State;
use serde_json::Value;

use super::sent::Sent;
use crate::reply::{Answer, Reply};
use crate::rest;
use crate::shared::Server;

/// Answers `POST /v1/sessions`: the session alone, and no other fields than the thirteen.
pub(super) async fn start(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    rest::check_session_fields(&body)?;
    keep(&shared, &body).await
}

/// Answers `POST /session/start`: the session wrapped; other fields are taken as they come.
pub(super) async fn start_legacy(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let session = body.get("session");
    keep(&shared, session.ok_or_else(missing)?).await
}

async fn keep(shared: &Server, body: &Value) -> Answer {
    let session = rest::parse_session(body)?;
    let session = shared.write(|writing| writing.post(session)).await?;
    Ok(Reply::json(&rest::session_answer(&session)))
}

fn missing() -> Reply {
    Reply::bad_request("`session` must be an object")
}
