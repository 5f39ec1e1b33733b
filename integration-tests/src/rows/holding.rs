//! Ends are held back until what was recorded has been delivered, for hosts that stop a process after its response.

use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use honeyhive::SessionId;
use honeyhive_local::Fault;

use crate::adapter::Adapter;
use crate::app::{EVENTS, TOKENS, payload};
use crate::harness::{PATIENCE, Stage, StageBuilder, assert_ended, has_ended};

/// The whole session has arrived once the answer is there, which is the same as without the setting, where nobody waits
/// for a HoneyHive that does not answer.
pub async fn what_has_been_answered_has_been_delivered<A: Adapter>() {
    for (method, path, status) in [
        ("POST", "/chat/7", 200),
        ("GET", "/bytes/200000", 200),
        ("GET", "/bytes/0", 200),
        ("GET", "/tokens", 200),
        ("GET", "/events", 200),
        ("GET", "/declared", 200),
        ("GET", "/status/204", 204),
        ("GET", "/status/304", 304),
        ("GET", "/status/500", 500),
        ("HEAD", "/bytes/1000", 200),
        ("GET", "/nowhere", 404),
    ] {
        for is_http2 in [false, true] {
            // HTTP/2 has an end beside the length, and that body has none.
            if is_http2 && path == "/declared" {
                continue;
            }
            let what = format!("{method} {path}, HTTP/2: {is_http2}");
            let call = |stage: &Stage| {
                let call = stage.request(method, path);
                if is_http2 { call.http2() } else { call }
            };
            let stage = holding(PATIENCE).start::<A>().await;
            let answer = call(&stage).send().await;
            assert_eq!(answer.status, status, "{what}");
            let session = stage.known(answer.session_id());
            assert_ended(&session, status, "complete");
            assert_eq!(stage.stats().pending, 0, "{what}");

            let plain = Stage::builder().impatient().start::<A>().await;
            plain.honeyhive.fail(Fault::hang());
            let same = call(&plain).send().await;
            assert_eq!(same.without_session(), answer.without_session(), "{what}");
            assert!(plain.stats().pending > 0, "{what}: nobody waits");
            plain.honeyhive.heal();
        }
    }
}

/// A handler that fails and a body that breaks are delivered, too, before the client learns of it.
pub async fn a_failure_is_delivered_before_it_is_told<A: Adapter>() {
    let stage = holding(PATIENCE).start::<A>().await;
    let answer = stage.request("GET", "/fail").send().await;
    assert_eq!(answer.status, 500);
    assert_eq!(stage.stats().pending, 0);
    assert_eq!(stage.honeyhive.sessions().len(), 1);
    let broken = stage.request("GET", "/broken").attempt().await;
    assert!(broken.is_err(), "{broken:?}");
    assert_eq!(stage.stats().pending, 0);
    let sessions = stage.honeyhive.sessions();
    assert_eq!(sessions.len(), 2);
    assert!(sessions.iter().all(has_ended), "{sessions:#?}");
}

/// The pieces of a stream come as they are made: only the end waits.
pub async fn a_stream_flows_until_its_end<A: Adapter>() {
    let stage = holding(PATIENCE).start::<A>().await;
    let mut opened = stage.request("GET", "/parked-events").open().await;
    assert_eq!(opened.piece().await, EVENTS[0]);
    stage.app.entered.taken().await;
    stage.honeyhive.fail(Fault::status(503));
    stage.app.release.give();
    for event in &EVENTS[1..] {
        assert_eq!(opened.piece().await, *event);
    }
    stage
        .until("the end is waited for", |honeyhive| {
            !honeyhive.requests().is_empty()
        })
        .await;
    let mut rest = pin!(opened.rest());
    let ended = rest.as_mut().now_or_never();
    assert!(ended.is_none(), "the end is held back: {ended:?}");
    stage.honeyhive.heal();
    assert_eq!(rest.await.expect("the end").body, "");
}

/// HoneyHive does not answer: a response ends when the time is up, whole.
pub async fn nobody_waits_longer_than_was_said<A: Adapter>() {
    let stage = holding(Duration::from_millis(50))
        .impatient()
        .start::<A>()
        .await;
    stage.honeyhive.fail(Fault::hang());
    for (path, body) in [
        ("/tokens", TOKENS.concat().into_bytes()),
        ("/bytes/5000", payload(5_000).to_vec()),
    ] {
        let answer = stage.request("GET", path).send().await;
        assert_eq!((answer.status, answer.body.to_vec()), (200, body));
    }
    assert!(stage.stats().pending > 0);
    stage.honeyhive.heal();
}

/// A client that left, before the answer or within it, is not waited for, and what it leaves goes out at once.
pub async fn a_client_that_left_is_delivered_without_a_wait<A: Adapter>() {
    let stage = holding(PATIENCE).start::<A>().await;
    let waiting = Waiting::on(&stage);
    let mut opened = stage.request("GET", "/parked-events").open().await;
    assert_eq!(opened.piece().await, EVENTS[0]);
    stage.app.entered.taken().await;
    drop(opened);
    waiting.goes_out_with_an_end(&stage).await;
    let sessions = stage.honeyhive.sessions();
    let session = sessions.iter().find(|it| has_ended(it));
    assert_ended(session.expect("it has ended"), 200, "client_disconnected");

    let stage = holding(PATIENCE).start::<A>().await;
    let waiting = Waiting::on(&stage);
    let request = b"GET /park HTTP/1.1\r\nhost: here\r\n\r\n";
    let connection = stage.connect(request).await;
    stage.app.entered.taken().await;
    drop(connection);
    waiting.goes_out_with_an_end(&stage).await;
}

/// A handler or a body that panics has nothing left to hold back: what it leaves is delivered, and the panic goes on.
pub async fn a_panic_is_delivered_without_a_wait<A: Adapter>() {
    for path in ["/panic", "/panic-in-body"] {
        let stage = holding(PATIENCE).start::<A>().await;
        let waiting = Waiting::on(&stage);
        drop(stage.request("GET", path).attempt().await);
        waiting.goes_out_with_an_end(&stage).await;
    }
}

/// A `Waiting` session has not ended; it goes out when delivery is told to and not before: an end goes out by itself in
/// a moment.
struct Waiting(SessionId);

impl Waiting {
    fn on(stage: &Stage) -> Self {
        Self(stage.tracer.create_session("waiting").id())
    }

    async fn goes_out_with_an_end(&self, stage: &Stage) {
        let id = self.0.to_string();
        stage
            .until("delivery has been told to begin", |honeyhive| {
                honeyhive.session(&id).is_some() && honeyhive.sessions().iter().any(has_ended)
            })
            .await;
    }
}

/// An untraced answer waits for nothing.
pub async fn an_untraced_answer_is_not_held_back<A: Adapter>() {
    let stage = holding(PATIENCE).impatient().start::<A>().await;
    stage.honeyhive.fail(Fault::hang());
    assert_eq!(stage.request("GET", "/healthz").send().await.status, 200);
    assert!(stage.honeyhive.requests().is_empty());
    stage.honeyhive.heal();
}

fn holding(timeout: Duration) -> StageBuilder {
    Stage::builder().instrumentation(move |builder| builder.hold_end(timeout))
}
