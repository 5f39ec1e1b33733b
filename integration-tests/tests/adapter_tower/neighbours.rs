//! `HoneyHiveLayer` works in a `ServiceBuilder`, with the layers of tower-http on either side: it compiles, answers are those
//! of the neighbours, and the session says what the client got.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong here should stop the test"
)]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use bytes::Bytes;
use honeyhive::HoneyHiveTracer;
use honeyhive::testing::{Captured, tracer};
use honeyhive_tower::{HoneyHiveLayer, HoneyHiveService, ResponseBody, ServerInstrumentation};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tower::{Layer as _, ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

fn routes() -> Router {
    Router::new()
        .route("/chat", post(async |body: Bytes| body))
        .route("/slow", get(std::future::pending::<()>))
        .route(
            "/panic",
            get(async || -> &'static str { panic!("on purpose") }),
        )
        .route("/long", get(async || "long ".repeat(1_000)))
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(50))
}

fn request(method: &str, path: &str, body: &'static str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("origin", "https://chat.example.com")
        .header("accept-encoding", "gzip")
        .body(Body::from(body))
        .unwrap()
}

async fn ask(app: &Router, request: Request<Body>) -> (StatusCode, http::HeaderMap) {
    let response = app.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    body.collect().await.unwrap();
    (head.status, head.headers)
}

/// Checks all of it, with every neighbour on one side of the layer.
async fn check(app: Router, captured: &Captured, sees: impl Fn(&str, u16) -> u16) {
    for (method, path, body, status, outcome) in [
        ("POST", "/chat", "hello", 200, "complete"),
        (
            "POST",
            "/chat",
            "far more than a few bytes",
            413,
            "complete",
        ),
        ("GET", "/long", "", 200, "complete"),
        ("GET", "/slow", "", 408, "client_disconnected"),
        ("GET", "/panic", "", 500, "panicked"),
    ] {
        let (answered, headers) = ask(&app, request(method, path, body)).await;
        assert_eq!(answered, status, "{path}");
        assert_eq!(headers["access-control-allow-origin"], "*", "{path}");
        let Some(id) = headers.get("x-session-id") else {
            // A layer further out that answers itself has no session.
            continue;
        };
        let id = id.to_str().unwrap().parse().unwrap();
        let session = captured.session(id).unwrap();
        assert_eq!(session.outputs["status_code"], sees(path, status), "{path}");
        if answered == 200 {
            assert_eq!(session.metadata["outcome"], outcome, "{path}");
        }
    }
}

#[tokio::test]
async fn neighbours_outside_answer_for_what_is_inside() {
    let (tracer, captured) = tracer();
    let app = routes().layer(
        ServiceBuilder::new()
            .layer(TraceLayer::new_for_http())
            .layer(CorsLayer::permissive())
            .layer(CatchPanicLayer::new())
            .layer(timeout())
            .layer(CompressionLayer::new())
            .layer(RequestBodyLimitLayer::new(8))
            .layer(HoneyHiveLayer::new(tracer)),
    );
    check(app, &captured, |_, status| status).await;
    let outcomes: Vec<_> = captured
        .sessions()
        .into_iter()
        .map(|it| it.metadata["outcome"].as_str().unwrap().to_owned())
        .collect();
    for outcome in ["complete", "panicked", "client_disconnected"] {
        assert!(outcomes.contains(&outcome.to_owned()), "{outcomes:?}");
    }
}

#[tokio::test]
async fn neighbours_inside_are_recorded_as_they_answer() {
    let (tracer, captured) = tracer();
    let app = routes().layer(
        ServiceBuilder::new()
            .layer(HoneyHiveLayer::new(tracer))
            .layer(TraceLayer::new_for_http())
            .layer(CorsLayer::permissive())
            .layer(CatchPanicLayer::new())
            .layer(timeout())
            .layer(CompressionLayer::new())
            .layer(RequestBodyLimitLayer::new(8)),
    );
    check(app, &captured, |_, status| status).await;
    assert_eq!(captured.sessions().len(), 5);
}

/// A browser's preflight is nobody's conversation, and our layer must not get in its way.
#[tokio::test]
async fn a_preflight_is_answered_by_its_layer_on_either_side() {
    for is_outside in [true, false] {
        let (tracer, captured) = tracer();
        let cors = CorsLayer::permissive().expose_headers(["x-session-id".parse().unwrap()]);
        let app = match is_outside {
            true => routes().layer(HoneyHiveLayer::new(tracer)).layer(cors),
            false => routes().layer(cors).layer(HoneyHiveLayer::new(tracer)),
        };
        let mut preflight = request("OPTIONS", "/chat", "");
        let method = "POST".parse().unwrap();
        preflight
            .headers_mut()
            .insert("access-control-request-method", method);
        let (status, headers) = ask(&app, preflight).await;
        assert_eq!(status, 200);
        assert!(headers.contains_key("access-control-allow-methods"));
        assert!(captured.sessions().is_empty());

        let (_, headers) = ask(&app, request("POST", "/chat", "hello")).await;
        assert_eq!(headers["access-control-expose-headers"], "x-session-id");
        assert!(headers.contains_key("x-session-id"));
    }
}

/// A layer that answers by itself makes a body of the type that we wrap.
#[tokio::test]
async fn a_body_that_nobody_watches_is_an_empty_one() {
    let body: ResponseBody<Full<Bytes>> = ResponseBody::default();
    assert!(body.get_ref().frame_is_empty());
    assert!(body.collect().await.unwrap().to_bytes().is_empty());
    let mut body: ResponseBody<Full<Bytes>> = ResponseBody::default();
    *body.get_mut() = Full::new(Bytes::from_static(b"mine"));
    let inner = body.into_inner().collect().await.unwrap();
    assert_eq!(inner.to_bytes(), "mine");
}

trait FrameIsEmpty {
    fn frame_is_empty(&self) -> bool;
}

impl FrameIsEmpty for Full<Bytes> {
    fn frame_is_empty(&self) -> bool {
        http_body::Body::is_end_stream(self)
    }
}

#[tokio::test]
async fn the_service_inside_can_be_reached() {
    let (tracer, _captured) = tracer();
    let mut service: HoneyHiveService<u8> = HoneyHiveLayer::new(tracer).layer(7);
    *service.get_mut() += 1;
    assert_eq!((*service.get_ref(), service.into_inner()), (8, 8));
}

/// Observers of a body's end see it: below a compression, and where the body is collected.
#[tokio::test]
async fn the_end_of_a_body_is_told_once_to_whoever_waits_for_it() {
    for compressed in [false, true] {
        let (tracer, _captured) = tracer();
        let ends = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&ends);
        let traced = TraceLayer::new_for_http().on_eos(
            move |_: Option<&http::HeaderMap>, _: Duration, _: &tracing::Span| {
                counted.fetch_add(1, Ordering::Relaxed);
            },
        );
        let inner = service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Trailing::default()))
        });
        let service = ServiceBuilder::new()
            .layer(HoneyHiveLayer::new(tracer))
            .layer(traced)
            .service(inner);
        let request = Request::get("/")
            .header("accept-encoding", "gzip")
            .body(Full::default())
            .unwrap();
        let trailers = if compressed {
            let service = CompressionLayer::new().layer(service);
            let response = service.oneshot(request).await.unwrap();
            response
                .into_body()
                .collect()
                .await
                .unwrap()
                .trailers()
                .cloned()
        } else {
            let response = service.oneshot(request).await.unwrap();
            response
                .into_body()
                .collect()
                .await
                .unwrap()
                .trailers()
                .cloned()
        };
        assert_eq!(ends.load(Ordering::Relaxed), 1, "compressed: {compressed}");
        assert!(trailers.is_some(), "compressed: {compressed}");
    }
}

/// A `Trailing` body says that it has ended, and has trailers all the same.
#[derive(Debug, Default)]
struct Trailing(u8);

impl http_body::Body for Trailing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        self.0 += 1;
        std::task::Poll::Ready(match self.0 {
            1 => Some(Ok(http_body::Frame::data(Bytes::from("data ".repeat(100))))),
            2 => Some(Ok(http_body::Frame::trailers(http::HeaderMap::from_iter(
                [("checksum".parse().unwrap(), "1f".parse().unwrap())],
            )))),
            _ => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0 >= 1
    }
}

/// A builder or an instrumentation makes a layer with settings, by whichever name is at hand.
#[test]
fn a_layer_is_built_in_the_adapters_own_words() {
    let tracer = || HoneyHiveTracer::builder().test_mode(true).build().unwrap();
    let layer = HoneyHiveLayer::builder(tracer()).skip(|_| true).build();
    let _: HoneyHiveLayer = layer.unwrap();
    let instrumentation = ServerInstrumentation::builder(tracer()).build().unwrap();
    drop(HoneyHiveLayer::from(instrumentation));
    let refused = HoneyHiveLayer::builder(tracer()).session_id_header("no header");
    assert!(refused.build().is_err());
}
