//! `HoneyHiveLayer` works among other layers, and at every place where axum takes one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong here should stop the test"
)]

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use honeyhive::HoneyHiveTracer;
use honeyhive::testing::{Captured, CapturedSession, tracer};
use honeyhive_tower::{CurrentSession, HoneyHiveLayer};
use http::Request;
use http_body_util::BodyExt;
use integration_tests::client::{Answer, Client};
use integration_tests::harness::dispatch_to;
use integration_tests::tower::serve_router;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::{DefaultMakeSpan, TraceLayer};
use tracing::Level;
use tracing::instrument::WithSubscriber;

/// Returns an answer, and the one session there is then.
async fn ask(router: Router, captured: &Captured, path: &str) -> (Answer, CapturedSession) {
    let running = serve_router(router).await;
    let client = Client::new(running.address);
    let answer = client.request("GET", path).send().await;
    (answer, captured.only_session())
}

/// Asks as over a socket, with the subscriber that a program would have installed for its whole process.
async fn ask_with_tracing(tracer: &HoneyHiveTracer, router: Router) {
    let asking = async {
        let request = Request::get("/work").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert!(response.headers().contains_key("x-session-id"));
        response.into_body().collect().await.unwrap();
    };
    asking.with_subscriber(dispatch_to(tracer)).await;
}

#[tracing::instrument]
async fn think() {
    tokio::task::yield_now().await;
}

fn working() -> Router {
    Router::new().route("/work", get(async || think().await))
}

macro_rules! requests_as_spans {
    () => {
        TraceLayer::new_for_http().make_span_with(DefaultMakeSpan::new().level(Level::INFO))
    };
}

#[tokio::test]
async fn a_trace_layer_within_ours_is_in_the_session() {
    let (tracer, captured) = tracer();
    let router = working().layer(requests_as_spans!());
    ask_with_tracing(&tracer, router.layer(HoneyHiveLayer::new(tracer.clone()))).await;
    captured.only_session().assert_tree(
        "GET /work
           request [chain]
             think [tool]",
    );
}

#[tokio::test]
async fn a_trace_layer_around_ours_is_in_the_session_too() {
    let (tracer, captured) = tracer();
    let router = working().layer(HoneyHiveLayer::new(tracer.clone()));
    ask_with_tracing(&tracer, router.layer(requests_as_spans!())).await;
    captured.only_session().assert_tree(
        "GET /work
           request [chain]
             think [tool]",
    );
}

#[tokio::test]
async fn a_trace_layer_around_ours_is_in_the_session_even_without_children() {
    let (tracer, captured) = tracer();
    let router = Router::new().route("/work", get(async || "done"));
    let router = router.layer(HoneyHiveLayer::new(tracer.clone()));
    ask_with_tracing(&tracer, router.layer(requests_as_spans!())).await;
    // The span encloses the whole request, so it is a chain even without children of its own.
    captured
        .only_session()
        .assert_tree("GET /work\n  request [chain]");
}

#[tokio::test]
async fn a_trace_layer_around_an_untraced_request_opens_no_session() {
    let (tracer, captured) = tracer();
    let router = Router::new().route("/healthz", get(async || think().await));
    let router = router.layer(HoneyHiveLayer::new(tracer.clone()));
    let router = router.layer(requests_as_spans!());
    let asking = async {
        let request = Request::get("/healthz").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
    };
    asking.with_subscriber(dispatch_to(&tracer)).await;
    assert!(captured.sessions().is_empty(), "{:#?}", captured.sessions());
    assert_eq!(tracer.stats().accepted, 0, "nothing was lost either");
}

#[tokio::test]
async fn what_the_filters_of_two_tracers_leave_alone_neither_of_them_records() {
    let tracers = [tracer(), tracer()];
    let work = {
        let [first, second] = tracers.each_ref().map(|(tracer, _)| tracer.clone());
        async move || {
            drop(first.span("thought").start());
            drop(second.span("thought").start());
        }
    };
    let mut router = Router::new().route("/healthz", get(work));
    for (tracer, _) in &tracers {
        router = router.layer(HoneyHiveLayer::new(tracer.clone()));
    }
    let request = Request::get("/healthz").body(Body::empty()).unwrap();
    router.oneshot(request).await.unwrap();
    for (tracer, captured) in &tracers {
        assert!(captured.sessions().is_empty(), "{:#?}", captured.sessions());
        drop(tracer.span("afterwards").start());
        let session = captured.only_session();
        assert_eq!(session.event("afterwards").name, "afterwards");
    }
}

#[tokio::test]
async fn trace_layers_on_both_sides_double_nothing() {
    let (tracer, captured) = tracer();
    let router = working().layer(requests_as_spans!());
    let router = router.layer(HoneyHiveLayer::new(tracer.clone()));
    ask_with_tracing(&tracer, router.layer(requests_as_spans!())).await;
    captured.only_session().assert_tree(
        "GET /work
           request [chain]
             request [chain]
               think [tool]",
    );
}

fn panicking() -> Router {
    let handler = async || -> &'static str { panic!("out of tokens") };
    Router::new().route("/", get(handler))
}

#[tokio::test]
async fn a_panic_that_is_caught_outside_is_answered_and_recorded_as_a_panic() {
    let (tracer, captured) = tracer();
    let router = panicking().layer(HoneyHiveLayer::new(tracer));
    let (answer, session) = ask(router.layer(CatchPanicLayer::new()), &captured, "/").await;
    assert_eq!(answer.status, 500);
    assert_eq!(session.metadata["outcome"], "panicked");
    assert_eq!(session.outputs["status_code"], 500);
    assert!(session.error.unwrap().contains("out of tokens"));
}

#[tokio::test]
async fn a_panic_that_is_caught_inside_is_an_answer_like_any_other() {
    let (tracer, captured) = tracer();
    let router = panicking().layer(CatchPanicLayer::new());
    let router = router.layer(HoneyHiveLayer::new(tracer));
    let (answer, session) = ask(router, &captured, "/").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.session_id(), session.id);
    assert_eq!(session.metadata["outcome"], "complete");
    assert_eq!(session.outputs["status_code"], 500);
}

async fn id(session: Option<CurrentSession>) -> String {
    session.map_or_else(|| "none".to_owned(), |session| session.id().to_string())
}

#[tokio::test]
async fn a_layer_around_the_router_sees_templates_and_the_fallback() {
    for (path, name) in [("/chat/7", "GET /chat/{id}"), ("/else/7", "GET /else/7")] {
        let (tracer, captured) = tracer();
        let router = Router::new().route("/chat/{id}", get(id)).fallback(id);
        let router = router.layer(HoneyHiveLayer::new(tracer));
        let (answer, session) = ask(router, &captured, path).await;
        assert_eq!(session.name.as_deref(), Some(name));
        assert_eq!(answer.text(), session.id.to_string());
    }
}

#[tokio::test]
async fn a_route_layer_leaves_the_fallback_alone() {
    let (tracer, captured) = tracer();
    let router = Router::new().route("/chat/{id}", get(id));
    let router = router.route_layer(HoneyHiveLayer::new(tracer));
    let running = serve_router(router.fallback(id)).await;
    let client = Client::new(running.address);
    let fallback = client.request("GET", "/else").send().await;
    assert_eq!(
        (fallback.text(), fallback.header("x-session-id")),
        ("none", None)
    );
    let routed = client.request("GET", "/chat/7").send().await;
    let session = captured.only_session();
    assert_eq!(session.id, routed.session_id());
    assert_eq!(session.name.as_deref(), Some("GET /chat/{id}"));
}

#[tokio::test]
async fn a_nested_router_has_the_whole_template() {
    let (tracer, captured) = tracer();
    let api = Router::new().route("/chat/{id}", get(id));
    let router = Router::new().nest("/api/{version}", api);
    let router = router.layer(HoneyHiveLayer::new(tracer));
    let (_, session) = ask(router, &captured, "/api/v2/chat/7").await;
    assert_eq!(
        session.name.as_deref(),
        Some("GET /api/{version}/chat/{id}")
    );
    assert_eq!(session.inputs["path"], "/api/v2/chat/7");
}

#[tokio::test]
async fn a_layer_on_a_nested_router_knows_the_whole_request() {
    let (tracer, captured) = tracer();
    let api = Router::new().route("/chat/{id}", get(id));
    let api = api.layer(HoneyHiveLayer::new(tracer));
    let router = Router::new().nest("/api", api);
    let (answer, session) = ask(router, &captured, "/api/chat/7").await;
    assert_eq!(session.name.as_deref(), Some("GET /api/chat/{id}"));
    assert_eq!(answer.session_id(), session.id);
    assert_eq!(
        session.inputs["path"], "/api/chat/7",
        "what the client asked for"
    );
}

#[tokio::test]
async fn layers_of_one_tracer_at_several_places_are_one_session() {
    let (tracer, captured) = tracer();
    let layer = HoneyHiveLayer::new(tracer.clone());
    let router = Router::new().route("/chat/{id}", get(id).layer(layer.clone()));
    let router = router.route_layer(layer.clone()).layer(layer);
    let (answer, session) = ask(router, &captured, "/chat/7").await;
    assert_eq!(answer.text(), session.id.to_string());
    assert_eq!(answer.session_id(), session.id);
    assert_eq!(tracer.stats().accepted, 2, "one start and one end");
}
