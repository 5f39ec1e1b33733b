//! An update comes after the call that creates its event or its session, whether HoneyHive answers 404 to an unknown
//! one, or 200 and forgets it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::time::Duration;

use crate::support::*;
use honeyhive::{Enrichment, HoneyHiveTracer, NewSession, SessionId};
use honeyhive_local::{Endpoint, Fault, LocalServer, UnknownUpdates};
use integration_tests::harness::local_server;
use serde_json::json;

/// Returns a HoneyHive that says that it does not know an event, and one that answers 200 and forgets.
fn servers() -> [LocalServer; 2] {
    [UnknownUpdates::Refuse, UnknownUpdates::Forget].map(|policy| {
        let server = local_server().api_key(KEY).unknown_updates(policy);
        server.start_blocking().unwrap()
    })
}

/// Records a session with a span, and a verdict on that span.
fn judged(tracer: &HoneyHiveTracer) -> SessionId {
    let chat = tracer.create_session("chat");
    let span = chat.in_scope(|| tracer.span("answer").start());
    let event = span.event_id();
    drop(span);
    tracer.enrich_event(event, Enrichment::new().feedback(json!({"rating": 5})));
    chat.id()
}

#[test]
fn what_is_said_of_an_event_waits_for_its_span_that_is_under_way() {
    for server in servers() {
        server.fail(Fault::hang().on(Endpoint::Traces).times(1));
        let tracer = builder(&server)
            .coalesce_window(Duration::ZERO)
            .build()
            .unwrap();
        judged(&tracer);
        // The first call of spans is given up after ten seconds, the second one gets through.
        flush(&tracer);
        assert_eq!(event(&server, "answer").feedback["rating"], 5);
        assert_eq!(tracer.stats().dropped.total(), 0);
    }
}

#[test]
fn what_is_said_of_a_session_that_its_spans_create_waits_for_them_through_an_outage() {
    for server in servers() {
        server.fail(Fault::status(503));
        let tracer = builder(&server)
            .coalesce_window(Duration::ZERO)
            .build()
            .unwrap();
        let chat = tracer.create_session(NewSession::existing("conversation-7"));
        chat.in_scope(|| drop(tracer.span("turn").start()));
        chat.enrich(Enrichment::new().metadata(json!({"turn": 7})));
        // The failures outlast the attempts of an update that finds nothing.
        assert!(server.wait_until_blocking(PATIENCE, |server| count(server, TRACES) > 5));
        assert_eq!(count(&server, &update(&chat)), 0);
        server.heal();
        flush(&tracer);
        assert_eq!(session(&server, chat.id()).metadata["turn"], 7);
        assert_eq!(tracer.stats().dropped.total(), 0);
    }
}

#[test]
fn a_flush_sends_spans_before_what_is_said_of_their_events_and_sessions() {
    for server in servers() {
        let tracer = tracer(&server);
        let known = judged(&tracer);
        let linked = tracer.create_session(NewSession::existing("conversation-8"));
        linked.in_scope(|| drop(tracer.span("turn").start()));
        linked.enrich(Enrichment::new().metadata(json!({"turn": 8})));
        flush(&tracer);
        assert_eq!(event(&server, "answer").feedback["rating"], 5);
        assert_eq!(session(&server, linked.id()).metadata["turn"], 8);
        assert_eq!(session(&server, known).name.as_deref(), Some("chat"));
        assert_eq!(tracer.stats().retried, 0, "{:#?}", calls(&server));
    }
}

#[test]
fn a_session_that_is_known_does_not_wait_for_spans_that_are_not_taken() {
    let server = server();
    server.fail(Fault::status(503).on(Endpoint::Traces));
    let tracer = builder(&server)
        .coalesce_window(Duration::ZERO)
        .build()
        .unwrap();
    let chat = tracer.create_session("chat");
    chat.in_scope(|| drop(tracer.span("turn").start()));
    assert!(server.wait_until_blocking(PATIENCE, |server| count(server, TRACES) > 0));
    chat.enrich(Enrichment::new().metrics(json!({"score": 1})));
    assert!(server.wait_until_blocking(PATIENCE, |server| {
        session(server, chat.id()).metrics.contains_key("score")
    }));
}
