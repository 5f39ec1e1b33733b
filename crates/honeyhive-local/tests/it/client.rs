//! The tests have a plain HTTP client and the spans it sends.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use honeyhive_local::LocalServer;
use reqwest::{Method, Response};
use serde_json::{Value, json};

pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const SESSION: &str = "6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d";
pub(crate) const OTHER: &str = "11111111-2222-4333-8444-555555555555";
pub(crate) const TRACES: &str = "/opentelemetry/v1/traces";

/// `AMPLE` is long enough for any machine; nothing ever waits this long when it works.
pub(crate) const AMPLE: Duration = Duration::from_secs(120);

pub(crate) async fn server() -> LocalServer {
    LocalServer::builder().start().await.expect("a free port")
}

pub(crate) fn http() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy();
    client.build().expect("a client")
}

/// Sends JSON; returns the status and the answer, null where that is no JSON.
pub(crate) async fn send(
    server: &LocalServer,
    method: Method,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let request = http().request(method, server.url() + path).json(body);
    answer(request.send().await.expect("an answer")).await
}

pub(crate) async fn post(server: &LocalServer, path: &str, body: Value) -> (u16, Value) {
    send(server, Method::POST, path, &body).await
}

pub(crate) async fn put(server: &LocalServer, path: &str, body: Value) -> (u16, Value) {
    send(server, Method::PUT, path, &body).await
}

pub(crate) async fn get(server: &LocalServer, path: &str) -> Response {
    let request = http().get(server.url() + path);
    request.send().await.expect("an answer")
}

pub(crate) async fn get_text(server: &LocalServer, path: &str) -> String {
    get(server, path).await.text().await.expect("text")
}

pub(crate) async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.expect("text");
    (status, serde_json::from_str(&text).unwrap_or_default())
}

pub(crate) async fn start_session(server: &LocalServer, id: &str) {
    let (status, _) = post(server, "/v1/sessions", json!({ "session_id": id })).await;
    assert_eq!(status, 200);
}

/// Returns an export request with these spans.
pub(crate) fn export(spans: Vec<Value>) -> Value {
    json!({ "resourceSpans": [{
        "resource": { "attributes": [text_attribute("service.name", "chat")] },
        "scopeSpans": [{ "scope": { "name": "test" }, "spans": spans }],
    }] })
}

/// Returns a span of `TRACE`; `id` and `parent` are numbers below 16, parent 0 is none.
pub(crate) fn span(id: u8, parent: u8, name: &str, attributes: Vec<Value>) -> Value {
    let start = 1_767_225_600_000_000_000_u64 + u64::from(id) * 1_000_000;
    json!({
        "traceId": TRACE,
        "spanId": format!("{id:016x}"),
        "parentSpanId": if parent == 0 { String::new() } else { format!("{parent:016x}") },
        "name": name,
        "kind": 2,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": (start + 2_500_000).to_string(),
        "attributes": attributes,
    })
}

pub(crate) fn session_span(id: u8, parent: u8, name: &str) -> Value {
    span(id, parent, name, vec![in_session(SESSION)])
}

pub(crate) fn in_session(id: &str) -> Value {
    text_attribute("honeyhive.session_id", id)
}

pub(crate) fn text_attribute(key: &str, text: &str) -> Value {
    attribute(key, json!({ "stringValue": text }))
}

pub(crate) fn attribute(key: &str, value: Value) -> Value {
    json!({ "key": key, "value": value })
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}
