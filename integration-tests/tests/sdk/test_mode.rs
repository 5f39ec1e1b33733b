//! Test mode of the core sends nothing out of the process, and has assertions for users' own tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::*;
use honeyhive::{Enrichment, EventType, HoneyHiveTracer, Moved, NewSession, SessionId, testing};
use integration_tests::program::again;
use serde_json::{Value, json};

/// Returns the message of the panic that `f` ends with.
fn panic_message<T>(f: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(f)) else {
        panic!("it should have failed");
    };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => (*panic.downcast::<&str>().unwrap()).to_owned(),
    }
}

#[tokio::test]
async fn nothing_leaves_the_process_and_everything_else_behaves() {
    let server = server();
    let tracer = HoneyHiveTracer::builder()
        .test_mode(true)
        .server_url(server.url())
        .api_key(KEY)
        .build()
        .unwrap();
    let chat = tracer.acreate_session("chat").await.unwrap();
    let mapped = tracer.create_session(NewSession::named("mine").id("thread_42"));
    chat.in_scope(|| drop(tracer.span("work").start()));
    tracer.enrich_session(Enrichment::new().outputs(json!({"done": true})));
    let report = tracer.force_flush(PATIENCE).await.unwrap();

    assert!(server.requests().is_empty());
    assert_eq!(mapped.id(), SessionId::from_correlation_id("thread_42"));
    assert_ne!(chat.id(), mapped.id());
    let stats = tracer.stats();
    assert_eq!((stats.accepted, stats.delivered, stats.pending), (5, 5, 0));
    assert_eq!(report.delivered, 4, "one was delivered when it was awaited");
    tracer.shutdown(PATIENCE).await.unwrap();
    assert!(server.requests().is_empty());
}

#[test]
fn test_mode_needs_no_key() {
    let tracer = HoneyHiveTracer::builder().test_mode(true).build().unwrap();
    tracer.create_session("chat");
    flush(&tracer);
    assert_eq!(tracer.stats().delivered, 1);
}

#[test]
fn a_captured_session_has_all_that_was_recorded() {
    let (tracer, captured) = testing::tracer();
    let chat = tracer.create_session(
        NewSession::named("chat")
            .inputs(json!({"question": "why?"}))
            .metadata(json!({"release": 3}))
            .source("ci"),
    );
    chat.enrich(
        Enrichment::new()
            .outputs(json!({"answer": 42}))
            .metrics(json!({"score": 0.5}))
            .feedback(json!({"rating": true}))
            .config(json!({"model": "m"}))
            .user_properties(json!({"plan": "pro"}))
            .error("broke"),
    );
    let session = captured.only_session();

    assert_eq!(session.id, chat.id());
    assert_eq!(session.name.as_deref(), Some("chat"));
    assert_eq!(session.source.as_deref(), Some("ci"));
    for (bucket, expected) in [
        (&session.inputs, json!({"question": "why?"})),
        (&session.outputs, json!({"answer": 42})),
        (&session.metadata, json!({"release": 3, "error": "broke"})),
        (&session.metrics, json!({"score": 0.5})),
        (&session.feedback, json!({"rating": true})),
        (&session.config, json!({"model": "m"})),
        (&session.user_properties, json!({"plan": "pro"})),
    ] {
        assert_eq!(Value::Object(bucket.clone()), expected);
    }
    assert_eq!(session.error.as_deref(), Some("broke"));
    assert_eq!(session.end_time, None);
}

#[tokio::test]
async fn captured_units_of_work_have_ended() {
    let (tracer, captured) = testing::tracer();
    tracer.with_session("job", |_| async {}).await;
    let session = captured.only_session();
    assert!(session.end_time.is_some() && session.duration.is_some());
    assert_eq!(session.metadata["outcome"], "complete");
}

/// Records chat > turn [chain] > (search [tool], answer [model]).
fn a_turn(tracer: &HoneyHiveTracer) {
    let chat = tracer.create_session("chat");
    chat.in_scope(|| {
        let turn = tracer.span("turn").start();
        turn.in_scope(|| {
            drop(tracer.span("search").start());
            let answer = tracer.span("answer").event_type(EventType::Model).start();
            answer.outputs(json!({"content": "42"}));
            answer.error("too short");
        });
    });
}

#[test]
fn a_captured_tree_is_compared_whatever_its_indentation() {
    let (tracer, captured) = testing::tracer();
    a_turn(&tracer);
    let session = captured.only_session();
    session.assert_tree(
        "chat
           turn [chain]
             search [tool]
             answer [model]",
    );
    session.assert_tree(
        "
        chat
          turn [chain]
                  search [tool]
                  answer [model]
        ",
    );
    let answer = session.event("answer");
    assert_eq!(
        answer.text("honeyhive_outputs.content").as_deref(),
        Some("42")
    );
    assert_eq!(answer.text("honeyhive_outputs.role"), None);
    assert_eq!(answer.error.as_deref(), Some("too short"));
    assert_eq!(answer.event_type, "model");
}

#[test]
fn a_captured_tree_that_differs_fails() {
    let (tracer, captured) = testing::tracer();
    a_turn(&tracer);
    let session = captured.only_session();
    for wrong in [
        "",
        "chat",
        "other\n  turn [chain]\n    search [tool]\n    answer [model]",
        "chat\n  turn [tool]\n    search [tool]\n    answer [model]",
        "chat\n  turn [chain]\n  search [tool]\n    answer [model]",
        "chat\n  turn [chain]\n    answer [model]\n    search [tool]",
        "chat\n  turn [chain]\n    search [tool]\n      answer [model]",
        "chat\n  turn [chain]\n    search [tool]\n    answer [model]\n    more [tool]",
    ] {
        let message = panic_message(|| session.assert_tree(wrong));
        assert!(message.contains("tree"), "{message}");
    }
}

#[test]
fn what_is_not_there_fails_with_what_is() {
    let (tracer, captured) = testing::tracer();
    let message = panic_message(|| captured.only_session());
    assert!(message.contains("expected one session"), "{message}");
    a_turn(&tracer);
    let session = captured.only_session();
    let message = panic_message(|| drop(session.event("typo").name.clone()));
    assert!(
        message.contains("typo") && message.contains("answer [model]"),
        "{message}"
    );
    tracer.create_session("second");
    let message = panic_message(|| captured.only_session());
    assert!(message.contains("expected one session"), "{message}");
    assert!(captured.session(SessionId::new()).is_none());
    assert_eq!(captured.sessions().len(), 2);
}

#[test]
fn captured_sessions_are_in_the_order_of_their_starts_whatever_arrives_first() {
    let (tracer, captured) = testing::tracer();
    let names = ["first", "second", "third", "fourth"];
    let sessions: Vec<_> = names.map(|name| tracer.create_session(name)).into();
    // An update makes the last session the first one known; a link has no start but that of its first span.
    for session in sessions.iter().rev() {
        session.outputs(json!({"answer": 42}));
        session.in_scope(|| drop(tracer.span("work").start()));
        flush(&tracer);
    }
    let linked = tracer.create_session(NewSession::existing("c-1"));
    linked.in_scope(|| drop(tracer.span("work").start()));

    let order: Vec<_> = captured.sessions().into_iter().map(|it| it.id).collect();
    let mut expected: Vec<_> = sessions.iter().map(honeyhive::Session::id).collect();
    expected.push(linked.id());
    assert_eq!(order, expected);
}

#[test]
fn a_captured_session_is_found_by_its_name_or_fails_with_those_that_there_are() {
    let (tracer, captured) = testing::tracer();
    let chat = tracer.create_session("chat");
    tracer.create_session("job");
    assert_eq!(captured.session_named("chat").id, chat.id());
    let message = panic_message(|| captured.session_named("chats"));
    assert!(
        message.contains("no session is called \"chats\"") && message.contains("job"),
        "{message}"
    );
    tracer.create_session("job");
    let message = panic_message(|| captured.session_named("job"));
    assert!(
        message.contains("several sessions are called \"job\""),
        "{message}"
    );
}

#[test]
fn the_buckets_of_captured_events_have_the_types_that_were_recorded() {
    let (tracer, captured) = testing::tracer();
    let span = tracer
        .span("ask")
        .inputs(json!({"left": 40, "deep": {"list": ["a", {"b": true}]}}))
        .config(json!({"temperature": 0.5}))
        .start();
    span.outputs(json!({"result": 42, "text": "42"}));
    span.metrics(json!({"score": 0.25}));
    span.feedback(json!({"rating": true}));
    span.user_properties(json!({"plan": "pro"}));
    span.metadata(json!({"attempt": 2}));
    drop(span);

    let session = captured.only_session();
    let event = session.event("ask");
    assert_eq!(event.inputs["left"], 40);
    assert_eq!(event.inputs["deep"], json!({"list": ["a", {"b": true}]}));
    assert_eq!(event.config["temperature"], 0.5);
    assert_eq!(event.outputs["result"], 42);
    assert_eq!(event.outputs["text"], "42");
    assert_eq!(event.metrics["score"], 0.25);
    assert_eq!(event.feedback["rating"], true);
    assert_eq!(event.user_properties["plan"], "pro");
    assert_eq!(event.metadata["attempt"], 2);
}

#[test]
fn debug_of_a_captured_session_is_its_tree_and_what_it_says_on_a_screen() {
    let (tracer, captured) = testing::tracer();
    a_turn(&tracer);
    let session = captured.only_session();
    let shown = format!("{session:#?}");
    for text in [
        "chat\n",
        "turn [chain]",
        "answer [model]",
        "has_ended: false",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(shown.lines().count() < 15, "{shown}");
    let shown = format!("{:#?}", session.event("answer"));
    for text in [
        "\"answer\"",
        "\"model\"",
        "{\"content\":\"42\"}",
        "too short",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(shown.lines().count() < 10, "{shown}");
}

#[test]
fn debug_of_what_is_captured_is_its_sessions() {
    let (tracer, captured) = testing::tracer();
    a_turn(&tracer);
    flush(&tracer);
    let shown = format!("{captured:#?}");
    for text in ["Captured {", "CapturedSession {", "answer [model]"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(shown.lines().count() < 20, "{shown}");
}

#[test]
fn an_end_in_another_task_is_waited_for() {
    let (tracer, captured) = testing::tracer();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let work = std::thread::spawn(move || {
        let work = tracer.with_session("job", async |session| {
            gone.recv().unwrap();
            session.outputs(json!({"done": true}));
        });
        block_on(work);
    });
    assert!(captured.sessions().iter().all(|it| it.end_time.is_none()));
    go.send(()).unwrap();
    let session = captured.wait_for_end("job");
    assert!(session.end_time.is_some());
    assert_eq!(session.outputs["done"], true);
    work.join().unwrap();
}

#[test]
fn captured_spans_outside_every_session_are_in_the_tracers_own() {
    let (tracer, captured) = testing::tracer();
    drop(tracer.span("alone").start());
    let session = captured.only_session();
    assert_eq!(session.events.len(), 1);
    assert!(session.name.is_some());
}

#[test]
fn captured_links_and_moves_are_as_honeyhive_would_have_them() {
    let (tracer, captured) = testing::tracer();
    let linked = tracer.create_session(NewSession::existing("c-1"));
    linked.enrich(Enrichment::new().metadata(json!({"turn": 1})));
    let request = tracer.create_session("POST /chat");
    request.in_scope(|| drop(tracer.span("work").start()));
    assert_eq!(request.link_to("c-1"), Moved::Whole);

    let session = captured.only_session();
    assert_eq!((session.id, session.name.as_deref()), ("c-1".into(), None));
    assert_eq!(session.events.len(), 1);
    assert_eq!(session.metadata["turn"], 1);
}

#[test]
fn captures_are_read_after_a_shutdown_too_and_are_apart_from_each_other() {
    let (one, of_one) = testing::tracer();
    let (two, of_two) = testing::tracer();
    one.create_session("one");
    two.create_session("two");
    one.shutdown_blocking(PATIENCE).unwrap();
    assert_eq!(of_one.only_session().name.as_deref(), Some("one"));
    assert_eq!(of_two.only_session().name.as_deref(), Some("two"));
}

#[test]
fn a_tracer_for_tests_takes_nothing_from_the_environment() {
    const CHILD: &str = "HH_TEST_MODE_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let (tracer, captured) = testing::tracer();
        drop(tracer.span("work").start());
        let session = captured.only_session();
        assert_eq!(session.source.as_deref(), Some("dev"));
        assert_eq!(session.events.len(), 1);
        return;
    }
    let test = "a_tracer_for_tests_takes_nothing_from_the_environment";
    let mut program = again(module_path!(), test);
    program.env(CHILD, "1").envs([
        ("HH_SESSION_SAMPLE_RATE", "0"),
        ("HH_API_TIMEOUT", "x"),
        ("HH_API_KEY", "\"quoted\""),
        ("HH_SOURCE", "theirs"),
        ("HH_SESSION_NAME", "theirs"),
        ("HH_DROP_POLICY", "none"),
        ("HH_SPOOL_DIR", "/proc/nowhere"),
    ]);
    let output = program.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}
