//! The pages: the sessions, and one session as a tree.

use std::collections::HashMap;

use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use http::header::HeaderValue;

use super::html::Escaped;
use crate::api::Server;
use crate::model::{LocalEvent, LocalSession, LocalStats, Object};
use crate::reply::{Answer, Reply};
use crate::store::{SessionFilter, SessionRow};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");

/// The list shows itself anew; a tree does not, because somebody is reading in it.
const REFRESH: &str = "<meta http-equiv=\"refresh\" content=\"5\">";

/// The style sheet has classes for indentation up to here.
const DEEPEST_STYLE: usize = 12;

pub(super) async fn style() -> Reply {
    Reply::new(StatusCode::OK, CSS, include_str!("style.css"))
}

/// The newest sessions first.
pub(super) async fn sessions(State(shared): State<Server>, RawQuery(query): RawQuery) -> Answer {
    let filter = SessionFilter::from_query(&query.unwrap_or_default());
    let listed = shared.read(move |reading| reading.list(&filter)).await?;
    let rows: String = listed.rows.iter().map(row).collect();
    let body = format!(
        "<h1>Sessions</h1>{}<table><thead><tr><th>Name</th><th>Id</th><th>Status</th>\
         <th>Duration</th><th>Events</th></tr></thead><tbody>{rows}</tbody></table>",
        summary(shared.stats())
    );
    Ok(page(&shared, "Sessions", REFRESH, &body))
}

/// One session: its own inputs and outputs, then its events.
pub(super) async fn session(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let found = shared.read(move |reading| {
        let (session, tree) = (reading.session(&id)?, reading.tree(&id)?);
        Ok((session, tree, reading.events(&id)?))
    });
    let (Some(session), Some(tree), events) = found.await? else {
        return Err(Reply::not_found());
    };
    let name = name_of(&session);
    let by_id: HashMap<&str, &LocalEvent> = events
        .iter()
        .map(|event| (event.event_id.as_str(), event))
        .collect();
    let nodes = tree.rows.iter().filter_map(|row| {
        let event = by_id.get(row.event.event_id.as_str())?;
        Some(node(row.depth, event))
    });
    let nodes: String = nodes.collect();
    let body = format!(
        "<p><a href=\"/\">Sessions</a></p><h1>{}</h1><p><code>{}</code> {}</p>{}{nodes}",
        Escaped(name),
        Escaped(&session.session_id),
        duration(session.duration),
        session_details(&session),
    );
    Ok(page(&shared, name, "", &body))
}

fn summary(stats: LocalStats) -> String {
    let LocalStats {
        sessions,
        events,
        orphans,
        requests,
        ..
    } = stats;
    format!("<p>{sessions} sessions, {events} events, {orphans} orphans, {requests} requests</p>")
}

fn row(session: &SessionRow) -> String {
    let status = session.status.map(|status| status.to_string());
    format!(
        "<tr><td><a href=\"/sessions/{}\">{}</a></td><td><code>{}</code></td><td>{}</td>\
         <td>{}</td><td>{}</td></tr>",
        encode(&session.session_id),
        Escaped(session.name.as_deref().unwrap_or(&session.session_id)),
        Escaped(&session.session_id),
        Escaped(&status.unwrap_or_default()),
        duration(session.duration),
        session.events,
    )
}

fn session_details(session: &LocalSession) -> String {
    let details = [
        error(session.error.as_deref()),
        object("inputs", &session.inputs),
        object("outputs", &session.outputs),
        object("metadata", &session.metadata),
        object("metrics", &session.metrics),
        object("feedback", &session.feedback),
        object("config", &session.config),
        object("user_properties", &session.user_properties),
    ];
    details.concat()
}

fn node(depth: usize, event: &LocalEvent) -> String {
    format!(
        "<details class=\"d{}\" open><summary>{} <b>[{}]</b> {}</summary>{}</details>",
        depth.min(DEEPEST_STYLE),
        Escaped(&event.event_name),
        Escaped(&event.event_type),
        duration(Some(event.duration)),
        event_details(event),
    )
}

fn event_details(event: &LocalEvent) -> String {
    let details = [
        error(event.error.as_deref()),
        object("inputs", &event.inputs),
        object("outputs", &event.outputs),
        object("metadata", &event.metadata),
        object("metrics", &event.metrics),
        object("config", &event.config),
    ];
    details.concat()
}

fn error(error: Option<&str>) -> String {
    let shown = |error| format!("<p class=\"error\">{}</p>", Escaped(error));
    error.map(shown).unwrap_or_default()
}

fn object(name: &str, object: &Object) -> String {
    if object.is_empty() {
        return String::new();
    }
    let text = serde_json::to_string_pretty(object).unwrap_or_default();
    format!("<h2>{name}</h2><pre>{}</pre>", Escaped(&text))
}

fn duration(milliseconds: Option<f64>) -> String {
    milliseconds
        .map(|ms| format!("{ms:.1} ms"))
        .unwrap_or_default()
}

fn name_of(session: &LocalSession) -> &str {
    session.name.as_deref().unwrap_or(&session.session_id)
}

fn page(shared: &Server, title: &str, head: &str, body: &str) -> Reply {
    let title = Escaped(title);
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">{head}\
         <title>{title} - honeyhive-local</title><link rel=\"stylesheet\" href=\"/style.css\">\
         </head><body>{body}</body></html>"
    );
    Reply::new(StatusCode::OK, HTML, shared.config.keys.removed_from(text))
}

/// `text` as one path segment.
fn encode(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
