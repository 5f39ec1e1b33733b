//! The API's types have uses: keys of maps, names in a configuration, futures that can be spawned.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::future::IntoFuture;
use std::time::Duration;

use honeyhive::opentelemetry::trace::TraceContextExt as _;
use honeyhive::redaction::{Field, Place, Verdict};
use honeyhive::{
    DropPolicy, DropReason, Enrichment, EventType, HoneyHiveTracer, NewSession, Session, SessionId,
    json, opentelemetry_sdk, testing,
};

#[test]
#[expect(
    clippy::mutable_key_type,
    reason = "handles are told apart by where they are, and that does not change"
)]
fn handles_of_one_session_are_one_key_wherever_it_moves() {
    let (tracer, _captured) = testing::tracer();
    let chat = tracer.create_session("chat");
    let other = tracer.create_session("chat");
    let mut turns = HashMap::from([(chat.clone(), 1), (other.clone(), 7)]);
    chat.link_to("conversation-7");
    chat.in_scope(|| *turns.get_mut(&Session::current().unwrap()).unwrap() += 1);

    assert_eq!(turns[&chat], 2);
    assert_ne!(chat, other);
    assert_eq!(HashSet::from([chat.clone(), chat, other]).len(), 2);
}

#[test]
fn an_id_goes_to_another_crates_uuid_and_back() {
    let id = SessionId::new();
    let uuid = uuid::Uuid::from_u128(id.as_u128());
    assert_eq!(uuid.to_string(), id.to_string());
    assert_eq!(SessionId::from(uuid.into_bytes()), id);
    let session = NewSession::named("chat").id(SessionId::from_bytes(uuid.into_bytes()));
    let (tracer, _captured) = testing::tracer();
    assert_eq!(tracer.create_session(session).id(), id);
}

#[test]
fn settings_are_read_by_their_names() {
    assert_eq!("Model".parse(), Ok(EventType::Model));
    assert_eq!("oldest".parse(), Ok(DropPolicy::Oldest));
    let error = "llm".parse::<EventType>().unwrap_err().to_string();
    assert!(error.contains("`model`, `chain` or `tool`"), "{error}");
    let error = "".parse::<DropPolicy>().unwrap_err().to_string();
    assert!(error.contains("`newest` or `oldest`"), "{error}");
}

#[test]
fn drops_are_told_by_their_reason() {
    let tracer = HoneyHiveTracer::builder()
        .test_mode(true)
        .max_pending_items(0)
        .build()
        .unwrap();
    tracer.create_session("chat");
    let dropped = tracer.stats().dropped;
    assert_eq!(dropped.get(DropReason::QueueFull), 1);
    assert_eq!(dropped.get(DropReason::Rejected), 0);
    assert_eq!(dropped.total(), 1);
}

#[tokio::test]
async fn a_duration_that_is_said_goes_before_what_was_measured() {
    let (tracer, captured) = testing::tracer();
    let call = tracer.with_session("phone call", async |session| {
        let said = Enrichment::new().duration(Duration::from_secs(7));
        session.enrich(said.metadata(json!({"line": 1})));
        session.enrich(Enrichment::new().duration(Duration::from_millis(1_500)));
    });
    call.await;
    assert_eq!(captured.only_session().duration, Some(1_500.0));
}

#[test]
fn the_context_of_a_span_outlives_the_handle() {
    let (tracer, captured) = testing::tracer();
    let cx = {
        let span = tracer.span("outer").start();
        span.context()
    };
    assert!(cx.span().span_context().is_valid());
    assert_eq!(captured.only_session().events.len(), 1);
}

#[tokio::test]
async fn a_unit_of_work_and_a_server_can_be_spawned_without_a_clone_of_the_tracer() {
    let (tracer, captured) = testing::tracer();
    let job = tokio::spawn(
        tracer.with_session(String::from("job"), |session| async move { session.id() }),
    );
    let server = tracer.serve(|_stop| async { 42 }).into_future();
    drop(tracer);
    let served = tokio::spawn(server);

    assert_eq!(job.await.unwrap(), captured.only_session().id);
    assert_eq!(served.await.unwrap().output, Some(42));
}

#[test]
fn errors_of_a_lambda_handler_are_errors() {
    fn is_error<E: Error + Send + Sync + 'static>() {}
    is_error::<honeyhive_tower::LambdaHandlerError>();
}

#[test]
fn what_a_program_needs_beside_comes_with_the_crate() {
    let _: Option<opentelemetry_sdk::trace::SdkTracerProvider> = None;
    let hook = |field: &Field<'_>| match field.place() {
        Place::Span => Verdict::Keep,
        _ => Verdict::Mask,
    };
    let redaction = honeyhive::redaction::Redaction::new().hook(hook);
    let (tracer, captured) = testing::tracer();
    tracer.create_session(NewSession::named("chat").inputs(json!({"a": 1})));
    assert_eq!(captured.only_session().inputs["a"], 1);
    drop(redaction);
}
