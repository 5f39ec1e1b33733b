//! Tracers and programs have a test mode, flushes and an end.

use honeyhive::opentelemetry::trace::{Tracer as _, TracerProvider as _};
use honeyhive::{Enrichment, EventType, FlushError, HoneyHiveTracer};
use serde_json::json;

use crate::edits::{failed, no_session, no_span, object};
use crate::hive::{Hive, PATIENCE};
use crate::meaning::Span;
use crate::python::{BEGINS_LATE, Because, Bug, Python};

#[honeyhive::trace(event_type = "tool", tracer = tracer, skip(tracer))]
fn f(tracer: &HoneyHiveTracer, x: u8) -> u8 {
    x
}

pub(crate) fn test_mode(python: Python) {
    let hive = Hive::new();
    let settings = hive.builder().project("p").session_name("s");
    let tracer = hive.init(settings.test_mode(true));
    f(&tracer, 1);
    let session = tracer.create_session("in-test-mode");
    session.in_scope(|| {
        tracer.enrich_session(Enrichment::new().metadata(json!({"a": 1})));
        let event = tracer.span("ev").event_type(EventType::Tool);
        drop(event.inputs(json!({"a": 1})).start());
    });
    python
        .but(Bug(28), |it| {
            it.sessions.clear();
            it.keys.clear();
        })
        .compare(&hive);
}

pub(crate) fn force_flush(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let flush = || tracer.force_flush_blocking(PATIENCE).unwrap();
    assert_eq!(flush().delivered, 0);
    drop(tracer.span("a").start());
    assert!(flush().delivered > 0);
    let calls = hive.server.requests().len();
    assert_eq!(flush().delivered, 0);
    assert_eq!(hive.server.requests().len(), calls);
    python.compare(&hive);
}

pub(crate) fn shutdown(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    f(&tracer, 1);
    tracer.shutdown_blocking(PATIENCE).unwrap();
    assert_eq!(f(&tracer, 2), 2);
    let after = tracer.span("after").start();
    after.in_scope(|| tracer.enrich_span(Enrichment::new().metadata(json!({"a": 1}))));
    drop(after);
    tracer.enrich_session(Enrichment::new().metadata(json!({"a": 1})));
    tracer.create_session("x");
    let flushed = tracer.force_flush_blocking(PATIENCE);
    assert!(matches!(flushed, Err(FlushError::ShutDown)));
    assert!(tracer.shutdown_blocking(PATIENCE).is_err());
    hive.tracer("s2");
    let third = hive.tracer("s3");
    drop(third.span("from-new-tracer").start());
    const OVER: crate::python::Why = Because("after a shutdown nothing is sent, and it is counted");
    python
        .but_traced()
        .but(OVER, |it| drop(it.session("s").fields.remove("metadata")))
        .but(Bug(11), |it| {
            let span = it.take_span("from-new-tracer");
            it.session("s3").spans.push(span);
        })
        .but(OVER, no_session("x"))
        .but(BEGINS_LATE, no_session("s2"))
        .compare(&hive);
    assert_eq!(tracer.stats().dropped.total(), 4, "{:?}", tracer.stats());
}

pub(crate) fn the_end_of_the_program(python: Python) {
    let hive = Hive::new();
    let main = || {
        let tracer = hive.tracer("s");
        let _guard = tracer.shutdown_guard();
        for i in 0..3 {
            f(&tracer, i);
        }
    };
    main();
    assert!(
        !hive.server.requests().is_empty(),
        "the guard has delivered"
    );
    python.but_traced().compare(&hive);
}

pub(crate) fn the_end_by_an_error(python: Python) {
    #[honeyhive::trace(event_type = "tool", tracer = tracer, skip(tracer))]
    fn f(tracer: &HoneyHiveTracer, x: u8) -> Result<u8, String> {
        Err("top".to_owned())
    }
    let hive = Hive::new();
    let main = || -> Result<(), String> {
        let tracer = hive.tracer("s");
        let _guard = tracer.shutdown_guard();
        f(&tracer, 1)?;
        Ok(())
    };
    main().unwrap_err();
    assert!(
        !hive.server.requests().is_empty(),
        "the guard has delivered"
    );
    python
        .but_traced()
        .but(Bug(21), no_span("f_error"))
        .but(Bug(21), failed("f", "top"))
        .compare(&hive);
}

pub(crate) fn a_tracer_after_another(python: Python) {
    let hive = Hive::new();
    let first = hive.tracer("first");
    drop(first.span("one").start());
    first.shutdown_blocking(PATIENCE).unwrap();
    let second = hive.tracer("second");
    drop(second.span("two").start());
    drop(second.provider().tracer("foreign").start("foreign-two"));
    python
        .but(Bug(5), |it| {
            it.session("second").spans.push(Span {
                name: "two".to_owned(),
                fields: object(json!({"type": "tool"})),
                ..Span::default()
            });
        })
        .compare(&hive);
}
