//! Code that asks for a session where there is none causes a message. Each test has a process of its own, since each
//! message comes once in a process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]
#![expect(
    clippy::await_holding_lock,
    reason = "the log is one for all tests, and each process has one"
)]

use std::process::Command;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use honeyhive::http::ServerInstrumentation;
use honeyhive::testing::tracer;
use honeyhive::{Enrichment, HoneyHiveTracer, Session, json};
use honeyhive_actix::HoneyHive;
use honeyhive_tower::HoneyHiveLayer;
use http::Request;
use integration_tests::log;
use tower::ServiceExt as _;
use tracing::Level;

const CHILD: &str = "HH_MISSING_LAYER_CHILD";

/// Returns whether this is the test's own process; otherwise the test has been run in one.
fn is_alone(test: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let mut program = Command::new(std::env::current_exe().unwrap());
    let output = program.args(["--exact", test]).env(CHILD, "1").output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    false
}

/// Uses the session as a handler does.
fn chat(session: &Session) -> &'static str {
    session.enrich(Enrichment::new().metadata(json!({"plan": "pro"})));
    session.user("ada");
    session.link_to("conversation-7");
    "42"
}

/// A `Place` is that of the instrumentation.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Around,
    BesideTheRoute,
}

/// The macro asks twice, and returns the lines of the log.
macro_rules! lines {
    ($ask:expr) => {{
        let turn = log::turn();
        for _ in 0..2 {
            assert_eq!($ask.await, (200, "42".to_owned()));
        }
        drop(turn);
        log::said(Level::WARN)
    }};
}

/// Asserts the messages of both adapters, with a way to ask a service that has the instrumentation in a place.
async fn says_once_why(ask: impl AsyncFn(ServerInstrumentation, Place) -> (u16, String)) {
    let disabled = ServerInstrumentation::new(HoneyHiveTracer::disabled());
    let lines = lines!(ask(disabled.clone(), Place::Around));
    assert_eq!(lines, Vec::<String>::new());

    let (tracer, captured) = tracer();
    let recording = ServerInstrumentation::new(tracer.clone());
    let lines = lines!(ask(recording.clone(), Place::BesideTheRoute));
    assert_eq!(lines.len(), 1, "{lines:?}");
    for word in [
        "outside every HoneyHive layer or middleware",
        "comes after the routes",
    ] {
        assert!(lines[0].contains(word), "{lines:?}");
    }

    let skips = ServerInstrumentation::builder(tracer.clone()).skip(|_| true);
    let skips = skips.build().unwrap();
    let lines = lines!(ask(skips.clone(), Place::Around));
    assert_eq!(lines.len(), 1, "{lines:?}");
    for word in ["leaves out", "`is_recording()` tells"] {
        assert!(lines[0].contains(word), "{lines:?}");
    }
    assert!(captured.sessions().is_empty());
    assert_eq!(tracer.stats().accepted, 0);
}

#[tokio::test]
async fn axum_says_once_why_a_session_records_nothing() {
    if is_alone("axum_says_once_why_a_session_records_nothing") {
        says_once_why(async |instrumentation, place| {
            let layer = HoneyHiveLayer::from(instrumentation);
            let route = get(async |session: honeyhive_tower::CurrentSession| chat(&session));
            let app = match place {
                Place::Around => Router::new().route("/", route).layer(layer),
                Place::BesideTheRoute => Router::new().layer(layer).route("/", route),
            };
            let request = Request::get("/").body(Body::empty()).unwrap();
            let answer = app.oneshot(request).await.unwrap();
            let status = answer.status().as_u16();
            let body = axum::body::to_bytes(answer.into_body(), 1_000).await;
            (status, String::from_utf8(body.unwrap().to_vec()).unwrap())
        })
        .await;
    }
}

#[actix_web::test]
async fn actix_says_once_why_a_session_records_nothing() {
    use actix_web::{App, test, web};
    if is_alone("actix_says_once_why_a_session_records_nothing") {
        says_once_why(async |instrumentation, place| {
            let route = async |session: honeyhive_actix::CurrentSession| chat(&session);
            let inside = web::resource("/").route(web::get().to(route));
            let middleware = HoneyHive::from(instrumentation);
            let beside = web::scope("/beside").wrap(middleware.clone());
            let app = match place {
                Place::Around => {
                    App::new().service(web::scope("").wrap(middleware).service(inside))
                }
                Place::BesideTheRoute => App::new().service(beside).service(inside),
            };
            let service = test::init_service(app).await;
            let request = test::TestRequest::get().uri("/").to_request();
            let answer = test::call_service(&service, request).await;
            let status = answer.status().as_u16();
            let body = test::read_body(answer).await;
            (status, String::from_utf8(body.to_vec()).unwrap())
        })
        .await;
    }
}
