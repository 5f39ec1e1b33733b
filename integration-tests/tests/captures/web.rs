//! The guide's servers run through the real layer on real sockets.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use honeyhive::http::ServerInstrumentation;
use honeyhive::{Enrichment, HoneyHiveTracer, Session};
use honeyhive_local::Fault;
use honeyhive_tower::HoneyHiveLayer;
use integration_tests::client::Client;
use integration_tests::tower::serve_router;
use serde_json::{Value, json};

use crate::edits::{failed, no_session, no_span};
use crate::hive::{Hive, run};
use crate::meaning::{self, Meaning};
use crate::python::{BEGINS_LATE, Because, Bug, Python, SPANS_CREATE, Why};

const ROUTE: Why = Because("a path has neither host nor query, which may hold anything");
const ABSENT: Why = Because("an input that a request does not have is left out");
const INPUTS: Why = Because("method and path are recorded by themselves");
const ENDED: Why = Because("every session says how its answer ended, one of 500 too");

/// Returns the message of a request's query.
fn message(uri: &Uri) -> Option<&str> {
    uri.query()?.strip_prefix("message=")
}

fn answer(outcome: Result<Value, String>) -> Response {
    match outcome {
        Ok(body) => body.to_string().into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error).into_response(),
    }
}

#[honeyhive::trace(event_type = "chain")]
async fn chat_endpoint(tracer: &HoneyHiveTracer, message: &str) -> Result<Value, String> {
    tracer.enrich_span(Enrichment::new().metadata(json!({"message_length": message.len()})));
    if message == "boom" {
        return Err("handler exploded".to_owned());
    }
    Ok(json!({"response": process_message(message).await}))
}

#[honeyhive::trace(event_type = "tool")]
async fn process_message(message: &str) -> String {
    tokio::task::yield_now().await;
    message.chars().rev().collect()
}

#[honeyhive::trace(event_type = "tool")]
fn sync_endpoint(message: &str) -> Value {
    json!({"r": message})
}

/// Returns a layer for the sessions of a server, named by its paths.
fn sessions(tracer: &HoneyHiveTracer, prefix: &'static str) -> HoneyHiveLayer {
    let sessions = ServerInstrumentation::builder(tracer.clone());
    let named = sessions.session_name(move |request| format!("{prefix}{}", request.path()));
    named.build().unwrap().into()
}

/// Runs the application of the FastAPI guide, and makes the calls of its capture.
async fn guide(tracer: &HoneyHiveTracer) {
    let for_chat = tracer.clone();
    let chat = async move |uri: Uri| match message(&uri) {
        Some(message) => answer(chat_endpoint(&for_chat, message).await),
        None => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
    };
    let sync = async |uri: Uri| answer(Ok(sync_endpoint(message(&uri).unwrap_or_default())));
    let app = Router::new()
        .route("/api/chat", post(chat))
        .route("/api/sync", post(sync));
    let serving = serve_router(app.layer(sessions(tracer, "api-"))).await;

    let client = Client::new(serving.address);
    let ok = client
        .request("POST", "/api/chat?message=hello")
        .header("x-user-id", "u-1");
    let post = async |path: &str| client.request("POST", path).send().await;
    let ok = ok.send().await;
    // Python answers an exception without the header.
    let exploded = post("/api/chat?message=boom").await;
    let lost = client.request("GET", "/nope").send().await;
    let lacking = post("/api/chat").await;
    let sync = post("/api/sync?message=s").await;
    let (a, b) = tokio::join!(post("/api/chat?message=aa1"), post("/api/chat?message=bb2"));
    let seen = [
        (&ok, 200, r#"{"response":"olleh"}"#),
        (&exploded, 500, "handler exploded"),
        (&lost, 404, ""),
        (&lacking, 422, ""),
        (&sync, 200, r#"{"r":"s"}"#),
        (&a, 200, r#"{"response":"1aa"}"#),
        (&b, 200, r#"{"response":"2bb"}"#),
    ];
    let mut sessions = BTreeSet::new();
    for (answer, status, body) in seen {
        assert_eq!((answer.status, answer.text()), (status, body));
        sessions.insert(answer.session_id().to_string());
    }
    assert_eq!(
        sessions.len(),
        seen.len(),
        "each request has its own session"
    );
}

/// Sets how the answers ended: the end of the request's path, and the bytes of the body.
fn ended(bodies: &'static [(&'static str, u16, usize)]) -> impl FnOnce(&mut Meaning) {
    move |it| {
        for session in &mut it.sessions {
            let path = session.fields["inputs"]["path"]
                .as_str()
                .unwrap_or_default();
            let (_, status, bytes) = bodies
                .iter()
                .find(|(end, ..)| path.ends_with(end))
                .expect("a request");
            end(session, *status, *bytes);
        }
    }
}

fn end(session: &mut meaning::Session, status: u16, bytes: usize) {
    let mut say = |key: &str, value| session.fields.insert(key.to_owned(), value);
    let mut metadata = json!({"outcome": "complete", "response_bytes": bytes});
    if status >= 500 {
        metadata["error"] = json!(format!("HTTP status {status}"));
        say("error", metadata["error"].clone());
    }
    say("outputs", json!({"status_code": status}));
    say("metadata", metadata);
}

fn each_path(it: &mut Meaning, edit: impl Fn(&mut meaning::Object)) {
    for session in &mut it.sessions {
        edit(session.fields["inputs"].as_object_mut().expect("inputs"));
    }
}

fn compare_guide(python: Python, hive: &Hive) {
    python
        .but_traced()
        .but(Bug(21), no_span("chat_endpoint_error"))
        .but(
            ENDED,
            ended(&[
                ("message=hello", 200, 20),
                ("message=boom", 500, 16),
                ("/nope", 404, 0),
                ("/api/chat", 422, 0),
                ("message=s", 200, 9),
                ("message=aa1", 200, 18),
                ("message=bb2", 200, 18),
            ]),
        )
        .but(ROUTE, |it| {
            each_path(it, |inputs| {
                let url = inputs["path"].as_str().unwrap_or_default();
                let url: Uri = url.replace("<host:1>", "host").parse().unwrap();
                inputs.insert("path".to_owned(), json!(url.path()));
            });
        })
        .but(ABSENT, |it| {
            each_path(it, |inputs| inputs.retain(|_, value| !value.is_null()))
        })
        .but(Bug(21), |it| {
            it.each_span(|span| {
                if span.fields.contains_key("status") {
                    span.fields.remove("events");
                    span.attributes
                        .insert("honeyhive_error".to_owned(), json!("handler exploded"));
                }
            })
        })
        .compare(hive);
}

/// Removes the spans that FastAPI makes by itself; axum has nothing of the kind. Bug 17 has carried them here.
fn no_spans_of_fastapi(it: &mut Meaning) {
    it.retain_spans(|span| span.fields.get("scope") != Some(&json!("fastapi")));
    it.each_span(|span| drop(span.fields.remove("parent")));
}

pub(crate) fn the_guide(python: Python) {
    let hive = Hive::new();
    let settings = hive.builder().project("my-api").source("production");
    run(guide(&hive.init(settings)));
    let startup = no_session("fastapi_guide_no_builtin_otel");
    compare_guide(python.but(BEGINS_LATE, startup), &hive);
}

pub(crate) fn the_guide_beside_the_frameworks_spans(python: Python) {
    let hive = Hive::new();
    let settings = hive.builder().project("my-api").source("production");
    run(guide(&hive.init(settings)));
    let python = python
        .but(Bug(17), no_spans_of_fastapi)
        .but(BEGINS_LATE, no_session("fastapi_guide"));
    compare_guide(python, &hive);
}

pub(crate) fn several_turns(python: Python) {
    #[honeyhive::trace(event_type = "chain")]
    async fn turn(message: &str) -> Result<Value, String> {
        if message == "boom" {
            return Err("x".to_owned());
        }
        Ok(json!({"r": message}))
    }
    let hive = Hive::new();
    let settings = hive.builder().project("my-api").source("production");
    let tracer = hive.init(settings.session_name("startup"));
    run(async {
        let turn = async |uri: Uri| answer(turn(message(&uri).unwrap_or_default()).await);
        let app = Router::new().route("/turn", post(turn));
        let serving = serve_router(app.layer(sessions(&tracer, "conversation-"))).await;
        let client = Client::new(serving.address);
        let turn = |message: &str| client.request("POST", &format!("/turn?message={message}"));
        let first = turn("one").send().await.session_id();
        let second = turn("two").in_session(first).send().await;
        assert_eq!(second.session_id(), first, "a link is echoed");
        let third = turn("three")
            .header("x-session-id", "anything; goes")
            .send()
            .await;
        assert_eq!(
            third.session_id(),
            "anything; goes".into(),
            "mapped, not taken as it is"
        );
        assert_eq!(turn("boom").send().await.status, 500);
        assert_eq!(client.request("GET", "/nope").send().await.status, 404);
        hive.server.fail(Fault::status(500).times(1));
        let down = turn("down").send().await;
        assert_eq!(down.status, 200, "HoneyHive being down is not noticed");
    });
    // The closure returns the message of a session.
    let said = |session: &meaning::Session| {
        let message = session
            .spans
            .first()
            .map(|span| &span.attributes["honeyhive_inputs.message"]);
        message
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    python
        .but(Bug(17), no_spans_of_fastapi)
        .but_traced()
        .but(Bug(21), no_span("turn_error"))
        .but(Bug(12), |it| {
            // The start that failed was tried again, so the request has its session.
            it.session("startup").name = Some("conversation-/turn".to_owned());
        })
        .but(Bug(21), |it| {
            it.each_span(|span| {
                if span.fields.remove("events").is_some() {
                    span.attributes
                        .insert("honeyhive_error".to_owned(), json!("x"));
                }
            });
        })
        .but(INPUTS, |it| {
            for session in &mut it.sessions {
                let Some(name) = &session.name else { continue };
                let path = name.trim_start_matches("conversation-");
                let method = if path == "/nope" { "GET" } else { "POST" };
                let inputs = json!({"method": method, "path": path});
                session.fields.insert("inputs".to_owned(), inputs);
            }
        })
        .but(ENDED, |it| {
            for session in &mut it.sessions {
                match said(session).as_str() {
                    "" => end(session, 404, 0),
                    "boom" => end(session, 500, 1),
                    message => end(session, 200, json!({"r": message}).to_string().len()),
                }
            }
        })
        .but(SPANS_CREATE, |it| {
            it.each_span(|span| {
                let message = &span.attributes["honeyhive_inputs.message"];
                if message == "two" || message == "three" {
                    let name = json!("conversation-/turn");
                    span.attributes
                        .insert("honeyhive.session_name".to_owned(), name);
                    span.attributes
                        .insert("honeyhive.session_auto_create".to_owned(), json!(true));
                }
            });
        })
        .compare(&hive);
}

pub(crate) fn the_blocking_guide(python: Python) {
    #[honeyhive::trace(event_type = "tool")]
    fn process_endpoint() -> Value {
        json!({"result": "ok"})
    }
    #[honeyhive::trace(event_type = "tool")]
    fn boom() -> Result<Value, String> {
        Err("flask handler exploded".to_owned())
    }
    /// Runs blocking work where it may block, in the session of the request.
    async fn blocking(work: fn() -> Result<Value, String>) -> Response {
        let session = Session::current().expect("that of the request");
        answer(session.spawn_blocking(work).await.expect("no panic"))
    }
    let hive = Hive::new();
    let settings = hive.builder().project("my-flask-app").source("production");
    let tracer = hive.init(settings.session_name("flask_guide"));
    run(async {
        let process = async || blocking(|| Ok(process_endpoint())).await;
        let app = Router::new()
            .route("/api/process", post(process))
            .route("/api/boom", post(async || blocking(boom).await));
        let serving = serve_router(app.layer(sessions(&tracer, "flask-"))).await;
        let client = Client::new(serving.address);
        let post = async |path: &str| client.request("POST", path).send().await;
        assert_eq!(post("/api/process").await.status, 200);
        assert_eq!(post("/api/boom").await.status, 500);
        assert_eq!(client.request("GET", "/nope").send().await.status, 404);
        tokio::join!(post("/api/process"), post("/api/process"));
    });
    let path = |it: &mut Meaning| {
        for session in &mut it.sessions {
            let name = session.name.as_deref().unwrap_or_default();
            let path = json!(name.trim_start_matches("flask-"));
            session.fields["inputs"]
                .as_object_mut()
                .unwrap()
                .insert("path".to_owned(), path);
        }
    };
    python
        .but_traced()
        .but(BEGINS_LATE, no_session("flask_guide"))
        .but(INPUTS, path)
        .but(
            ENDED,
            ended(&[("process", 200, 15), ("boom", 500, 22), ("nope", 404, 0)]),
        )
        .but(Bug(21), no_span("boom_error"))
        .but(Bug(21), failed("boom", "flask handler exploded"))
        .compare(&hive);
}
