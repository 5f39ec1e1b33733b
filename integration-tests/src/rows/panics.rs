//! A panic is recorded and goes on unchanged.

use crate::adapter::Adapter;
use crate::app::PANIC_TEXT;
use crate::harness::{Stage, assert_ended, assert_error};

/// The handler panics when it is first polled. The framework treats the panic as it always does: here the connection
/// ends.
pub async fn a_panic_at_once_is_recorded_and_goes_on<A: Adapter>() {
    panics_before_its_head::<A>("/panic", &[]).await;
}

/// The handler panics after an await: the spans that were made before are delivered.
pub async fn a_panic_after_an_await_is_recorded_and_goes_on<A: Adapter>() {
    panics_before_its_head::<A>("/panic-later", &["doomed"]).await;
}

async fn panics_before_its_head<A: Adapter>(path: &str, spans: &[&str]) {
    let stage = Stage::start::<A>().await;
    let attempt = stage.request("GET", path).attempt().await;
    assert!(attempt.is_err(), "nobody catches it: {attempt:?}");
    let session = stage.only_session().await;
    assert_ended(&session, 500, "panicked");
    assert_error(&session, PANIC_TEXT);
    assert_eq!((session.posts, session.updates), (1, 0));
    let id = session.session_id.parse().expect("a UUID");
    assert_eq!(stage.span_names(id), spans);
    assert_eq!(stage.stats().accepted, 2 + spans.len() as u64);

    let next = stage.request("GET", "/status/200").send().await;
    assert_eq!(next.status, 200, "the server lives");
}

/// The body panics while it is polled: the status was sent already and stays.
pub async fn a_panic_in_a_body_is_recorded_with_the_status_that_was_sent<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let opened = stage.request("GET", "/panic-in-body").open().await;
    let id = opened.session_id();
    assert_eq!(opened.0.status(), 200);
    let rest = opened.rest().await;
    assert!(rest.is_err(), "the body never ends: {rest:?}");
    let session = stage.session(id).await;
    assert_ended(&session, 200, "panicked");
    assert_error(&session, PANIC_TEXT);
    assert_eq!(stage.endings(), 1);
    assert_eq!(stage.stats().accepted, 2 + 5);
}
