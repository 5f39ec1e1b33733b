//! A tracer has its own session, created ones and linked ones.

use honeyhive::{Enrichment, NewSession};
use serde_json::json;

use crate::edits::{creates_session, no_attribute, no_field, no_session, object};
use crate::hive::{Hive, run};
use crate::meaning::Session;
use crate::python::{BEGINS_LATE, Because, Bug, Python, SESSIONS_SOURCE, SPANS_CREATE};

pub(crate) fn init_basic(python: Python) {
    let hive = Hive::new();
    let settings = hive.builder().project("my-project").source("production");
    let tracer = hive.init(settings.session_name("local-dev-session"));
    tracer.session_start(NewSession::default());
    python.compare(&hive);
}

pub(crate) fn init_with_a_session_id(python: Python) {
    let hive = Hive::new();
    let settings = hive.builder().project("p").session_name("s");
    let tracer = hive.init(settings.session_id("550E8400-E29B-41D4-A716-446655440000"));
    drop(tracer.span("op").start());
    python
        .but(Bug(29), |it| {
            it.resources = Some(vec![object(json!({"service.name": "p"}))])
        })
        .compare(&hive);
    let id = &hive.server.sessions()[0].session_id;
    assert_eq!(id, "550e8400-e29b-41d4-a716-446655440000");
}

pub(crate) fn init_in_a_session_that_exists(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer_without_project("s");
    let session = NewSession::existing("550e8400-e29b-41d4-a716-446655440000");
    let session = tracer.create_session(session);
    session.in_scope(|| drop(tracer.span("op").start()));
    python
        .but(SPANS_CREATE, creates_session("op", "session-<8 hex>"))
        .compare(&hive);
    assert_eq!(
        hive.server.sessions()[0].session_id,
        session.id().to_string()
    );
}

pub(crate) fn session_start(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let new = || NewSession::named("s").inputs(json!({"a": 1}));
    let first = tracer.session_start(new());
    let second = tracer.session_start(new());
    assert_ne!(first.id(), second.id());
    python
        .but(Because("every start names the project"), |it| {
            it.sessions[1]
                .fields
                .insert("project".to_owned(), json!("p"));
        })
        .compare(&hive);

    // Bug 13: the answer counts, so what follows is in the second session.
    tracer.enrich_session(Enrichment::new().metadata(json!({"after": true})));
    hive.received();
    let second = hive.server.session(&second.id().to_string()).unwrap();
    assert_eq!(second.metadata["after"], true);
}

pub(crate) fn inputs_with_dotted_keys(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer_without_project("s");
    let inputs = json!({"x.y": {"z": 1}, "k.l": 2});
    tracer.session_start(NewSession::named("s").inputs(&inputs));
    python
        .but(Bug(10), |it| {
            it.keys.insert("<project-key>".to_owned());
            it.sessions.push(Session {
                name: Some("s".to_owned()),
                fields: object(json!({"source": "dev", "inputs": inputs})),
                ..Session::default()
            });
        })
        .compare(&hive);
}

pub(crate) fn create_session_with_every_field(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    let session = tracer.create_session(
        NewSession::named("req-1")
            .inputs(json!({"q": "x", "n": null}))
            .metadata(json!({"m": {"a": 1}}))
            .user_properties(json!({"user_id": "u1"}))
            .source("override-source"),
    );
    session.in_scope(|| {
        drop(tracer.span("op").start());
        tracer.enrich_session(Enrichment::new().outputs(json!({"ok": true})));
    });
    python
        .but(BEGINS_LATE, no_session("startup"))
        .but(SESSIONS_SOURCE, no_field("source"))
        .compare(&hive);
}

pub(crate) fn create_session_without_a_name(python: Python) {
    let hive = Hive::new();
    hive.tracer_without_project("startup")
        .create_session(NewSession::default());
    python
        .but(BEGINS_LATE, no_session("startup"))
        .compare(&hive);
}

pub(crate) fn link_to_a_session(python: Python) {
    let hive = Hive::new();
    hive.knows("existing-id-1");
    hive.knows("existing-id-2");
    let tracer = hive.tracer("startup");
    let linked = tracer.create_session(NewSession::existing("existing-id-1"));
    linked.in_scope(|| {
        drop(tracer.span("linked").start());
        tracer.enrich_session(Enrichment::new().metadata(json!({"turn": 1})));
    });
    let named = NewSession::named("conv")
        .id("existing-id-2")
        .skip_api_call(true);
    tracer.create_session(named).in_scope(|| {
        drop(tracer.span("linked-with-name").start());
        tracer.enrich_session(Enrichment::new().metadata(json!({"turn": 2})));
    });
    tracer.create_session(NewSession::named("no-id").skip_api_call(true));
    python
        .but(BEGINS_LATE, no_session("startup"))
        .but(Bug(14), no_attribute("baggage.session_name"))
        .but(SPANS_CREATE, creates_session("linked", "session-<8 hex>"))
        .but(SPANS_CREATE, creates_session("linked-with-name", "conv"))
        .compare(&hive);
}

pub(crate) fn acreate_session_in_every_variant(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    run(async {
        let new = NewSession::named("req")
            .inputs(json!({"q": 1}))
            .metadata(json!({"m": 1}))
            .user_properties(json!({"u": 1}))
            .source("src");
        let full = tracer.acreate_session(new).await.unwrap();
        full.scope(async { drop(tracer.span("a").start()) }).await;
        tracer.acreate_session(NewSession::default()).await.unwrap();
        let id = "550e8400-e29b-41d4-a716-446655440010";
        let custom = tracer
            .acreate_session(NewSession::named("n").id(id))
            .await
            .unwrap();
        assert_eq!(custom.id().to_string(), id);
        let link = tracer
            .acreate_session(NewSession::existing("existing-a"))
            .await
            .unwrap();
        link.scope(async { drop(tracer.span("b").start()) }).await;
        let link = NewSession::named("nm").id("existing-b").skip_api_call(true);
        let link = tracer.acreate_session(link).await.unwrap();
        link.scope(async { drop(tracer.span("c").start()) }).await;
        let skip = NewSession::named("x").skip_api_call(true);
        tracer.acreate_session(skip).await.unwrap();
    });
    drop(tracer.span("after-asyncio-run").start());
    python
        .but(SESSIONS_SOURCE, |it| {
            drop(it.span("a").fields.remove("source"))
        })
        .but(Bug(14), no_attribute("baggage.session_name"))
        .but(SPANS_CREATE, creates_session("b", "session-<8 hex>"))
        .but(SPANS_CREATE, creates_session("c", "nm"))
        .compare(&hive);
}

pub(crate) fn two_tasks_at_once(python: Python) {
    #[honeyhive::trace(event_type = "tool", tracer = tracer)]
    async fn step(tracer: &honeyhive::HoneyHiveTracer, who: &str, i: u32) -> String {
        tokio::task::yield_now().await;
        tracer.enrich_span(Enrichment::new().metadata(json!({"who": who, "i": i})));
        format!("{who}{i}")
    }
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    let task = async |who: &str| {
        let session = tracer.create_session(format!("task-{who}"));
        let work = async {
            step(&tracer, who, 1).await;
            step(&tracer, who, 2).await;
            tracer.enrich_session(Enrichment::new().outputs(json!({"who": who})));
        };
        session.scope(work).await;
    };
    run(async {
        tokio::join!(task("a"), task("b"));
        step(&tracer, "main", 0).await;
    });
    python.but_traced().compare(&hive);
}
