//! Events are posted, read, found and updated.

use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::{Value, json};

use super::sent::Sent;
use crate::model::{Arrival, LocalSession, parse_uuid};
use crate::reply::{Answer, Reply};
use crate::rest::{
    self, Invalid, PostOptions, Posted, Search, Update, event_answer, parse_event, session_answer,
};
use crate::shared::Server;
use crate::store::{Failed, Found, Writing};

/// Answers `POST /v1/events`: an event alone, strict.
pub(super) async fn create(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let options = PostOptions {
        strict: true,
        ..PostOptions::default()
    };
    create_one(&shared, &body, &options).await
}

/// Answers `POST /events`: an event wrapped; other fields are taken as they come.
pub(super) async fn create_legacy(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let event = body.get("event").ok_or_else(|| missing("event"))?;
    create_one(&shared, event, &PostOptions::default()).await
}

/// Answers `POST /events/model`: a model event wrapped, with names of its own.
pub(super) async fn create_model(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let event = body
        .get("model_event")
        .ok_or_else(|| missing("model_event"))?;
    let options = PostOptions {
        model: true,
        ..PostOptions::default()
    };
    create_one(&shared, event, &options).await
}

async fn create_one(shared: &Server, event: &Value, options: &PostOptions) -> Answer {
    let ids = keep(shared, vec![parse_event(event, options)?], None).await?;
    Ok(Reply::json(
        &json!({ "success": true, "event_id": ids.first() }),
    ))
}

/// Answers `POST /v1/events/batch`.
pub(super) async fn create_batch(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    rest::check_batch(&body)?;
    let options = PostOptions {
        strict: true,
        ..PostOptions::default()
    };
    batch(&shared, &body, "events", options).await
}

/// Answers `POST /events/batch`.
pub(super) async fn create_batch_legacy(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    batch(&shared, &body, "events", PostOptions::default()).await
}

/// Answers `POST /events/model/batch`.
pub(super) async fn create_model_batch(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    let options = PostOptions {
        model: true,
        ..PostOptions::default()
    };
    batch(&shared, &body, "model_events", options).await
}

/// Keeps the events under `name`.
async fn batch(shared: &Server, body: &Value, name: &str, mut options: PostOptions) -> Answer {
    let events = body.get(name).and_then(Value::as_array);
    let events = events.ok_or_else(|| missing(name))?;
    let session = rest::single_session(body)?;
    options.session_id = session.as_ref().map(|session| session.session_id.clone());
    let events = events.iter().map(|event| parse_event(event, &options));
    let events = events.collect::<Result<Vec<_>, Invalid>>()?;
    let session_id = only_session(&events);
    let ids = keep(shared, events, session).await?;
    let mut answer = json!({ "success": true, "event_ids": ids });
    if let Some(session_id) = session_id.or(options.session_id) {
        answer["session_id"] = session_id.into();
    }
    Ok(Reply::json(&answer))
}

/// Returns the session of a batch, where all its events have the same.
fn only_session(events: &[Posted]) -> Option<String> {
    let mut ids = events.iter().map(|posted| match posted {
        Posted::Event(event) => &event.session_id,
        Posted::Session(session) => &session.session_id,
    });
    let first = ids.next()?;
    ids.all(|id| id == first).then(|| first.clone())
}

/// Answers `POST /v1/sessions/{id}/events/batch`: the session of the path, whatever the events say.
pub(super) async fn create_in_session(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    rest::check_session_batch(&body)?;
    let events = body.get("events").and_then(Value::as_array);
    in_session(&shared, &id, events.ok_or_else(|| missing("events"))?, true).await
}

/// Answers `POST /session/{id}/traces`: `events` or `logs`, and not both.
pub(super) async fn create_in_session_legacy(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    let sent = |name: &str| body.get(name).filter(|value| !value.is_null());
    let events = match (sent("events"), sent("logs")) {
        (Some(events), None) | (None, Some(events)) => events.as_array(),
        _ => {
            return Err(Reply::bad_request(
                "exactly one of `events` and `logs` must be there",
            ));
        }
    };
    in_session(
        &shared,
        &id,
        events.ok_or_else(|| missing("events"))?,
        false,
    )
    .await
}

async fn in_session(shared: &Server, id: &str, events: &[Value], strict: bool) -> Answer {
    let id = parse_uuid(id).ok_or_else(|| Reply::bad_request("the session's id must be a UUID"))?;
    let options = PostOptions {
        strict,
        session_id: Some(id),
        model: false,
    };
    let events = events.iter().map(|event| parse_event(event, &options));
    let events = events.collect::<Result<Vec<_>, Invalid>>()?;
    keep(shared, events, None).await?;
    Ok(Reply::json(&json!({ "success": true })))
}

/// Keeps events, all or none of them, in a session of their own where they have one.
async fn keep(
    shared: &Server,
    events: Vec<Posted>,
    session: Option<LocalSession>,
) -> Result<Vec<String>, Reply> {
    shared
        .write(move |writing| {
            if let Some(session) = session {
                writing.post(session)?;
            }
            let kept = events.into_iter().map(|event| keep_one(writing, event));
            kept.collect::<Result<Vec<_>, Failed>>()
        })
        .await
}

fn keep_one(writing: &mut Writing<'_>, event: Posted) -> Result<String, Failed> {
    match event {
        Posted::Session(session) => Ok(writing.post(*session)?.session_id),
        Posted::Event(event) => {
            let id = event.event_id.clone();
            writing.arrive(Arrival {
                event: *event,
                auto_create: None,
            })?;
            Ok(id)
        }
    }
}

/// Answers `GET /v1/events/{id}`: a session is an event, too.
pub(super) async fn get(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let id = parse_uuid(&id).ok_or_else(|| Reply::bad_request("the event's id must be a UUID"))?;
    let found = shared.read(move |reading| {
        let event = reading.event(&id)?.map(|event| event_answer(&event));
        let session = || reading.session(&id);
        Ok(match event {
            Some(event) => Some(event),
            None => session()?.map(|session| session_answer(&session)),
        })
    });
    let event = found.await?.ok_or_else(unknown)?;
    Ok(Reply::json(&json!({ "event": event })))
}

/// Answers `POST /v1/events/search`.
pub(super) async fn search(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    find(&shared, Search::parse(&body)?).await
}

/// Answers `POST /v1/events/export`.
pub(super) async fn export(State(shared): State<Server>, Sent(body): Sent) -> Answer {
    find(&shared, Search::parse_export(&body)?).await
}

async fn find(shared: &Server, search: Search) -> Answer {
    let answer = shared.read(move |reading| {
        let (found, total) = reading.search(&search)?;
        let events = found.iter().map(|found| match found {
            Found::Session(session) => session_answer(session),
            Found::Event(event) => event_answer(event),
        });
        let events: Vec<Value> = events
            .map(|event| projected(event, &search.projections))
            .collect();
        // The meaning of `count` is not documented, and the official SDK's model of an export has both names.
        Ok(json!({ "events": events, "count": total, "totalEvents": total }))
    });
    Ok(Reply::json(&answer.await?))
}

/// Returns the fields that were asked for; all fields where none was.
fn projected(event: Value, fields: &[String]) -> Value {
    if fields.is_empty() {
        return event;
    }
    let picked = fields
        .iter()
        .map(|field| (field.clone(), event[field.as_str()].clone()));
    Value::Object(picked.collect())
}

/// Answers `PUT /v1/events/{id}`.
pub(super) async fn update(
    State(shared): State<Server>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    apply(&shared, id, &body).await
}

/// Answers `PUT /events`: the id is in the body.
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
    Err(unknown())
}

fn unknown() -> Reply {
    let message = "there is no session or event of this id";
    Reply::refusal(StatusCode::NOT_FOUND, message)
}

fn missing(name: &str) -> Reply {
    Reply::bad_request(&format!("`{name}` is missing"))
}
