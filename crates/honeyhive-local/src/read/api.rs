//! `/api` shows what the server holds, as JSON.

use std::collections::HashMap;
use std::time::UNIX_EPOCH;

use axum::extract::{Path, RawQuery, State};
use http::header::HeaderValue;
use serde::Serialize;
use serde_json::{Value, json};

use super::markdown;

use crate::model::{LocalEvent, LocalSession, RecordedRequest, SessionFacts};
use crate::reply::{Answer, JSON, Reply};
use crate::shared::Server;
use crate::store::{SessionFilter, SessionRow, Tree, TreeRow};

const MARKDOWN: HeaderValue = HeaderValue::from_static("text/markdown; charset=utf-8");

/// A page of the requests has at most this many.
const PAGE: usize = 200;

/// Answers `GET /api/sessions?…`: a page of the list, newest first; the filters are those of the sessions page.
pub(super) async fn sessions(State(shared): State<Server>, RawQuery(query): RawQuery) -> Answer {
    let filter = SessionFilter::from_query(&query.unwrap_or_default());
    let listed = shared.read(move |reading| reading.list(&filter)).await?;
    let listed = json!({
        "sessions": shown(&listed.rows), "total": listed.total, "next": listed.next, "partial": listed.partial,
    });
    Ok(reply(&shared, &listed))
}

/// A `Whole` is a session with its events, written without a copy of them: there may be tens of thousands.
#[derive(Serialize)]
struct Whole<'w> {
    session: Value,
    events: &'w [LocalEvent],
    tree: String,
}

/// Answers `GET /api/sessions/{id}`: the session, its events and its tree as text.
pub(super) async fn session(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let found = shared.read(move |reading| {
        let (session, tree) = (reading.session(&id)?, reading.tree(&id)?);
        Ok((session, tree, reading.events(&id)?))
    });
    let (Some(session), Some(tree), events) = found.await? else {
        return Err(Reply::not_found());
    };
    let whole = Whole {
        session: shown_session(&session),
        events: &events,
        tree: tree.text(),
    };
    Ok(reply(&shared, &whole))
}

/// Answers `GET /api/sessions/{id}/tree`: the session and its events in short, depth first, as the page shows them.
pub(super) async fn tree(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let found = shared.read(move |reading| {
        let (session, tree) = (reading.session(&id)?, reading.tree(&id)?);
        Ok(session.zip(tree))
    });
    let (session, tree) = found.await?.ok_or_else(Reply::not_found)?;
    Ok(reply(&shared, &told(&session, &tree)))
}

/// A `Told` is a session and its tree, as the module of the session's page takes them.
#[derive(Serialize)]
pub(super) struct Told<'t> {
    session: Value,
    row: &'t SessionRow,
    rows: &'t [TreeRow],
}

pub(super) fn told<'t>(session: &LocalSession, tree: &'t Tree) -> Told<'t> {
    Told {
        session: shown_session(session),
        row: &tree.session,
        rows: &tree.rows,
    }
}

/// Returns a session with its error as the list has it: its own, else the one that its metadata tells.
fn shown_session(session: &LocalSession) -> Value {
    let mut whole = shown(session);
    whole["error"] = SessionFacts::of(session).error.into();
    whole
}

/// Answers `GET /api/sessions/{id}/search?q=`: the ids of the events of a session that hold all words.
pub(super) async fn search(
    State(shared): State<Server>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let words = text(&query.unwrap_or_default(), "q").unwrap_or_default();
    let found = shared
        .read(move |reading| reading.found_in(&id, &words))
        .await?;
    Ok(reply(&shared, &json!({ "event_ids": found })))
}

/// Answers `GET /api/sessions/{id}/markdown`: the session for people and for language models.
pub(super) async fn markdown(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let found = shared.read(move |reading| {
        let Some((session, tree)) = reading.session(&id)?.zip(reading.tree(&id)?) else {
            return Ok(None);
        };
        let events = reading.events(&session.session_id)?.into_iter();
        let mut events: HashMap<_, _> = events
            .map(|event| (event.event_id.clone(), event))
            .collect();
        let rows = tree.rows.iter();
        let events: Vec<_> = rows
            .filter_map(|row| Some((row.depth, events.remove(&row.event.event_id)?)))
            .collect();
        Ok(Some(markdown::session(&session, &tree.session, &events)))
    });
    let text = found.await?.ok_or_else(Reply::not_found)?;
    let text = shared.config.keys.removed_from(text);
    Ok(Reply::new(http::StatusCode::OK, MARKDOWN, text))
}

/// Answers `GET /api/events/{id}`: one event.
pub(super) async fn event(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let event = shared.read(move |reading| reading.event(&id)).await?;
    let event = event.ok_or_else(Reply::not_found)?;
    Ok(reply(&shared, &json!({ "event": shown(&event) })))
}

/// Answers `GET /api/requests?before=`: the newest requests, oldest first.
pub(super) async fn requests(State(shared): State<Server>, RawQuery(query): RawQuery) -> Answer {
    let before = number(&query.unwrap_or_default(), "before");
    let before = before.and_then(|before| u64::try_from(before).ok());
    let newest = shared.requests().newest(before, PAGE);
    let requests: Vec<Value> = newest.iter().rev().map(request).collect();
    Ok(reply(&shared, &json!({ "requests": requests })))
}

/// Answers `GET /api/orphans?before=`: events without a session, each with the reason.
pub(super) async fn orphans(State(shared): State<Server>, RawQuery(query): RawQuery) -> Answer {
    let before = number(&query.unwrap_or_default(), "before");
    let listed = shared.read(move |reading| reading.orphans(before)).await?;
    let rows = listed.rows.iter().map(|orphan| {
        let mut row = shown(orphan);
        row["advice"] = orphan.reason.advice().into();
        row
    });
    let rows: Vec<Value> = rows.collect();
    let listed = json!({ "orphans": rows, "total": listed.total, "next": listed.next });
    Ok(reply(&shared, &listed))
}

/// Answers `GET /api/stats`: how much there is of everything.
pub(super) async fn stats(State(shared): State<Server>) -> Reply {
    reply(&shared, &shown(&shared.stats()))
}

/// Answers `GET /api/changes?since=`: what has changed after a number.
pub(super) async fn changes(State(shared): State<Server>, RawQuery(query): RawQuery) -> Reply {
    let since = number(&query.unwrap_or_default(), "since").unwrap_or(0);
    let since = u64::try_from(since).unwrap_or(0);
    reply(&shared, &shown(&shared.feed.since(since)))
}

/// Answers `DELETE /api`: forgets everything.
pub(super) async fn clear(State(shared): State<Server>) -> Answer {
    shared.write(|writing| writing.clear()).await?;
    shared.clear_log();
    Ok(reply(&shared, &json!({ "cleared": true })))
}

fn request(request: &RecordedRequest) -> Value {
    let received = request.received_at.duration_since(UNIX_EPOCH);
    json!({
        "sequence": request.sequence,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        "authorized": request.authorized,
        "body_bytes": request.body.len(),
        "json": crate::json::parse(&request.body).ok(),
        "status": request.status,
        "received_at": received.unwrap_or_default().as_millis() as u64,
    })
}

pub(super) fn number(query: &str, key: &str) -> Option<i64> {
    text(query, key)?.parse().ok()
}

pub(super) fn text(query: &str, key: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(name, _)| name == key)?;
    Some(value.into_owned())
}

/// Serialises a value of the store, which cannot fail.
pub(super) fn shown(held: &impl Serialize) -> Value {
    serde_json::to_value(held).unwrap_or_default()
}

/// Returns the answer without any key that a client may have sent in a body.
fn reply(shared: &Server, value: &impl Serialize) -> Reply {
    let text = serde_json::to_string(value).unwrap_or_default();
    let text = shared.config.keys.removed_from(text);
    Reply::new(http::StatusCode::OK, JSON, text)
}
