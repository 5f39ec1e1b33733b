//! What is said to who asks for a session where there is none. One test: it is said once in a process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use honeyhive::testing::tracer;
use honeyhive::{Enrichment, HoneyHiveTracer, json};
use honeyhive_tower::{CurrentSession, HoneyHiveLayer};
use http::Request;
use integration_tests::log;
use tower::ServiceExt as _;
use tracing::Level;

async fn chat(session: CurrentSession) -> &'static str {
    session.enrich(Enrichment::new().metadata(json!({"plan": "pro"})));
    session.user("ada");
    session.link_to("conversation-7");
    "42"
}

#[expect(
    clippy::await_holding_lock,
    reason = "the log is one for all tests, and there is one here"
)]
async fn lines(app: Router) -> Vec<String> {
    let turn = log::turn();
    for _ in 0..2 {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    drop(turn);
    log::said(Level::WARN)
}

#[tokio::test]
async fn it_is_said_once_why_a_session_records_nothing() {
    let routes = || Router::new().route("/", get(chat));
    let (tracer, captured) = tracer();
    let disabled = routes().layer(HoneyHiveLayer::new(HoneyHiveTracer::disabled()));
    assert_eq!(lines(disabled).await, Vec::<String>::new());

    let outside = lines(
        Router::new()
            .layer(HoneyHiveLayer::new(tracer.clone()))
            .merge(routes()),
    );
    let outside = outside.await;
    assert_eq!(outside.len(), 1, "{outside:?}");
    for word in ["outside every HoneyHive layer", "comes after the routes"] {
        assert!(outside[0].contains(word), "{outside:?}");
    }

    let layer = HoneyHiveLayer::builder(tracer.clone())
        .skip(|_| true)
        .build();
    let left_out = lines(routes().layer(layer.unwrap())).await;
    assert_eq!(left_out.len(), 1, "{left_out:?}");
    for word in ["leaves out", "`is_recording()` tells"] {
        assert!(left_out[0].contains(word), "{left_out:?}");
    }
    assert!(captured.sessions().is_empty());
    assert_eq!(tracer.stats().accepted, 0);
}
