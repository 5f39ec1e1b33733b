//! `import` takes in what was exported, and OTLP traces.

use std::fmt::Display;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::args::Import;
use crate::client::Client;
use crate::failure::Failure;
use crate::out;

/// A request has at most this many bytes, unless one session or event alone has more.
const AT_ONCE: usize = 4 * 1024 * 1024;

/// The numbers of sessions and traces that were taken in.
#[derive(Default)]
struct Taken {
    sessions: u64,
    /// The number of an exporter's requests.
    traces: u64,
}

/// Runs `import`, file by file.
pub(crate) async fn import(args: &Import) -> Result<(), Failure> {
    let client = Client::of(&args.ask.source).await?;
    let mut taken = Taken::default();
    for file in &args.files {
        let told = |why: &dyn Display| Failure::Failed(format!("{}: {why}", file.display()));
        let bytes = read(file).map_err(|error| told(&error))?;
        let done = match kind_of(&bytes) {
            Kind::Lines => lines(&client, &bytes, &mut taken).await,
            Kind::Otlp(kind) => traces(&client, kind, bytes, &mut taken).await,
        };
        done.map_err(|failure| told(&failure))?;
    }
    let Taken { sessions, traces } = taken;
    if args.ask.json {
        out::json(&json!({ "sessions": sessions, "traces": traces }));
    } else {
        out::say(&format!(
            "taken in: {}, {} of traces",
            out::counted(sessions, "session"),
            out::counted(traces, "export")
        ));
    }
    Ok(())
}

enum Kind {
    /// The file has lines that `export` has printed, or none.
    Lines,
    /// The file is a request of an exporter, with its content type.
    Otlp(&'static str),
}

fn kind_of(bytes: &[u8]) -> Kind {
    // An empty body would be a request in protobuf without a span, but a file without a byte is no request.
    let first = bytes.trim_ascii_start().first();
    if first.is_none() {
        return Kind::Lines;
    }
    let is_json = first == Some(&b'{');
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

async fn traces(
    client: &Client,
    kind: &str,
    body: Bytes,
    taken: &mut Taken,
) -> Result<(), Failure> {
    client.post("/v1/traces", kind, body).await?;
    taken.traces += 1;
    Ok(())
}

async fn lines(client: &Client, bytes: &[u8], taken: &mut Taken) -> Result<(), Failure> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let told = |why: &dyn Display| Failure::Failed(format!("line {}: {why}", index + 1));
        let line: Value = serde_json::from_slice(line).map_err(|error| told(&error))?;
        // A line of an exporter that writes to a file is a request of its own.
        let done = if line.get("resourceSpans").is_some() {
            let body = line.to_string().into();
            traces(client, "application/json", body, taken).await
        } else {
            session(client, &line, taken).await
        };
        done.map_err(|failure| told(&failure))?;
    }
    Ok(())
}

/// Sends a session with its events, in several requests where they are too much for one; the session is in the first,
/// so that no event comes before it.
async fn session(client: &Client, line: &Value, taken: &mut Taken) -> Result<(), Failure> {
    let session = &line["session"];
    if !session["session_id"].is_string() {
        return Err(Failure::Failed("there is no session".to_owned()));
    }
    let mut request = json!({ "session": session, "events": [] });
    let mut bytes = session.to_string().len();
    for event in line["events"].as_array().into_iter().flatten() {
        let size = event.to_string().len();
        if bytes + size > AT_ONCE && bytes > 0 {
            send(client, &request).await?;
            (request, bytes) = (json!({ "events": [] }), 0);
        }
        if let Some(events) = request["events"].as_array_mut() {
            events.push(event.clone());
        }
        bytes += size;
    }
    send(client, &request).await?;
    taken.sessions += 1;
    Ok(())
}

async fn send(client: &Client, body: &Value) -> Result<(), Failure> {
    let sent = client.send(Method::POST, "/api/import", body);
    sent.await.map(drop)
}
