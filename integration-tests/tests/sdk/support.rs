//! The tests of the core have these parts in common.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test file takes its share of this, and a test that cannot go on should say so"
)]

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use honeyhive::{
    FlushReport, HoneyHiveTracer, HoneyHiveTracerBuilder, OtlpProtocol, Session, SessionId,
    SessionTransport,
};
use honeyhive_local::{LocalEvent, LocalServer, LocalSession, RecordedRequest, UnknownUpdates};
use integration_tests::harness::local_server;
use integration_tests::harness::unknown_updates;

pub(crate) use integration_tests::harness::PATIENCE;
use serde_json::Value;

/// The test servers take this key.
pub(crate) const KEY: &str = "hh_test_key";

/// No test outlives this coalescing window: what arrives was asked for.
pub(crate) const NEVER: Duration = Duration::from_secs(3_600);

pub(crate) const PROTOCOLS: [OtlpProtocol; 2] =
    [OtlpProtocol::HttpProtobuf, OtlpProtocol::HttpJson];

pub(crate) fn server() -> LocalServer {
    server_with(unknown_updates())
}

/// Starts a HoneyHive that answers 404 to an update of an unknown event, for the tests of what becomes of such an
/// update.
pub(crate) fn server_that_answers_404() -> LocalServer {
    server_with(UnknownUpdates::Refuse)
}

fn server_with(unknown_updates: UnknownUpdates) -> LocalServer {
    local_server()
        .unknown_updates(unknown_updates)
        .api_key(KEY)
        .start_blocking()
        .expect("a local server")
}

/// Returns a builder pointed at `server`; sessions are held back until a flush.
pub(crate) fn builder(server: &LocalServer) -> HoneyHiveTracerBuilder {
    HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url(server.url())
        .source("tests")
        .session_name("the tests")
        .coalesce_window(NEVER)
}

pub(crate) fn tracer(server: &LocalServer) -> HoneyHiveTracer {
    builder(server).build().expect("a tracer")
}

/// Starts a HoneyHive, and returns it with a tracer for it.
pub(crate) fn connected() -> (LocalServer, HoneyHiveTracer) {
    let server = server();
    let tracer = tracer(&server);
    (server, tracer)
}

pub(crate) fn tracer_over(transport: SessionTransport, server: &LocalServer) -> HoneyHiveTracer {
    let builder = builder(server).session_transport(transport);
    builder.build().expect("a tracer")
}

/// Flushes, and asserts that everything has been delivered.
#[track_caller]
pub(crate) fn flush(tracer: &HoneyHiveTracer) -> FlushReport {
    match tracer.force_flush_blocking(PATIENCE) {
        Ok(report) => report,
        Err(error) => panic!("{error}: {error:?}, {:?}", tracer.stats()),
    }
}

/// Returns the session as HoneyHive has it.
#[track_caller]
pub(crate) fn session(server: &LocalServer, id: SessionId) -> LocalSession {
    match server.session(&id.to_string()) {
        Some(session) => session,
        None => panic!("HoneyHive does not know {id}; calls: {:#?}", calls(server)),
    }
}

/// Asserts the events of a session as HoneyHive has them.
#[track_caller]
pub(crate) fn assert_tree(server: &LocalServer, session: &Session, tree: &str) {
    assert_eq!(server.tree(&session.id().to_string()), tree);
}

/// Returns the one event with this name, in whichever session.
#[track_caller]
pub(crate) fn event(server: &LocalServer, name: &str) -> LocalEvent {
    let mut found = all_events(server);
    found.retain(|event| event.event_name == name);
    assert_eq!(found.len(), 1, "events called {name:?}: {found:#?}");
    found.remove(0)
}

/// Returns every event that is there, orphans included.
pub(crate) fn all_events(server: &LocalServer) -> Vec<LocalEvent> {
    let sessions = server.sessions();
    let events = sessions
        .iter()
        .flat_map(|session| server.events(&session.session_id));
    events.chain(server.orphans()).collect()
}

/// Returns every call as `METHOD /path`, in order.
pub(crate) fn calls(server: &LocalServer) -> Vec<String> {
    let requests = server.requests();
    let call = |request: &RecordedRequest| format!("{} {}", request.method, request.path);
    requests.iter().map(call).collect()
}

/// Returns the number of calls made as `METHOD /path`.
pub(crate) fn count(server: &LocalServer, call: &str) -> usize {
    calls(server).iter().filter(|made| *made == call).count()
}

pub(crate) const START: &str = "POST /v1/sessions";
pub(crate) const TRACES: &str = "POST /opentelemetry/v1/traces";

pub(crate) fn update(session: &Session) -> String {
    format!("PUT /v1/events/{}", session.id())
}

/// Fails where spans went out before HoneyHive had confirmed the start of their session. The function reads OTLP/JSON,
/// and returns how many spans it has looked at.
#[track_caller]
pub(crate) fn assert_starts_before_spans(server: &LocalServer) -> usize {
    let mut started = BTreeSet::new();
    let mut looked_at = 0;
    for request in server.requests() {
        let Some(body) = &request.json else { continue };
        match request.path.as_str() {
            "/v1/sessions" if request.status.is_some_and(|status| status < 300) => {
                started.insert(body["session_id"].as_str().unwrap().to_owned());
            }
            "/opentelemetry/v1/traces" => {
                for id in session_ids(body) {
                    assert!(started.contains(&id), "spans of {id} went before its start");
                    looked_at += 1;
                }
            }
            _ => {}
        }
    }
    looked_at
}

/// Returns the session of each span of an OTLP/JSON body.
fn session_ids(body: &Value) -> Vec<String> {
    let spans = items(body, "resourceSpans")
        .flat_map(|resource| items(resource, "scopeSpans"))
        .flat_map(|scope| items(scope, "spans"));
    let session_of = |span: &Value| {
        let mut attributes = items(span, "attributes");
        let found = attributes.find(|attribute| attribute["key"] == "honeyhive.session_id");
        let found = found.expect("every span names its session");
        found["value"]["stringValue"].as_str().unwrap().to_owned()
    };
    spans.map(session_of).collect()
}

pub(crate) fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value[key].as_array().into_iter().flatten()
}

/// Asserts `accepted = delivered + pending + dropped`.
#[track_caller]
pub(crate) fn assert_balanced(tracer: &HoneyHiveTracer) {
    let stats = tracer.stats();
    assert_eq!(
        stats.accepted,
        stats.delivered + stats.pending + stats.dropped.total(),
        "{stats:?}"
    );
}

/// Polls a future on this thread, without any runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
