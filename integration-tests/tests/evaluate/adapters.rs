//! A datapoint calls applications, in the process and over a socket, and they join its session: axum and actix-web.

use std::net::SocketAddr;

use actix_web::rt::System;
use actix_web::test::{TestRequest, call_and_read_body_json, init_service};
use actix_web::{App, web};
use axum::body::Body;
use axum::routing::post;
use axum::{Json, Router};
use honeyhive::evaluate::{ExperimentReport, evaluate_sync};
use honeyhive::{HoneyHiveTracer, json};
use honeyhive_actix::HoneyHive;
use honeyhive_tower::HoneyHiveLayer;
use http::Request;
use http_body_util::BodyExt;
use integration_tests::actix::serve_app;
use serde_json::Value;
use tower::ServiceExt;

use crate::isolation::assert_apart;
use crate::stage::{Echo, Stage, staged};

async fn chat(Json(body): Json<Value>) -> Json<Value> {
    drop(honeyhive::span("in the handler").event_type("tool").start());
    Json(json!({"a": body["q"]}))
}

fn axum_app(tracer: &HoneyHiveTracer) -> Router {
    Router::new()
        .route("/chat", post(chat))
        .layer(HoneyHiveLayer::new(tracer.clone()))
}

async fn actix_chat(body: web::Json<Value>) -> web::Json<Value> {
    let Json(answer) = chat(Json(body.into_inner())).await;
    web::Json(answer)
}

type Answered = Result<Value, Box<dyn std::error::Error + Send + Sync>>;

/// Returns the body of a service's answer.
async fn json_of<B>(response: http::Response<B>) -> Answered
where
    B: http_body::Body<Error: std::error::Error + Send + Sync + 'static>,
{
    let body = response.into_body().collect().await?.to_bytes();
    Ok(serde_json::from_slice(&body)?)
}

/// Asserts that the service's requests are part of the five datapoints' sessions, and changed none of their outputs.
#[track_caller]
fn assert_joined(stage: &Stage, report: &ExperimentReport) {
    assert_eq!(
        report.metric("exact").unwrap().estimate,
        Some(1.0),
        "{report}"
    );
    assert_eq!(stage.honeyhive.sessions().len(), 5, "no second session");
    for session in stage.honeyhive.sessions() {
        assert_eq!(
            session.outputs.keys().collect::<Vec<_>>(),
            ["a"],
            "the outputs are the function's"
        );
    }
}

#[tokio::test]
async fn an_axum_app_in_the_process_joins_the_datapoints_session() {
    let stage = Stage::new().await;
    let app = axum_app(&stage.tracer);
    let asks = async move |dp: Echo| {
        let request = Request::post("/chat").header("content-type", "application/json");
        let request = request.body(Body::from(dp.inputs().to_string()))?;
        json_of(app.clone().oneshot(request).await?).await
    };
    let run = staged(honeyhive::evaluate(asks), &stage, 5);
    let report = run.await.unwrap();
    assert_joined(&stage, &report);
    assert_apart(&stage, 2);
}

#[tokio::test]
async fn an_actix_app_in_the_process_joins_the_datapoints_session() {
    let stage = Stage::new().await;
    let tracer = stage.tracer.clone();
    // An app of actix-web stays on its thread, so each call has one of its own.
    let asks = move |dp: Echo| {
        let app = App::new().wrap(HoneyHive::new(tracer));
        let app = app.route("/chat", web::post().to(actix_chat));
        let request = TestRequest::post().uri("/chat").set_json(dp.inputs());
        System::new().block_on(async {
            let app = init_service(app).await;
            Ok::<Value, String>(call_and_read_body_json(&app, request.to_request()).await)
        })
    };
    let run = staged(evaluate_sync(asks), &stage, 5);
    let report = run.await.unwrap();
    assert_joined(&stage, &report);
    assert_apart(&stage, 2);
}

#[tokio::test]
async fn an_axum_service_over_a_socket_joins_by_the_datapoints_headers_and_its_spans_carry_the_three_ids()
 {
    let stage = Stage::new().await;
    // The tracer is one of its own, as in another process.
    let tracer = crate::stage::tracer(&stage.honeyhive);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum_app(&tracer);
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    assert_joined_over_a_socket(&stage, address, &tracer).await;
    serving.abort();
}

#[tokio::test]
async fn an_actix_service_over_a_socket_joins_by_the_datapoints_headers_and_its_spans_carry_the_three_ids()
 {
    let stage = Stage::new().await;
    let tracer = crate::stage::tracer(&stage.honeyhive);
    let instrumented = HoneyHive::new(tracer.clone());
    let running = serve_app(move || {
        let app = App::new().wrap(instrumented.clone());
        app.route("/chat", web::post().to(actix_chat))
    })
    .await;
    assert_joined_over_a_socket(&stage, running.address, &tracer).await;
    running.stop().await;
}

/// Asserts that five datapoints that ask a service over a socket are joined; `tracer` is the service's.
async fn assert_joined_over_a_socket(stage: &Stage, address: SocketAddr, tracer: &HoneyHiveTracer) {
    let http = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http::<Body>();
    let asks = async move |dp: Echo| {
        let mut request = Request::post(format!("http://{address}/chat"))
            .header("content-type", "application/json")
            .body(Body::from(dp.inputs().to_string()))?;
        request.headers_mut().extend(dp.headers());
        json_of(http.request(request).await?).await
    };
    let run = staged(honeyhive::evaluate(asks), stage, 5);
    let report = run.await.unwrap();
    tracer.force_flush(crate::stage::PATIENCE).await.unwrap();
    assert_joined(stage, &report);
    for session in stage.honeyhive.sessions() {
        let events = stage.events(&session);
        assert!(
            events
                .iter()
                .any(|event| event.event_name == "in the handler"),
            "{events:#?}"
        );
        for event in events {
            assert_eq!(
                event.metadata.get("datapoint_id"),
                session.metadata.get("datapoint_id"),
                "{}",
                event.event_name
            );
        }
    }
}
