//! A client goes away early.

use honeyhive::http::SessionStart;
use honeyhive_local::{Fault, LocalServer, LocalSession};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::adapter::Adapter;
use crate::app::{EVENTS, HALF_ANSWER};
use crate::harness::{Stage, assert_ended};

/// A client leaves before the head, so that nobody has seen a status.
pub async fn a_client_that_leaves_before_the_head_is_recorded_as_499<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let request = b"GET /park HTTP/1.1\r\nhost: here\r\n\r\n";
    let connection = stage.connect(request).await;
    stage.app.entered.taken().await;
    drop(connection);
    let session = stage.until_ended().await;
    assert_ended(&session, 499, "client_disconnected");
    assert_eq!(session.name.as_deref(), Some("GET /park"));
    assert_eq!((stage.endings(), stage.stats().accepted), (1, 2));
}

/// A cancelled stream of an HTTP/2 connection counts as a client that left; the connection lives on.
pub async fn an_http2_request_that_is_cancelled_is_recorded_as_499<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let cancelled = tokio::spawn(stage.request("GET", "/park").http2().send());
    stage.app.entered.taken().await;
    cancelled.abort();
    let session = stage.until_ended().await;
    assert_ended(&session, 499, "client_disconnected");
    assert_eq!((stage.endings(), stage.stats().accepted), (1, 2));
    let next = stage.request("GET", "/status/200").http2().send().await;
    assert_eq!(next.status, 200, "the connection lives");
}

/// A client leaves while HoneyHive is asked to confirm the session, which it never does.
pub async fn a_client_that_leaves_before_the_confirmation_is_recorded_as_499<A: Adapter>() {
    let builder = Stage::builder().impatient();
    let builder = builder.instrumentation(|builder| builder.session_start(SessionStart::Confirmed));
    let stage = builder.start::<A>().await;
    stage.honeyhive.fail(Fault::hang().times(1));
    let request = b"GET /park HTTP/1.1\r\nhost: here\r\n\r\n";
    let connection = stage.connect(request).await;
    let asked = |honeyhive: &LocalServer| honeyhive.stats().requests > 0;
    stage.until("HoneyHive is asked", asked).await;
    drop(connection);
    let session = stage.until_ended().await;
    assert_ended(&session, 499, "client_disconnected");
    assert_eq!(stage.stats().accepted, 2);
}

/// A client leaves in the middle of an event stream: the status stands, the sent bytes are counted, and the spans that
/// were made arrive.
pub async fn a_client_that_leaves_an_event_stream_is_recorded_with_what_it_got<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let request = b"GET /parked-events HTTP/1.1\r\nhost: here\r\n\r\n";
    let session = leaving(&stage, request, EVENTS[0].as_bytes()).await;
    assert_ended(&session, 200, "client_disconnected");
    assert_eq!(session.metadata["response_bytes"], EVENTS[0].len());
    let id = session.session_id.parse().expect("a UUID");
    assert_eq!(stage.span_names(id), ["piece 0"]);
    assert_eq!((stage.endings(), stage.stats().accepted), (1, 3));
}

/// A client leaves in the middle of a model's answer, where streams are captured.
pub async fn a_client_that_leaves_a_models_stream_leaves_what_it_got_as_the_outputs<A: Adapter>() {
    for captures_content in [true, false] {
        let builder = Stage::builder().tracer(move |it| it.capture_content(captures_content));
        let builder = builder.instrumentation(|it| it.capture_stream(true));
        let stage = builder.start::<A>().await;
        let request = b"GET /parked-answer HTTP/1.1\r\nhost: here\r\n\r\n";
        let session = leaving(&stage, request, HALF_ANSWER[0]).await;
        assert_ended(&session, 200, "client_disconnected");
        assert_eq!(session.metadata["response_bytes"], HALF_ANSWER[0].len());
        let said = match captures_content {
            true => json!({"role": "assistant", "content": "Half an", "status_code": 200}),
            false => json!({"role": "assistant", "content_bytes": 7, "status_code": 200}),
        };
        assert_eq!(json!(session.outputs), said);
    }
}

/// Returns the session of a client that goes away once it has seen these bytes, while the handler waits.
async fn leaving(stage: &Stage, request: &[u8], wanted: &[u8]) -> LocalSession {
    let mut connection = stage.connect(request).await;
    let mut seen = Vec::new();
    while !contains(&seen, wanted) {
        let read = connection.read_buf(&mut seen).await;
        assert_ne!(read.expect("the stream goes on"), 0, "the stream goes on");
    }
    stage.app.entered.taken().await;
    drop(connection);
    stage.until_ended().await
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
