//! Some lines are written by guess: spans that run, sessions that fail, and functions that name no tracer.

use std::error::Error;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::*;
use honeyhive::{HoneyHiveTracer, json, testing};
use honeyhive_actix::HoneyHive;
use honeyhive_local::LocalServer;
use honeyhive_tower::HoneyHiveLayer;
use integration_tests::harness::local_server;

#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no answer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn failed() -> Outer {
    Outer(io::Error::other("the line is dead"))
}

#[test]
fn a_span_that_runs_records_its_children_and_its_error_with_the_causes() {
    let (tracer, captured) = testing::tracer();
    let session = tracer.create_session("chat");
    let output = block_on(session.span("turn").event_type("chain").run(async |turn| {
        turn.outputs(json!({"answer": 42}));
        tracer
            .model("ask")
            .run(async |_| Err::<(), _>(failed()))
            .await
    }));
    assert_eq!(output.unwrap_err().to_string(), "no answer");

    let session = captured.only_session();
    session.assert_tree(
        "chat
           turn [chain]
             ask [model]",
    );
    let error = Some("no answer: the line is dead");
    assert_eq!(session.event("ask").error.as_deref(), error);
    assert_eq!(session.event("turn").error.as_deref(), error);
    let answer = session.event("turn").text("honeyhive_outputs.answer");
    assert_eq!(answer.as_deref(), Some("42"));
}

#[test]
fn a_span_of_blocking_work_records_its_children_its_error_and_a_panic() {
    let (tracer, captured) = testing::tracer();
    let session = tracer.create_session("chat");
    let failing = session.span("turn").run_blocking(|turn| {
        turn.outputs(json!({"answer": 42}));
        drop(tracer.tool("search").start());
        Err::<(), _>(failed())
    });
    assert!(failing.is_err());
    let fine = session.span("fine").run_blocking(|_| Ok::<_, Outer>(7));
    assert_eq!(fine.unwrap(), 7);
    let panics = || {
        session
            .span("mistake")
            .run_blocking::<(), &str, _>(|_| panic!("no order"))
    };
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());

    let session = captured.only_session();
    session.assert_tree("chat\n  turn [chain]\n    search [tool]\n  fine [tool]\n  mistake [tool]");
    let error = |name| session.event(name).error.as_deref();
    assert_eq!(error("turn"), Some("no answer: the line is dead"));
    assert_eq!(session.event("turn").outputs["answer"], 42);
    assert_eq!(error("fine"), None);
    assert_eq!(error("mistake"), Some("panicked: no order"));
}

#[test]
fn an_err_is_any_error_what_boxes_one_or_text() {
    let (tracer, captured) = testing::tracer();
    let plain = || tracer.tool("plain");
    drop(block_on(plain().run(async |_| Err::<(), _>(failed()))));
    let boxed: Box<dyn Error> = failed().into();
    drop(block_on(
        tracer.tool("boxed").run(async |_| Err::<(), _>(boxed)),
    ));
    let sent: Box<dyn Error + Send + Sync> = failed().into();
    drop(block_on(
        tracer.tool("sent").run(async |_| Err::<(), _>(sent)),
    ));
    let _ = block_on(tracer.tool("text").run(async |_| Err::<(), _>("no answer")));
    let owned = "no answer".to_owned();
    drop(block_on(
        tracer.tool("owned").run(async |_| Err::<(), _>(owned)),
    ));

    let session = captured.only_session();
    for name in ["plain", "boxed", "sent"] {
        let error = session.event(name).error.as_deref();
        assert_eq!(error, Some("no answer: the line is dead"), "{name}");
    }
    for name in ["text", "owned"] {
        assert_eq!(
            session.event(name).error.as_deref(),
            Some("no answer"),
            "{name}"
        );
    }
}

#[test]
fn a_span_whose_work_is_dropped_or_panics_says_so() {
    let (tracer, captured) = testing::tracer();
    let mut never = Box::pin(
        tracer
            .tool("dropped")
            .run(async |_| std::future::pending::<Result<(), io::Error>>().await),
    );
    let waker = std::task::Waker::noop();
    let mut task = std::task::Context::from_waker(waker);
    assert!(never.as_mut().poll(&mut task).is_pending());
    drop(never);
    let panics = tracer.tool("panics").run(async |_| {
        assert!(block_on(async { false }), "no such order");
        Ok::<_, io::Error>(())
    });
    let panics = AssertUnwindSafe(|| block_on(panics));
    assert!(catch_unwind(panics).is_err());

    let session = captured.only_session();
    let dropped = session.event("dropped");
    assert_eq!(dropped.error.as_deref(), Some("cancelled"));
    let panicked = session.event("panics").error.clone();
    assert_eq!(panicked.as_deref(), Some("panicked: no such order"));
}

#[test]
fn work_that_fails_does_not_end_its_session_as_complete() {
    let (server, tracer) = connected();
    let output = block_on(tracer.try_with_session("import", async |session| {
        session.outputs(json!({"rows": 0}));
        Err::<(), _>(failed())
    }));
    assert!(output.is_err());
    let output = block_on(tracer.try_with_session("export", async |_| Ok::<_, Outer>(7)));
    assert_eq!(output.unwrap(), 7);
    flush(&tracer);

    for (name, outcome, error) in [
        ("import", "error", Some("no answer: the line is dead")),
        ("export", "complete", None),
    ] {
        let sessions = server.sessions();
        let session = sessions.iter().find(|it| it.name.as_deref() == Some(name));
        let session = session.unwrap();
        assert_eq!(session.metadata["outcome"], outcome);
        let said = session.metadata.get("error").and_then(|it| it.as_str());
        assert_eq!(said, error, "{name}");
    }
}

#[test]
fn blocking_work_has_a_session_that_ends_with_it_too() {
    let (tracer, captured) = testing::tracer();
    let length = tracer.with_session_blocking("batch", |session| {
        session.outputs(json!({"processed": 2}));
        drop(honeyhive::span("process").start());
        "done".len()
    });
    assert_eq!(length, 4);
    let failing = tracer.try_with_session_blocking("import", |_| Err::<(), _>(failed()));
    assert!(failing.is_err());
    let exported = tracer.try_with_session_blocking("export", |_| Ok::<_, Outer>(7));
    assert_eq!(exported.unwrap(), 7);
    let panics = || tracer.with_session_blocking("mistake", |_| panic!("no such order"));
    let panicked = catch_unwind(AssertUnwindSafe(panics));
    assert!(panicked.is_err());

    let sessions = captured.sessions();
    let ended: Vec<_> = sessions
        .iter()
        .map(|session| {
            assert!(session.duration.is_some() && session.end_time.is_some());
            (
                session.name.as_deref().unwrap(),
                session.metadata["outcome"].as_str().unwrap(),
                session.error.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        ended,
        [
            ("batch", "complete", None),
            ("import", "error", Some("no answer: the line is dead")),
            ("export", "complete", None),
            ("mistake", "panicked", Some("panicked: no such order")),
        ]
    );
    sessions[0].assert_tree("batch\n  process [tool]");
    assert_eq!(sessions[0].outputs["processed"], 2);
}

#[test]
fn the_buckets_of_a_session_and_of_a_span_are_methods_of_theirs() {
    let (tracer, captured) = testing::tracer();
    let session = tracer.create_session("chat");
    let span = session.span("turn").start();
    session.metadata(json!({"a": 1}));
    session.metrics(json!({"b": 2}));
    session.feedback(json!({"c": 3}));
    session.outputs(json!({"d": 4}));
    session.config(json!({"e": 5}));
    session.user_properties(json!({"f": 6}));
    span.metadata(json!({"a": 1}));
    span.metrics(json!({"b": 2}));
    span.feedback(json!({"c": 3}));
    span.inputs(json!({"g": 7}));
    span.config(json!({"e": 5}));
    span.user_properties(json!({"f": 6}));
    span.fail(&failed());
    drop(span);

    let session = captured.only_session();
    assert_eq!(session.metadata["a"], 1);
    assert_eq!(session.metrics["b"], 2);
    assert_eq!(session.feedback["c"], 3);
    assert_eq!(session.outputs["d"], 4);
    assert_eq!(session.config["e"], 5);
    assert_eq!(session.user_properties["f"], 6);
    let event = session.event("turn");
    for (bucket, expected) in [
        ("metadata.a", "1"),
        ("metrics.b", "2"),
        ("feedback.c", "3"),
        ("inputs.g", "7"),
        ("config.e", "5"),
        ("user_properties.f", "6"),
    ] {
        let found = event.text(&format!("honeyhive_{bucket}"));
        assert_eq!(found.as_deref(), Some(expected), "{bucket}");
    }
    assert_eq!(event.error.as_deref(), Some("no answer: the line is dead"));
}

/// The lines stand here as somebody writes them who has not looked them up.
#[test]
fn what_one_would_write_is_what_there_is() {
    let (tracer, captured) = testing::tracer();
    let v = "b";
    let session = tracer.create_session("chat");
    session.metadata(json!({"variant": v}));
    session.inputs(json!({"question": "tea?"}));
    session.error("late");
    session.user("ada");
    drop(session.span("turn").start());
    session.in_scope(|| {
        drop(honeyhive::span("turn").start());
        tracer.model("ask").start().outputs(json!({"answer": 42}));
        drop(tracer.chain("turn").start());
        tracer.tool("search").start().error("nothing found");
        drop(tracer.span("ask").event_type("model").start());
    });
    let turn = tracer.span("turn").run(async |span| {
        span.metadata(json!({"variant": v}));
        Err::<(), _>("no answer")
    });
    assert!(block_on(session.scope(turn)).is_err());

    let mut headers = http::HeaderMap::new();
    session.inject(&mut headers);
    drop(tracer.extract(&headers));
    let mut headers = actix_web::http::header::HeaderMap::new();
    session.inject(&mut headers);
    drop(tracer.extract(&headers));
    let mut headers = vec![("accept", "*/*".to_owned())];
    session.inject(&mut headers);
    drop(tracer.extract(headers));

    let session = captured.session_named("chat");
    assert_eq!(session.metadata["variant"], "b");
    assert_eq!(session.user_properties["user_id"], "ada");
    assert_eq!(session.events.len(), 7);
}

#[test]
fn what_one_would_write_of_a_middleware_is_what_there_is() {
    let (tracer, _captured) = testing::tracer();
    let layer: HoneyHiveLayer = HoneyHiveLayer::builder(tracer.clone())
        .skip(|request| request.path() == "/internal")
        .skip_unmatched(true)
        .user(|request| request.header("x-account").map(str::to_owned))
        .build()
        .unwrap();
    let middleware: HoneyHive = HoneyHive::builder(tracer.clone())
        .filter(|request| request.path() != "/internal")
        .user(|_| "ada".to_owned())
        .build()
        .unwrap();
    drop((layer, middleware));
    let shared: honeyhive_tower::ServerInstrumentation =
        honeyhive_actix::ServerInstrumentation::builder(tracer)
            .build()
            .unwrap();
    drop(HoneyHiveLayer::from(shared.clone()));
    drop(HoneyHive::from(shared));
}

#[test]
fn a_span_of_a_session_is_in_it_whichever_is_current() {
    let (tracer, captured) = testing::tracer();
    let mine = tracer.create_session("mine");
    let other = tracer.create_session("other");
    other.in_scope(|| {
        let span = mine.span("in mine").start();
        span.in_scope(|| drop(honeyhive::span("below").start()));
        drop(honeyhive::span("in other").start());
    });

    let sessions = captured.sessions();
    let trees: Vec<_> = sessions.iter().map(|it| it.tree()).collect();
    assert!(
        trees.contains(&"mine\n  in mine [chain]\n    below [tool]".to_owned()),
        "{trees:?}"
    );
    assert!(
        trees.contains(&"other\n  in other [tool]".to_owned()),
        "{trees:?}"
    );
}

#[test]
fn a_disabled_tracer_records_nothing_and_fails_nothing() {
    let tracer = HoneyHiveTracer::disabled();
    assert!(tracer.is_disabled());
    let session = block_on(tracer.acreate_session("chat")).unwrap();
    session.outputs(json!({"a": 1}));
    let span = session.span("turn").start();
    let answer = span.in_scope(|| {
        drop(honeyhive::span("below").start());
        42
    });
    assert_eq!(answer, 42);
    assert_ne!(span.event_id(), tracer.span("other").start().event_id());
    assert_eq!(span.event_id(), span.event_id());
    drop(span);
    let _guard = tracer.shutdown_guard();
    block_on(tracer.force_flush(PATIENCE)).unwrap();
    tracer.force_flush_blocking(PATIENCE).unwrap();
    block_on(tracer.shutdown(PATIENCE)).unwrap();
    assert_eq!(tracer.stats(), honeyhive::DeliveryStats::default());
}

#[test]
fn debug_of_an_error_is_the_text_that_people_read() {
    let url = HoneyHiveTracer::builder()
        .api_key("hh_key")
        .server_url("no url")
        .build();
    let (tracer, _captured) = testing::tracer();
    tracer.shutdown_blocking(PATIENCE).unwrap();
    let remote = || LocalServer::builder().address(([0, 0, 0, 0], 0).into());
    let below_a_file = std::env::current_exe().unwrap().join("store.db");
    let errors: [Box<dyn Error>; 8] = [
        Box::new(url.unwrap_err()),
        Box::new("chat".parse::<honeyhive::EventType>().unwrap_err()),
        Box::new("chat".parse::<honeyhive::SessionId>().unwrap_err()),
        Box::new("chat".parse::<honeyhive::EventId>().unwrap_err()),
        Box::new(tracer.force_flush_blocking(PATIENCE).unwrap_err()),
        Box::new(block_on(tracer.acreate_session("late").into_future()).unwrap_err()),
        Box::new(remote().start_blocking().unwrap_err()),
        Box::new(
            local_server()
                .persist(below_a_file)
                .start_blocking()
                .unwrap_err(),
        ),
    ];
    for error in errors {
        assert_eq!(format!("{error:?}"), error.to_string());
    }
}

/// An `Endless` text is made without end.
struct Endless;

impl fmt::Display for Endless {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        loop {
            formatter.write_str("and so on, ")?;
        }
    }
}

#[test]
fn an_error_without_end_costs_what_is_kept_of_it() {
    let (tracer, captured) = testing::tracer();
    let session = tracer.create_session("chat");
    session.error(Endless);
    let span = session.span("work").start();
    span.error(Endless);
    drop(span);
    let session = captured.only_session();
    let of_span = session.event("work").error.clone().unwrap();
    for error in [&session.metadata["error"].to_string(), &of_span] {
        assert!(error.contains("and so on"), "{error}");
        assert!(error.len() < 100_000, "{}", error.len());
    }
}
