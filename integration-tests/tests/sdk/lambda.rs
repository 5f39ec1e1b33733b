//! `honeyhive::lambda` works without any runtime: the tests say what a guard records, and when.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong here should stop the test"
)]

use std::fmt::Debug;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use honeyhive::lambda::{
    HandlerGuard, Invocation, InvocationGuard, LambdaInstrumentation, LambdaInstrumentationBuilder,
    SessionTrust,
};
use honeyhive::testing::{CapturedSession, tracer};
use honeyhive::{Enrichment, HoneyHiveTracer, Session, SessionId, SessionTransport};
use honeyhive_local::{Endpoint, Fault, LocalServer};
use integration_tests::app::Refusal;
use integration_tests::harness::PATIENCE;
use integration_tests::harness::local_server;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

const NAME: &str = "summarise";

fn begin(instrumentation: &LambdaInstrumentation, event: &'static str) -> InvocationGuard {
    let event = Bytes::from_static(event.as_bytes());
    instrumentation.on_invocation(&Invocation::new("r-1", NAME, &event))
}

/// Returns the session of an invocation that is handled by `handle`.
fn recorded(handle: impl FnOnce(InvocationGuard)) -> CapturedSession {
    let (tracer, captured) = tracer();
    handle(begin(&tracer.into(), "{}"));
    captured.only_session()
}

fn assert_ended(session: &CapturedSession, outcome: &str, error: Option<&str>) {
    assert_eq!(session.metadata["outcome"], outcome, "{session:#?}");
    assert_eq!(session.error.as_deref(), error, "{session:#?}");
    assert!(session.metadata["latency_ms"].is_f64(), "{session:#?}");
    assert!(session.end_time.is_some() && session.duration.is_some());
}

/// Polls the flush to its end.
async fn flushed(guard: &mut InvocationGuard) {
    let flush = poll_fn(|cx| guard.poll_flush(cx));
    let limited = tokio::time::timeout(PATIENCE, flush).await;
    limited.expect("a flush that ends");
}

#[test]
fn what_the_handler_tells_is_the_outcome() {
    let told = |tell: fn(&HandlerGuard)| {
        recorded(|mut guard| {
            guard.run(|| tell(&HandlerGuard::current()));
            guard.on_answer();
        })
    };
    assert_ended(&told(HandlerGuard::on_success), "complete", None);
    let failed = told(|handler| handler.on_error(&Refusal("out of tokens")));
    assert_ended(&failed, "error", Some("out of tokens"));
    let unfinished = "the answer was given before the handler had ended";
    assert_ended(&told(|_| ()), "error", Some(unfinished));
}

#[test]
fn without_a_guard_around_the_handler_an_invocation_was_answered() {
    assert_ended(&recorded(|mut guard| guard.on_answer()), "answered", None);
}

#[test]
fn silence_of_an_announced_handler_is_an_error_for_every_layer_around_it() {
    let (outer, outer_captured) = tracer();
    let (inner, inner_captured) = tracer();
    let layers = [outer, inner].map(LambdaInstrumentation::new);
    layers[0].on_ready(|| layers[1].on_ready(HandlerGuard::announce));
    for layer in &layers {
        begin(layer, "{}").on_answer();
    }
    let never_ran = "the runtime answered before the handler ran; its log says why";
    for captured in [outer_captured, inner_captured] {
        assert_ended(&captured.only_session(), "error", Some(never_ran));
    }
}

#[test]
fn the_innermost_word_about_a_handler_stands() {
    let session = recorded(|mut guard| {
        guard.run(|| {
            HandlerGuard::current().on_error(&Refusal("first"));
            HandlerGuard::current().on_success();
        });
        guard.on_answer();
    });
    assert_ended(&session, "error", Some("first"));
}

#[test]
fn an_answer_that_cannot_be_given_is_an_error_whatever_the_handler_says() {
    let session = recorded(|mut guard| {
        guard.run(|| HandlerGuard::current().on_success());
        guard.on_error(&Refusal("the runtime API is gone"));
        guard.on_answer();
    });
    assert_ended(&session, "error", Some("the runtime API is gone"));
}

#[test]
fn a_panic_is_recorded_and_goes_on() {
    let session = recorded(|mut guard| {
        let caught = catch_unwind(AssertUnwindSafe(|| guard.run(|| panic!("too bad"))));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"too bad"));
    });
    assert_ended(&session, "panicked", Some("panicked: too bad"));
}

#[test]
fn a_panic_that_the_runtime_answers_for_is_told_by_the_handler() {
    let session = recorded(|mut guard| {
        guard.run(|| {
            let handler = HandlerGuard::current();
            let caught = catch_unwind(AssertUnwindSafe(|| handler.run(|| panic!("too bad"))));
            assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"too bad"));
        });
        guard.on_answer();
    });
    assert_ended(&session, "panicked", Some("panicked: too bad"));
}

#[test]
fn a_guard_that_is_dropped_was_cancelled() {
    let session = recorded(drop);
    let error = "cancelled: the future was dropped before its end";
    assert_ended(&session, "cancelled", Some(error));
}

#[test]
fn a_handler_guard_outside_every_invocation_does_nothing() {
    let guard = HandlerGuard::current();
    guard.on_error(&Refusal("nobody hears this"));
    assert_eq!(guard.run(|| 42), 42);
}

#[test]
fn the_session_is_current_in_every_piece_and_only_there() {
    let session = recorded(|mut guard| {
        let id = guard.session().unwrap().id();
        for _ in 0..2 {
            let here = guard.run(|| Session::current().unwrap().id());
            assert_eq!(here, id);
        }
        assert!(Session::current().is_none());
        guard.run(|| {
            let more = Enrichment::new().inputs(json!({"question": "why?"}));
            Session::current().unwrap().enrich(more);
        });
        guard.on_answer();
    });
    let expected = json!({"event": {}, "question": "why?"});
    assert_eq!(json!(session.inputs), expected);
}

#[test]
fn what_is_enriched_in_a_linked_invocation_reaches_that_session() {
    let (tracer, captured) = tracer();
    let mut guard = begin(&tracer.clone().into(), r#"{"session_id": "thread 7"}"#);
    let id = SessionId::from_correlation_id("thread 7");
    guard.run(|| tracer.enrich_session(Enrichment::new().outputs(json!({"turn": 2}))));
    guard.on_answer();
    drop(guard);
    let session = captured.only_session();
    assert_eq!((session.id, session.name.as_deref()), (id, None));
    assert_eq!(session.outputs["turn"], 2);
    assert_eq!(session.metadata["request_id"], "r-1");
    assert!(session.inputs.is_empty() && session.duration.is_none());
}

#[test]
fn an_id_that_the_handler_finds_elsewhere_in_its_event_moves_the_invocation_there() {
    let (tracer, captured) = tracer();
    let message = r#"{"Records": [{"messageAttributes": {"conversation": "trip-42"}}]}"#;
    let mut guard = begin(&tracer.clone().into(), message);
    guard.run(|| {
        let session = Session::current().expect("the invocation's");
        session.link_to("trip-42");
        drop(tracer.span("work").start());
        HandlerGuard::current().on_success();
    });
    guard.on_answer();
    drop(guard);
    let session = captured.only_session();
    assert_eq!(session.id, SessionId::from_correlation_id("trip-42"));
    assert_eq!(session.metadata["outcome"], "complete");
    assert_eq!(session.metadata["request_id"], "r-1");
    session.assert_tree(&format!("{}\n  work [tool]", session.id));
}

#[test]
fn ids_that_are_not_usable_are_counted_and_null_is_none() {
    let (tracer, captured) = tracer();
    let instrumentation = LambdaInstrumentation::new(tracer.clone());
    let bad = [
        r#"{"session_id": ""}"#,
        r#"{"session_id": "undefined"}"#,
        r#"{"session_id": "a\nb"}"#,
        r#"{"session_id": 7}"#,
        r#"{"session_id": "a", "session_id": "b"}"#,
    ];
    for event in bad {
        drop(begin(&instrumentation, event));
    }
    let fine = [r#"{"session_id": null}"#, "{}", "[]", "{nonsense"];
    for event in fine {
        drop(begin(&instrumentation, event));
    }
    assert_eq!(tracer.stats().ignored_session_ids, bad.len() as u64);
    assert_eq!(captured.sessions().len(), bad.len() + fine.len());
}

#[test]
fn a_callback_that_panics_is_counted_and_the_id_is_absent() {
    let (tracer, captured) = tracer();
    let instrumentation = LambdaInstrumentation::builder(tracer.clone())
        .session_trust(SessionTrust::with(|_| panic!("in the callback")))
        .build();
    drop(begin(&instrumentation, r#"{"session_id": "s"}"#));
    assert_eq!(tracer.stats().callback_panics, 1);
    assert_eq!(captured.only_session().name.as_deref(), Some(NAME));
}

#[test]
fn layers_of_two_tracers_are_independent_and_both_hear_the_handler() {
    let (outer, outer_captured) = tracer();
    let (inner, inner_captured) = tracer();
    let mut outer_guard = begin(&outer.into(), "{}");
    let mut inner_guard = outer_guard.run(|| begin(&inner.into(), "{}"));
    outer_guard.run(|| {
        inner_guard.run(|| HandlerGuard::current().on_success());
        inner_guard.on_answer();
    });
    outer_guard.on_answer();
    assert_ended(&outer_captured.only_session(), "complete", None);
    assert_ended(&inner_captured.only_session(), "complete", None);
}

#[test]
fn over_otlp_the_spans_create_the_session_and_the_rest_follows_them() {
    let honeyhive = local_server().start_blocking().unwrap();
    let tracer = HoneyHiveTracer::builder()
        .api_key("hh_lambda")
        .server_url(honeyhive.url())
        .session_transport(SessionTransport::Otlp)
        .build()
        .unwrap();
    let mut guard = begin(&tracer.clone().into(), r#"{"message": "hi"}"#);
    let id = guard.session().unwrap().id();
    guard.run(|| drop(tracer.span("work").start()));
    guard.on_answer();
    tracer.force_flush_blocking(PATIENCE).unwrap();
    let session = honeyhive.session(&id.to_string()).unwrap();
    assert!(session.auto_created && session.posts == 0, "{session:#?}");
    assert_eq!(session.metadata["outcome"], "answered");
    let inputs = &session.metadata["inputs"];
    assert_eq!(*inputs, json!({"event": {"message": "hi"}}));
}

#[test]
fn neither_a_guard_nor_an_invocation_shows_the_event() {
    let (tracer, _captured) = tracer();
    let event = Bytes::from_static(br#"{"password": "s3cret"}"#);
    let invocation = Invocation::new("r-1", NAME, &event).with_deadline(SystemTime::now());
    let guard = LambdaInstrumentation::new(tracer).on_invocation(&invocation);
    for shown in [format!("{invocation:?}"), format!("{guard:#?}")] {
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(!shown.contains("115, 51, 99"), "{shown}");
    }
}

/// Returns a HoneyHive that never answers, and an instrumentation of it.
fn hanging(
    settings: impl FnOnce(LambdaInstrumentationBuilder) -> LambdaInstrumentationBuilder,
) -> (LocalServer, LambdaInstrumentation) {
    let honeyhive = local_server().start_blocking().unwrap();
    honeyhive.fail(Fault::hang().on(Endpoint::All));
    let tracer = HoneyHiveTracer::builder()
        .api_key("hh_lambda")
        .server_url(honeyhive.url())
        .build()
        .unwrap();
    let instrumentation = settings(LambdaInstrumentation::builder(tracer)).build();
    (honeyhive, instrumentation)
}

#[tokio::test]
async fn a_flush_that_fails_is_one_line_in_the_log_and_loses_nothing() {
    let lines = Lines::default();
    let recorder = tracing_subscriber::registry().with(lines.clone());
    let _logged = tracing::subscriber::set_default(recorder);
    let (_honeyhive, instrumentation) =
        hanging(|settings| settings.flush_timeout(Duration::from_millis(1)));
    for _ in 0..3 {
        let mut guard = begin(&instrumentation, "{}");
        guard.on_answer();
        flushed(&mut guard).await;
    }
    let lines = lines.0.lock().unwrap().clone();
    // Lines of other tests' tracers that nobody has heard are heard here too.
    let of_flushes: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("still pending after 1ms"))
        .collect();
    let [line] = of_flushes.as_slice() else {
        panic!("one line: {lines:#?}");
    };
    assert!(line.starts_with("after an invocation: "), "{line}");
    let stats = instrumentation.tracer().stats();
    assert_eq!((stats.dropped.total(), stats.delivered), (0, 0));
}

#[tokio::test]
async fn while_nothing_gets_through_an_invocation_is_not_held_for_the_whole_time() {
    let an_hour = Duration::from_secs(3_600);
    let (_honeyhive, instrumentation) = hanging(|settings| settings.flush_timeout(an_hour));
    let event = Bytes::from_static(b"{}");
    let invocation = Invocation::new("r-1", NAME, &event);
    // The first learns it; only its deadline ends that.
    let soon = SystemTime::now() + Duration::from_secs(1);
    for invocation in [invocation.with_deadline(soon), invocation, invocation] {
        let mut guard = instrumentation.on_invocation(&invocation);
        guard.on_answer();
        flushed(&mut guard).await;
    }
    let stats = instrumentation.tracer().stats();
    assert_eq!((stats.dropped.total(), stats.delivered), (0, 0));
}

#[tokio::test]
async fn a_flush_after_the_shutdown_is_over_at_once() {
    let (tracer, _captured) = tracer();
    let instrumentation = LambdaInstrumentation::new(tracer.clone());
    tracer.shutdown(PATIENCE).await.unwrap();
    let mut guard = begin(&instrumentation, "{}");
    guard.on_answer();
    flushed(&mut guard).await;
}

/// `Lines` has the log lines of the core on this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
                self.0 += &format!("{value:?} ");
            }
        }
        if event.metadata().target() == "honeyhive" {
            let mut text = Text(String::new());
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
    }
}
