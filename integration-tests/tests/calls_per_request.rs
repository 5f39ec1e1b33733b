//! HoneyHive counts the calls that a request costs, on sockets, with both adapters. Every request makes two spans
//! beside its session.

use futures_util::{StreamExt, stream};
use honeyhive::SessionTransport;
use integration_tests::actix::ActixWeb;
use integration_tests::adapter::Adapter;
use integration_tests::client::Client;
use integration_tests::harness::Stage;
use integration_tests::tower::Tower;

/// Batches are made by time as well as by size, and among so many requests they hardly count on the slowest of
/// machines.
const REQUESTS: usize = 1_500;
/// So many requests are under way at a time.
const AT_ONCE: usize = 16;

/// `Calls` has the calls to HoneyHive a request.
struct Calls {
    /// The calls that start and update sessions.
    rest: f64,
    /// The calls that start and update sessions, and the batches of spans.
    all: f64,
}

async fn calls<A: Adapter>(transport: SessionTransport) -> Calls {
    let stage = Stage::builder()
        .tracer(move |builder| builder.session_transport(transport))
        .start::<A>()
        .await;
    let client = &Client::keeping_connections(stage.address());
    let request = async |_| client.request("POST", "/chat/7").send().await.status;
    let answers = stream::iter(0..REQUESTS).map(request);
    let statuses: Vec<_> = answers.buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(statuses, [200; REQUESTS]);
    stage.settle().await;

    // A lost item makes no call, so none may be lost.
    let stats = stage.honeyhive.stats();
    assert_eq!((stats.sessions, stats.dropped_requests), (REQUESTS, 0));
    assert_eq!(stage.stats().dropped.total(), 0);
    let calls = stage.honeyhive.requests();
    let of_spans = calls.iter().filter(|call| call.path.ends_with("/traces"));
    let a_request = |calls: usize| calls as f64 / REQUESTS as f64;
    Calls {
        rest: a_request(calls.len() - of_spans.count()),
        all: a_request(calls.len()),
    }
}

async fn assert_a_short_request_is_one_rest_call<A: Adapter>() {
    let calls = calls::<A>(SessionTransport::Rest).await;
    assert!(
        (1.0..=1.05).contains(&calls.rest),
        "{} a request",
        calls.rest
    );
}

async fn assert_a_request_over_otlp_is_a_fraction_of_a_call<A: Adapter>() {
    let calls = calls::<A>(SessionTransport::Otlp).await;
    assert!(calls.rest == 0.0, "{} REST calls a request", calls.rest);
    assert!(calls.all <= 0.02, "{} a request", calls.all);
}

#[tokio::test]
async fn a_short_request_through_tower_is_one_rest_call() {
    assert_a_short_request_is_one_rest_call::<Tower>().await;
}

#[tokio::test]
async fn a_short_request_through_actix_web_is_one_rest_call() {
    assert_a_short_request_is_one_rest_call::<ActixWeb>().await;
}

#[tokio::test]
async fn a_request_through_tower_over_otlp_is_a_fraction_of_a_call() {
    assert_a_request_over_otlp_is_a_fraction_of_a_call::<Tower>().await;
}

#[tokio::test]
async fn a_request_through_actix_web_over_otlp_is_a_fraction_of_a_call() {
    assert_a_request_over_otlp_is_a_fraction_of_a_call::<ActixWeb>().await;
}
