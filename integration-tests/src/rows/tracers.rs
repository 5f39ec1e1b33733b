//! Some rows have more than one tracer, or a provider of the user's own.

use std::sync::OnceLock;

use honeyhive::SessionId;
use opentelemetry::global;
use opentelemetry::trace::{Span, Tracer};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

use crate::adapter::Adapter;
use crate::harness::{PATIENCE, Stage, assert_ended, balanced, honeyhive, span_names, tracer};

/// Two teams share one application: each has its own session and its own spans, and nothing is doubled.
pub async fn two_tracers_share_a_server_and_nothing_else<A: Adapter>() {
    let other = honeyhive().await;
    let second = tracer(&other.url());
    let stage = Stage::builder().second(second.clone()).start::<A>().await;
    let answer = stage.request("GET", "/both").send().await;
    let first = stage.only_session().await;
    let flushed = second.force_flush(PATIENCE).await;
    flushed.expect("the second tracer's are delivered");
    let sessions = other.sessions();
    assert_eq!(sessions.len(), 1, "{sessions:#?}");
    let inner = &sessions[0];

    assert_ne!(first.session_id, inner.session_id);
    for session in [&first, inner] {
        assert_ended(session, 200, "complete");
        assert_eq!((session.posts, session.updates), (1, 0));
    }
    assert_eq!(names(&stage.honeyhive, &first.session_id), ["of the first"]);
    assert_eq!(names(&other, &inner.session_id), ["of the second"]);
    assert_eq!(
        answer.session_id().to_string(),
        inner.session_id,
        "the inner one sets it first"
    );
    assert_eq!(answer.text(), inner.session_id, "the innermost is current");
    for tracer in [&stage.tracer, &second] {
        assert_eq!(balanced(tracer).accepted, 3);
    }
}

fn names(honeyhive: &honeyhive_local::LocalServer, id: &str) -> Vec<String> {
    let id: SessionId = id.parse().expect("a UUID");
    span_names(honeyhive, id)
}

/// The same tracer twice around one application makes one session, ended once.
pub async fn the_same_tracer_twice_is_one_session<A: Adapter>() {
    let stage = Stage::builder().twice().start::<A>().await;
    let answer = stage.request("POST", "/chat/7").send().await;
    let session = stage.only_session().await;
    assert_eq!(session.session_id, answer.session_id().to_string());
    assert_eq!((session.posts, session.updates), (1, 0));
    assert_eq!(stage.stats().accepted, 4, "a start, an end and two spans");
    assert_eq!(stage.span_names(answer.session_id()), ["answer", "turn"]);

    let strict = stage.request("GET", "/strict").send().await;
    assert_eq!(strict.text(), strict.session_id().to_string());
}

/// A global provider of the user's own stays what it is and gets nothing of ours.
pub async fn a_global_provider_of_the_users_own_is_left_alone<A: Adapter>() {
    let theirs = global_exporter();
    let stage = Stage::start::<A>().await;
    let answer = stage.request("POST", "/chat/7").send().await;
    stage.settle().await;
    assert_eq!(stage.span_names(answer.session_id()), ["answer", "turn"]);

    let mark = format!("theirs, {}", answer.session_id());
    global::tracer("theirs").start(mark.clone()).end();
    let spans = theirs.get_finished_spans().expect("their spans");
    assert!(
        spans.iter().any(|span| span.name == mark),
        "theirs still works"
    );
    let ours = spans.iter().find(|span| !span.name.starts_with("theirs"));
    assert!(ours.is_none(), "{ours:#?}");
    stage.settle().await;
    assert_eq!(stage.honeyhive.stats().events, 2);
}

/// Returns the exporter of a provider that is installed once in the process, as a program would.
fn global_exporter() -> &'static InMemorySpanExporter {
    static EXPORTER: OnceLock<InMemorySpanExporter> = OnceLock::new();
    EXPORTER.get_or_init(|| {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(exporter.clone())
            .build();
        global::set_tracer_provider(provider);
        exporter
    })
}
