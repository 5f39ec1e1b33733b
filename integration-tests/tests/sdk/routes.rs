//! HoneyHive's routes decide which fields a call may carry, and what an update of outputs does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::collections::BTreeSet;

use crate::support::*;
use honeyhive::{Enrichment, HoneyHiveTracer, NewSession};
use honeyhive_local::{LocalServer, RecordedRequest};
use integration_tests::harness::local_server;
use serde_json::{Value, json};

/// `StartSessionRequest` of the specification has these fields and no others.
const START_FIELDS: [&str; 13] = [
    "session_id",
    "session_name",
    "event_name",
    "source",
    "start_time",
    "end_time",
    "duration",
    "config",
    "inputs",
    "outputs",
    "metadata",
    "user_properties",
    "children_ids",
];

/// `PUT /v1/events/{id}` ignores all fields but these.
const UPDATE_FIELDS: [&str; 9] = [
    "metadata",
    "feedback",
    "metrics",
    "outputs",
    "config",
    "user_properties",
    "duration",
    "end_time",
    "children_ids",
];

/// Makes every kind of call with everything that can be said, twice.
async fn say_everything(tracer: &HoneyHiveTracer) {
    let everything = || {
        Enrichment::new()
            .inputs(json!({"question": "?"}))
            .outputs(json!({"answer": "!"}))
            .metadata(json!({"m": 1}))
            .metrics(json!({"score": 1}))
            .feedback(json!({"rating": 1}))
            .config(json!({"model": "x"}))
            .user_properties(json!({"user_id": "ada"}))
            .error("it broke")
    };
    let new = NewSession::named("all")
        .inputs(json!({"i": 1}))
        .metadata(json!({"m": 0}))
        .user_properties(json!({"plan": "free"}))
        .source("elsewhere");
    for _ in 0..2 {
        tracer
            .with_session(new.clone(), |session| async move {
                session.enrich(everything());
            })
            .await;
    }
    let session = tracer.create_session(new);
    session.enrich(everything());
    tracer.force_flush(PATIENCE).await.unwrap();
    session.enrich(everything());
    let span = session.in_scope(|| tracer.span("work").start());
    let event = span.event_id();
    drop(span);
    tracer.enrich_event(event, everything());
    tracer.force_flush(PATIENCE).await.unwrap();
}

/// Returns the fields of a call, by route: an id in the path is left out.
fn fields(request: &RecordedRequest) -> Option<(String, BTreeSet<String>)> {
    let body = request.json.as_ref()?;
    let (path, body) = match request.path.as_str() {
        "/session/start" => ("/session/start", &body["session"]),
        path if path.starts_with("/v1/events/") => ("/v1/events/{id}", body),
        path => (path, body),
    };
    let names = body.as_object()?.keys().cloned().collect();
    Some((format!("{} {path}", request.method), names))
}

#[tokio::test]
async fn a_call_carries_no_field_that_its_route_does_not_list() {
    let table: [(&str, bool, Vec<&str>); 4] = [
        ("POST /v1/sessions", true, START_FIELDS.to_vec()),
        ("PUT /v1/events/{id}", true, UPDATE_FIELDS.to_vec()),
        // The legacy routes are open; these are the fields that we use.
        (
            "POST /session/start",
            false,
            [&START_FIELDS[..], &["project"]].concat(),
        ),
        (
            "PUT /events",
            false,
            [&UPDATE_FIELDS[..], &["event_id"]].concat(),
        ),
    ];
    let mut seen = BTreeSet::new();
    for current in [true, false] {
        let server = local_server()
            .unknown_updates(integration_tests::harness::unknown_updates())
            .api_key(KEY);
        let server = if current {
            server
        } else {
            server.without_v1_routes()
        };
        let server = server.start().await.unwrap();
        let tracer = builder(&server).project("shop").build().unwrap();
        say_everything(&tracer).await;
        for request in server.requests() {
            let Some((route, names)) = fields(&request) else {
                continue;
            };
            let row = table.iter().find(|row| row.0 == route);
            let (_, is_current, may) = row.unwrap_or_else(|| panic!("{route} is not in the table"));
            let extra: Vec<_> = names
                .iter()
                .filter(|it| !may.contains(&it.as_str()))
                .collect();
            assert!(extra.is_empty(), "{route}: {extra:?}");
            if *is_current == current {
                seen.insert(route);
            }
        }
    }
    assert_eq!(seen.len(), table.len(), "{seen:?}");
}

/// Returns the outputs of the updates of one session or event, in order.
fn outputs_of_updates(server: &LocalServer, id: &str) -> Vec<Value> {
    let requests = server.requests();
    let updates = requests
        .iter()
        .filter(|it| it.method == "PUT" && it.path.ends_with(id));
    updates
        .filter_map(|it| it.json.as_ref()?.get("outputs").cloned())
        .collect()
}

#[test]
fn an_update_carries_all_outputs_of_its_session_so_far() {
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    chat.enrich(Enrichment::new().outputs(json!({"reply": "42", "usage": {"in": 1}})));
    flush(&tracer);
    chat.enrich(Enrichment::new().outputs(json!({"status_code": 200})));
    flush(&tracer);
    chat.enrich(Enrichment::new().metadata(json!({"no": "outputs"})));
    flush(&tracer);
    chat.enrich(Enrichment::new().outputs(json!({"reply": "43", "usage": {"out": 2}})));
    flush(&tracer);

    assert_eq!(
        outputs_of_updates(&server, &chat.id().to_string()),
        [
            json!({"reply": "42", "usage": {"in": 1}, "status_code": 200}),
            json!({"reply": "43", "usage": {"in": 1, "out": 2}, "status_code": 200}),
        ]
    );
}

#[test]
fn a_linked_session_and_an_event_keep_the_outputs_that_were_said_of_them_before() {
    let (server, tracer) = connected();
    let chat = tracer.create_session(NewSession::existing("conversation-7"));
    let span = chat.in_scope(|| tracer.span("work").start());
    let event = span.event_id();
    drop(span);
    flush(&tracer);
    for outputs in [json!({"a": 1}), json!({"b": 2})] {
        chat.enrich(Enrichment::new().outputs(&outputs));
        tracer.enrich_event(event, Enrichment::new().outputs(&outputs));
        flush(&tracer);
    }
    let expected = [json!({"a": 1}), json!({"a": 1, "b": 2})];
    for id in [chat.id().to_string(), event.to_string()] {
        assert_eq!(outputs_of_updates(&server, &id), expected);
    }
}

#[test]
fn test_mode_replaces_the_outputs_of_an_event_as_honeyhive_does() {
    let (tracer, captured) = honeyhive::testing::tracer();
    let span = tracer.span("answer").start();
    span.outputs(json!({"draft": "4"}));
    let event = span.event_id();
    drop(span);
    tracer.enrich_event(event, Enrichment::new().outputs(json!({"answer": "42"})));
    let answer = captured.only_session().event("answer").clone();
    assert_eq!(
        answer.text("honeyhive_outputs.answer").as_deref(),
        Some("42")
    );
    assert_eq!(answer.text("honeyhive_outputs.draft"), None);
}
