//! The pages: the sessions, and one session as a tree.

use http::StatusCode;
use http::header::HeaderValue;
use serde_json::Value;

use super::html::Escaped;
use super::without_key;
use crate::Object;
use crate::model::{LocalEvent, LocalSession, LocalStats};
use crate::reply::Reply;
use crate::route::encode;
use crate::shared::Shared;
use crate::store;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");

/// The list shows itself anew; a tree does not, because somebody is reading in it.
const REFRESH: &str = "<meta http-equiv=\"refresh\" content=\"5\">";

/// The style sheet has classes for indentation up to here.
const DEEPEST_STYLE: usize = 12;

pub(super) fn style() -> Reply {
    Reply::new(StatusCode::OK, CSS, include_str!("style.css"))
}

/// The newest sessions first.
pub(super) fn sessions(shared: &Shared) -> Reply {
    let (sessions, stats) = shared.read(|store| (store.sessions(), store.stats()));
    let rows: String = sessions.iter().rev().map(row).collect();
    let body = format!(
        "<h1>Sessions</h1>{}<table><thead><tr><th>Name</th><th>Id</th><th>Status</th>\
         <th>Duration</th><th>Events</th></tr></thead><tbody>{rows}</tbody></table>",
        summary(stats)
    );
    page(shared, "Sessions", REFRESH, &body)
}

/// One session: its own inputs and outputs, then its events.
pub(super) fn session(shared: &Shared, id: &str) -> Reply {
    let held = shared.read(|store| store.session(id).map(|session| (session, store.events(id))));
    let Some((session, events)) = held else {
        return Reply::not_found();
    };
    let name = name_of(&session);
    let nodes = store::walk_tree(&events).into_iter();
    let tree: String = nodes.map(|(depth, event)| node(depth, event)).collect();
    let body = format!(
        "<p><a href=\"/\">Sessions</a></p><h1>{}</h1><p><code>{}</code> {}</p>{}{tree}",
        Escaped(name),
        Escaped(&session.session_id),
        duration(session.duration),
        session_details(&session),
    );
    page(shared, name, "", &body)
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

fn row(session: &LocalSession) -> String {
    let status = session.outputs.get("status_code").map(Value::to_string);
    format!(
        "<tr><td><a href=\"/sessions/{}\">{}</a></td><td><code>{}</code></td><td>{}</td>\
         <td>{}</td><td>{}</td></tr>",
        encode(&session.session_id),
        Escaped(name_of(session)),
        Escaped(&session.session_id),
        Escaped(&status.unwrap_or_default()),
        duration(session.duration),
        session.event_count,
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

fn page(shared: &Shared, title: &str, head: &str, body: &str) -> Reply {
    let title = Escaped(title);
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">{head}\
         <title>{title} - honeyhive-local</title><link rel=\"stylesheet\" href=\"/style.css\">\
         </head><body>{body}</body></html>"
    );
    Reply::new(StatusCode::OK, HTML, without_key(&shared.config, text))
}
