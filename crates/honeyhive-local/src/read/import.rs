//! `POST /api/import` takes what `/api/sessions/{id}` has shown, here or elsewhere.

use axum::body::Body;
use axum::extract::State;
use http::Request;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::json;
use crate::model::{LocalEvent, LocalSession, canonical_id, named_id};
use crate::reply::{Answer, Reply};
use crate::shared::Server;
use crate::work::by_size;

/// An event has its attributes as they came, beside what they mean, and as JSON: texts without control characters are this many
/// times as long as in the longest request, at the most.
pub(crate) const TIMES_AS_LONG: usize = 4;

/// An `Import` is a session, some of its events, or both.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Import {
    session: Option<LocalSession>,
    events: Vec<LocalEvent>,
}

/// Keeps a session and events as they are shown, each in the place of the one that has its id.
pub(super) async fn import(State(shared): State<Server>, request: Request<Body>) -> Answer {
    // The entrance has read the body, so that nothing fails here.
    let body = request.into_body().collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let read = by_size(body.len(), move || read(&body)).await?;
    let Import { session, events } = read.map_err(|why| Reply::bad_request(&why))?;
    shared
        .write(move |writing| {
            if let Some(session) = session {
                writing.restore_session(session)?;
            }
            let mut events = events.into_iter();
            events.try_for_each(|event| writing.restore_event(event.with_kept_ids()))
        })
        .await?;
    Ok(Reply::json(&json!({ "success": true })))
}

fn read(body: &[u8]) -> Result<Import, String> {
    let body: Value = json::parse_longer(body, TIMES_AS_LONG)?;
    if !["session", "events"]
        .iter()
        .any(|part| body.get(part).is_some())
    {
        return Err("there is neither a session nor events".to_owned());
    }
    let mut import: Import = serde_json::from_value(body).map_err(|error| error.to_string())?;
    if let Some(session) = &mut import.session {
        session.session_id = canonical_id(&session.session_id);
        without_shown_error(session);
    }
    let sessions = import.session.iter().map(|session| &session.session_id);
    let events = import.events.iter();
    let of_events = events.flat_map(|event| [&event.event_id, &event.session_id]);
    if sessions.chain(of_events).any(|id| named_id(id).is_none()) {
        return Err("a session or an event has no id, or one that names nothing".to_owned());
    }
    Ok(import)
}

/// Removes the error that a session is shown with and does not have: the metadata tells it.
fn without_shown_error(session: &mut LocalSession) {
    let told = session.metadata.get("error").and_then(Value::as_str);
    if told.is_some() && told == session.error.as_deref() {
        session.error = None;
    }
}
