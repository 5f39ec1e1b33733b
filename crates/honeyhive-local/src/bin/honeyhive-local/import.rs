//! Taking in what was exported, and OTLP traces.

use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::args::Import;
use crate::client::{Client, encoded};
use crate::failure::Failure;
use crate::out;

/// Fields that a session is started with; the rest comes with an update.
const STARTED_WITH: [(&str, &str); 9] = [
    ("session_id", "session_id"),
    ("name", "session_name"),
    ("source", "source"),
    ("inputs", "inputs"),
    ("outputs", "outputs"),
    ("config", "config"),
    ("user_properties", "user_properties"),
    ("start_time", "start_time"),
    ("metadata", "metadata"),
];

const UPDATED_WITH: [&str; 4] = ["metrics", "feedback", "duration", "end_time"];

/// Fields of an event that `POST /v1/events/batch` takes.
const OF_EVENTS: [&str; 15] = [
    "event_id",
    "session_id",
    "parent_id",
    "event_type",
    "event_name",
    "source",
    "inputs",
    "outputs",
    "metadata",
    "metrics",
    "feedback",
    "config",
    "user_properties",
    "error",
    "duration",
];

/// Events that are sent at a time.
const AT_ONCE: usize = 500;

/// `import`: file by file.
pub(crate) async fn import(args: &Import) -> Result<(), Failure> {
    let client = Client::of(&args.ask.source).await?;
    let (mut sessions, mut traces) = (0, 0);
    for file in &args.files {
        let bytes =
            read(file).map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))?;
        let told = |failure: Failure| Failure::Failed(format!("{}: {failure}", file.display()));
        match kind_of(&bytes) {
            Kind::Lines => sessions += lines(&client, &bytes).await.map_err(told)?,
            Kind::Otlp(kind) => {
                client.post("/v1/traces", kind, bytes).await.map_err(told)?;
                traces += 1;
            }
        }
    }
    if args.ask.json {
        out::json(&json!({ "sessions": sessions, "traces": traces }));
    } else {
        out::say(&format!(
            "taken in: {}, {} of traces",
            out::counted(sessions as u64, "session"),
            out::counted(traces, "export")
        ));
    }
    Ok(())
}

enum Kind {
    /// Lines that `export` has printed.
    Lines,
    /// A request of an exporter, with its content type.
    Otlp(&'static str),
}

fn kind_of(bytes: &[u8]) -> Kind {
    let is_json = bytes.trim_ascii_start().first() == Some(&b'{');
    let whole: Option<Value> = is_json
        .then(|| serde_json::from_slice(bytes).ok())
        .flatten();
    match whole {
        Some(whole) if whole.get("resourceSpans").is_some() => Kind::Otlp("application/json"),
        _ if is_json => Kind::Lines,
        _ => Kind::Otlp("application/x-protobuf"),
    }
}

fn read(file: &Path) -> io::Result<Bytes> {
    if file.as_os_str() != "-" {
        return std::fs::read(file).map(Bytes::from);
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

async fn lines(client: &Client, bytes: &[u8]) -> Result<usize, Failure> {
    let mut sessions = 0;
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let number = index + 1;
        let line: Value = serde_json::from_slice(line)
            .map_err(|error| Failure::Failed(format!("line {number}: {error}")))?;
        // A line of an exporter that writes to a file is a request of its own.
        if line.get("resourceSpans").is_some() {
            client
                .post("/v1/traces", "application/json", line.to_string().into())
                .await?;
            continue;
        }
        let id = line["session"]["session_id"].as_str();
        let id = id.ok_or_else(|| Failure::Failed(format!("line {number} has no session")))?;
        session(client, id, &line["session"]).await?;
        events(client, &line["events"]).await?;
        sessions += 1;
    }
    Ok(sessions)
}

async fn session(client: &Client, id: &str, session: &Value) -> Result<(), Failure> {
    let known = STARTED_WITH
        .iter()
        .filter(|(key, _)| is_there(&session[*key]));
    let mut start: Value = known
        .map(|(key, name)| ((*name).to_owned(), session[*key].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    if let Some(error) = session["error"].as_str() {
        start["metadata"]["error"] = json!(error);
    }
    client.send(Method::POST, "/v1/sessions", &start).await?;
    let update = picked(session, &UPDATED_WITH);
    if update.as_object().is_some_and(|update| !update.is_empty()) {
        client
            .send(Method::PUT, &format!("/v1/events/{}", encoded(id)), &update)
            .await?;
    }
    Ok(())
}

async fn events(client: &Client, events: &Value) -> Result<(), Failure> {
    let events: Vec<Value> = events.as_array().into_iter().flatten().map(event).collect();
    for some in events.chunks(AT_ONCE) {
        client
            .send(Method::POST, "/v1/events/batch", &json!({ "events": some }))
            .await?;
    }
    Ok(())
}

fn event(event: &Value) -> Value {
    let mut sent = picked(event, &OF_EVENTS);
    sent["start_time"] = event["start_time_ms"].clone();
    sent["end_time"] = event["end_time_ms"].clone();
    if sent["inputs"].is_null() {
        sent["inputs"] = json!({});
    }
    sent
}

fn picked(object: &Value, keys: &[&str]) -> Value {
    let there = keys.iter().filter(|key| is_there(&object[**key]));
    there
        .map(|key| ((*key).to_owned(), object[*key].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn is_there(value: &Value) -> bool {
    !value.is_null() && value.as_object().is_none_or(|object| !object.is_empty())
}
