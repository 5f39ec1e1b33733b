//! The tests make requests within an experiment: in the datapoint's own process, and in a service that it calls.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use serde_json::json;

use super::{Headers, RequestInfo, ServerInstrumentation};
use crate::model::id::SessionId;
use crate::outbox::Experiment;
use crate::testing::{self, Captured};
use crate::{HoneyHiveTracer, NewSession, Session, SessionSampling, context};

struct Sent(Vec<(&'static str, String)>);

impl Headers for Sent {
    fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
        for (name, value) in &self.0 {
            visit(name, value.as_bytes());
        }
    }
}

fn experiment() -> Option<Experiment> {
    Experiment::of(["r-1", "EXT-d", "EXT-p"].map(|id| Some(id.into())))
}

fn datapoint(tracer: &HoneyHiveTracer) -> Session {
    tracer.create_session(NewSession::named("datapoint").experiment(experiment()))
}

/// Serves a request whose handler records a span.
fn serve(instrumentation: &ServerInstrumentation, tracer: &HoneyHiveTracer, headers: &Sent) {
    let request = RequestInfo::new("POST", "/chat", headers);
    let mut guard = instrumentation.on_request(&request);
    guard.run(|| drop(tracer.tool("work").start()));
    drop(guard.on_response(200, &Sent(Vec::new()), Some(0)));
}

fn with_span(tracer: &HoneyHiveTracer) -> ServerInstrumentation {
    let builder = ServerInstrumentation::builder(tracer.clone());
    builder.request_span(true).build().unwrap()
}

fn names(captured: &Captured, id: SessionId) -> Vec<String> {
    let session = captured.session(id).unwrap();
    let ids = ["run_id", "dataset_id", "datapoint_id"];
    for event in &session.events {
        let found = ids.map(|name| event.metadata[name].clone());
        assert_eq!(
            found,
            [json!("r-1"), json!("EXT-d"), json!("EXT-p")],
            "{}",
            event.name
        );
    }
    session.events.into_iter().map(|event| event.name).collect()
}

#[test]
fn spans_of_a_datapoint_say_of_which_whoever_made_them() {
    let (tracer, captured) = testing::tracer();
    let session = datapoint(&tracer);
    session.in_scope(|| {
        drop(tracer.tool("own").start());
        tracer
            .provider()
            .tracer("somebody's")
            .start("foreign")
            .end();
    });
    assert_eq!(names(&captured, session.id()), ["own", "foreign"]);
    let metadata = captured.only_session().metadata;
    assert_eq!(
        json!(metadata),
        json!({"run_id": "r-1", "dataset_id": "EXT-d", "datapoint_id": "EXT-p"})
    );
}

#[test]
fn a_request_in_the_process_joins_the_datapoint_and_leaves_its_outputs_alone() {
    let (tracer, captured) = testing::tracer();
    for (instrumentation, expected) in [
        (ServerInstrumentation::new(tracer.clone()), vec!["work"]),
        (with_span(&tracer), vec!["work", "POST /chat"]),
    ] {
        let session = datapoint(&tracer);
        let unit = session.as_unit_of_work(&Context::new());
        {
            let _current = context::attach(unit);
            serve(&instrumentation, &tracer, &Sent(Vec::new()));
        }
        assert_eq!(names(&captured, session.id()), expected);
        let found = captured.session(session.id()).unwrap();
        assert_eq!(
            (found.outputs.len(), found.end_time),
            (0, None),
            "it goes on"
        );
        assert_eq!(found.name.as_deref(), Some("datapoint"));
        if let Some(request) = found.events.iter().find(|it| it.name == "POST /chat") {
            assert_eq!(request.outputs["status_code"], json!(200));
        }
    }
    assert_eq!(captured.sessions().len(), 2, "no request began one");
}

#[test]
fn a_request_of_another_tracer_in_the_process_is_linked_to_the_datapoint() {
    let (tracer, _captured) = testing::tracer();
    let (app, seen) = testing::tracer();
    let session = datapoint(&tracer);
    let _current = context::attach(session.as_unit_of_work(&Context::new()));
    serve(
        &ServerInstrumentation::new(app.clone()),
        &app,
        &Sent(Vec::new()),
    );
    assert_eq!(names(&seen, session.id()), ["work", "POST /chat"]);
    assert_eq!(seen.only_session().outputs.len(), 0);
}

#[test]
fn a_service_that_is_called_knows_the_datapoint_and_says_how_it_went_on_its_own_span() {
    let (caller, _) = testing::tracer();
    let (tracer, captured) = testing::tracer();
    let session = datapoint(&caller);
    let headers = session.headers();
    assert_eq!(headers["x-session-id"], session.id().to_string());
    let sent = ["x-session-id", "baggage"].map(|name| {
        let value = headers[name].to_str().unwrap().to_owned();
        (name, value)
    });
    let instrumentation = ServerInstrumentation::new(tracer.clone());
    serve(&instrumentation, &tracer, &Sent(sent.to_vec()));
    assert_eq!(names(&captured, session.id()), ["work", "POST /chat"]);
    let found = captured.only_session();
    assert_eq!((found.name.as_deref(), found.outputs.len()), (None, 0));
    let request = found.event("POST /chat");
    assert_eq!(request.outputs["status_code"], json!(200));
    assert_eq!(request.inputs["method"], json!("POST"));
}

#[test]
fn the_program_names_a_request_of_a_callers_session_once() {
    let (tracer, captured) = testing::tracer();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let name = move |_: &RequestInfo<'_>| {
        let before = count.fetch_add(1, Ordering::Relaxed);
        format!("request {before}")
    };
    let builder = ServerInstrumentation::builder(tracer.clone()).session_name(name);
    let id = SessionId::new();
    let sent = Sent(vec![("baggage", format!("honeyhive.session_id={id}"))]);
    serve(&builder.build().unwrap(), &tracer, &sent);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let events = captured.session(id).unwrap().events;
    let names: Vec<_> = events.iter().map(|event| &*event.name).collect();
    assert_eq!(names, ["work", "request 0"]);
}

#[test]
fn ids_of_an_experiment_without_a_session_that_is_trusted_are_nobodys() {
    let (tracer, captured) = testing::tracer();
    let sent = Sent(vec![(
        "baggage",
        "run_id=r-1,datapoint_id=EXT-p".to_owned(),
    )]);
    serve(&ServerInstrumentation::new(tracer.clone()), &tracer, &sent);
    let session = captured.only_session();
    assert_eq!(session.outputs["status_code"], json!(200));
    assert!(!session.event("work").metadata.contains_key("run_id"));
}

#[test]
fn a_datapoint_in_baggage_that_another_library_has_read_is_told_on_spans() {
    let (tracer, captured) = testing::tracer();
    let id = SessionId::new();
    let cx = Context::new().with_baggage([
        KeyValue::new("honeyhive.session_id", id.to_string()),
        KeyValue::new("run_id", "r-1"),
        KeyValue::new("dataset_id", "EXT-d"),
        KeyValue::new("datapoint_id", "EXT-p"),
    ]);
    {
        let _current = context::attach(cx);
        drop(tracer.tool("work").start());
    }
    assert_eq!(names(&captured, id), ["work"]);
}

#[test]
fn no_sample_leaves_a_datapoint_out() {
    for sampling in [
        SessionSampling::ratio(0.0),
        SessionSampling::ratio(0.0).keep_errors(true),
    ] {
        let (tracer, captured) = testing::tracer_with(|builder| builder.sampling(sampling));
        let session = datapoint(&tracer);
        session.in_scope(|| drop(tracer.tool("work").start()));
        session.outputs(json!({"answer": 42}));
        tracer
            .create_session("another")
            .outputs(json!({"answer": 43}));
        assert_eq!(names(&captured, session.id()), ["work"]);
        assert_eq!(captured.only_session().outputs["answer"], json!(42));
    }
}

#[test]
fn a_span_ends_when_it_is_told_and_takes_more_until_it_is_dropped() {
    let (tracer, captured) = testing::tracer();
    let span = tracer.chain("function").start();
    let hour = Duration::from_secs(3_600);
    span.ends_at(SystemTime::now() + hour);
    span.metrics(json!({"score": 1}));
    drop(span);
    let event = captured.only_session().event("function").clone();
    assert_eq!(event.metrics["score"], json!(1));
    assert!(event.duration >= hour, "{:?}", event.duration);
}
