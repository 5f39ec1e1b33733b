//! `/api`: what the server holds, as JSON.

use std::time::UNIX_EPOCH;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::without_key;
use crate::model::RecordedRequest;
use crate::reply::{JSON, Reply};
use crate::shared::Shared;
use crate::store;

pub(super) fn sessions(shared: &Shared) -> Reply {
    let sessions = shared.read(|store| store.sessions());
    reply(shared, &json!({ "sessions": shown(&sessions) }))
}

pub(super) fn session(shared: &Shared, id: &str) -> Reply {
    let held = shared.read(|store| store.session(id).map(|session| (session, store.events(id))));
    let Some((session, events)) = held else {
        return Reply::not_found();
    };
    let name = session.name.as_ref().unwrap_or(&session.session_id);
    let tree = store::tree_text(name, &events);
    let (session, events) = (shown(&session), shown(&events));
    reply(
        shared,
        &json!({ "session": session, "events": events, "tree": tree }),
    )
}

pub(super) fn requests(shared: &Shared) -> Reply {
    let requests = shared.read(|store| store.requests.snapshot());
    let requests: Vec<Value> = requests.iter().map(request).collect();
    reply(shared, &json!({ "requests": requests }))
}

pub(super) fn orphans(shared: &Shared) -> Reply {
    let orphans = shared.read(|store| store.orphans());
    reply(shared, &json!({ "orphans": shown(&orphans) }))
}

pub(super) fn clear(shared: &Shared) -> Reply {
    shared.change(|store| store.clear());
    reply(shared, &json!({ "cleared": true }))
}

fn request(request: &RecordedRequest) -> Value {
    let since = request
        .received_at
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    json!({
        "sequence": request.sequence,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        "authorized": request.authorized,
        "body_bytes": request.body.len(),
        "json": request.json,
        "status": request.status,
        "received_at": since.as_millis() as u64,
    })
}

/// Nothing that is held can fail to become JSON.
fn shown(held: &impl Serialize) -> Value {
    serde_json::to_value(held).unwrap_or_default()
}

fn reply(shared: &Shared, value: &Value) -> Reply {
    let text = without_key(&shared.config, value.to_string());
    Reply::new(StatusCode::OK, JSON, text)
}
