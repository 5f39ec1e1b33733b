//! The session of a stream ends when the body does, and the body passes untouched.

use std::collections::BTreeMap;
use std::time::Instant;

use honeyhive::SessionId;
use honeyhive_local::LocalSession;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::adapter::Adapter;
use crate::app::{DATA_STREAM, EVENTS, MODEL_EVENTS, REFUSAL_TEXT, TOKENS, payload};
use crate::client::{Answer, Client};
use crate::harness::{Stage, assert_ended, assert_error, has_ended};

/// HoneyHive knows of the session and not of its end while the stream is held up.
pub async fn a_session_ends_with_the_last_byte_of_its_stream<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let mut opened = stage.request("GET", "/parked-events").open().await;
    let id = opened.session_id();
    assert_eq!(opened.piece().await, EVENTS[0]);
    let first_seen = Instant::now();
    stage.app.entered.taken().await;
    let open = stage.session(id).await;
    assert!(!has_ended(&open) && open.end_time.is_none(), "{open:#?}");
    assert_eq!((open.posts, open.updates), (1, 0));

    let parked = first_seen.elapsed();
    stage.app.release.give();
    let rest = opened.rest().await.expect("the rest");
    assert_eq!(rest.body, EVENTS[1..].concat());
    let session = stage.session(id).await;
    assert_ended(&session, 200, "complete");
    assert_eq!((session.posts, session.updates), (1, 1));
    assert_times(&session, parked.as_secs_f64() * 1e3);
    assert_eq!(session.metadata["response_bytes"], EVENTS.concat().len());
}

fn assert_times(session: &LocalSession, at_least: f64) {
    let duration = session.duration.expect("a duration");
    assert!(duration >= at_least, "{duration} < {at_least}");
    let first = session.metadata["time_to_first_byte_ms"].as_f64();
    let first = first.expect("the time to the first byte");
    assert!(first > 0.0, "{first}");
    assert!(first <= duration - at_least, "{first} is before the wait");
}

/// Spans that begin while the body is polled are the session's.
pub async fn spans_made_while_a_body_is_polled_are_the_sessions<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let answer = stage.request("GET", "/tokens").send().await;
    assert_eq!(answer.text(), TOKENS.concat());
    let session = stage.only_session().await;
    assert_eq!(session.metadata["response_bytes"], TOKENS.concat().len());
    let names = stage.span_names(answer.session_id());
    let wanted: Vec<_> = (0..TOKENS.len()).map(|n| format!("piece {n}")).collect();
    assert_eq!(names, wanted);
    assert!(stage.honeyhive.orphans().is_empty());
}

/// Server-sent events reach the client as they are.
pub async fn server_sent_events_pass_unchanged<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let answer = stage.request("GET", "/events").send().await;
    assert_eq!(answer.text(), EVENTS.concat());
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert_eq!(answer.header("content-length"), None);
    assert_ended(&stage.only_session().await, 200, "complete");
}

/// A body of known length keeps its `Content-Length`.
pub async fn a_body_of_known_length_keeps_its_content_length<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    for length in [0, 1, 1000, 200_000] {
        let answer = stage.request("GET", &format!("/bytes/{length}"));
        let answer = answer.send().await;
        assert_eq!(answer.body, payload(length));
        assert_length(&answer, length);
        let session = stage.session(answer.session_id()).await;
        assert_eq!(session.metadata["response_bytes"], length);
    }
}

fn assert_length(answer: &Answer, length: usize) {
    assert_eq!(answer.header("content-length"), Some(&*length.to_string()));
    assert_eq!(answer.header("transfer-encoding"), None);
}

/// A server that has sent all of a stream of declared length need not ask for the end.
pub async fn a_stream_of_a_declared_length_is_complete_with_its_last_byte<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let answer = stage.request("GET", "/declared").send().await;
    assert_eq!(answer.text(), TOKENS.concat());
    assert_length(&answer, TOKENS.concat().len());
    assert_ended(&stage.only_session().await, 200, "complete");
    assert_eq!(stage.endings(), 1);
}

/// A body that fails leaves the status as it is, and its error is told.
pub async fn a_body_that_fails_is_recorded_as_an_error<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let opened = stage.request("GET", "/broken").open().await;
    let id = opened.session_id();
    assert!(opened.rest().await.is_err(), "the body never ends");
    let session = stage.session(id).await;
    assert_ended(&session, 200, "error");
    assert_error(&session, REFUSAL_TEXT);
    assert_eq!(session.metadata["response_bytes"], TOKENS.concat().len());
    assert_eq!(stage.endings(), 1);
}

/// The bytes arrive unchanged and are counted, whatever the pieces, empty ones included.
pub async fn every_chunking_arrives_byte_for_byte<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let runtime = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    });
    let lengths = proptest::collection::vec(0..3000_usize, 0..12);
    let client = Client::keeping_connections(stage.address());
    let counts = std::cell::RefCell::new(BTreeMap::<SessionId, usize>::new());
    let outcome = runner.run(&lengths, |lengths| {
        let call = client.request("POST", "/chunks").json(&json!(lengths));
        let answer = tokio::task::block_in_place(|| runtime.block_on(call.send()));
        let total = lengths.iter().sum();
        assert_eq!(answer.body, payload(total));
        counts.borrow_mut().insert(answer.session_id(), total);
        Ok(())
    });
    outcome.expect("every chunking arrives");
    stage.settle().await;
    for (id, total) in counts.take() {
        let session = stage.known(id);
        assert_eq!(session.metadata["response_bytes"], total);
        assert_ended(&session, 200, "complete");
    }
}

/// A body is asked as often as without HoneyHive, and to its end: a body that acts on its end relies on that.
pub async fn a_body_is_polled_to_its_end_as_without_us<A: Adapter>() {
    for compressed in [false, true] {
        let without = Stage::builder().bare().compressed(compressed);
        let with = Stage::builder().compressed(compressed);
        let (without, with) = (without.start::<A>().await, with.start::<A>().await);
        let mut counts = Vec::new();
        for stage in [&without, &with] {
            let call = stage.request("GET", "/counted");
            let answer = match compressed {
                true => call.header("accept-encoding", "gzip").send().await,
                false => call.send().await,
            };
            assert_eq!(answer.header("content-encoding").is_some(), compressed);
            counts.push(stage.app.polls.take());
        }
        assert_eq!(counts[1], counts[0], "compressed: {compressed}");
        assert_ended(&with.only_session().await, 200, "complete");
    }
}

/// A model's stream passes unchanged, and becomes the session's outputs; its tokens are those of the call behind it.
pub async fn what_is_streamed_to_a_user_becomes_the_outputs_where_that_is_wished<A: Adapter>() {
    let streams = [
        ("/model-events", MODEL_EVENTS.concat()),
        ("/data-stream", DATA_STREAM.concat()),
    ];
    for captures in [true, false] {
        let builder = Stage::builder().instrumentation(move |it| it.capture_stream(captures));
        let stage = builder.start::<A>().await;
        for (path, bytes) in &streams {
            let answer = stage.request("GET", path).send().await;
            assert_eq!(&answer.body, bytes);
            let session = stage.session(answer.session_id()).await;
            assert_ended(&session, 200, "complete");
            let said = ["role", "content", "finish_reason"].map(|key| session.outputs.get(key));
            let expected = [json!("assistant"), json!("Zwölf trees"), json!("stop")];
            assert_eq!(
                said,
                expected.each_ref().map(|it| captures.then_some(it)),
                "{path}"
            );
            let metadata = json!(session.metadata).to_string();
            assert!(!metadata.contains("tokens"), "{metadata}");
        }
        // A stream of an unknown form is nobody's words.
        let answer = stage.request("GET", "/events").send().await;
        let session = stage.session(answer.session_id()).await;
        assert_eq!(json!(session.outputs), json!({"status_code": 200}));
    }
}

/// A tracer that captures no content captures no stream either: only the length of a text leaves the process.
pub async fn of_what_is_streamed_only_lengths_are_kept_where_no_content_is_captured<A: Adapter>() {
    let builder = Stage::builder().tracer(|it| it.capture_content(false));
    let builder = builder.instrumentation(|it| it.capture_stream(true));
    let stage = builder.start::<A>().await;
    for (path, bytes) in [
        ("/model-events", MODEL_EVENTS.concat()),
        ("/data-stream", DATA_STREAM.concat()),
    ] {
        let answer = stage.request("GET", path).send().await;
        assert_eq!(answer.body, bytes);
        let session = stage.session(answer.session_id()).await;
        let said = json!({"role": "assistant", "content_bytes": "Zwölf trees".len(),
            "finish_reason": "stop", "status_code": 200});
        assert_eq!(json!(session.outputs), said, "{path}");
    }
    for request in stage.honeyhive.requests() {
        let has_text = request.body.windows(5).any(|bytes| bytes == b"trees");
        assert!(!has_text, "{request:?}");
    }
}
