//! `HoneyHiveService` fits any service: the tests say what it hands on, and what it records.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong here should stop the test"
)]

use std::convert::Infallible;
use std::future::{Future, Ready, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use honeyhive::Session;
use honeyhive::http::current_session;
use honeyhive::testing::{CapturedSession, tracer};
use honeyhive_tower::{HoneyHiveLayer, PropagateLayer};
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use integration_tests::app::{Caused, Refusal};
use integration_tests::client::Client;
use tokio::net::TcpListener;
use tower::buffer::BufferLayer;
use tower::timeout::TimeoutLayer;
use tower::timeout::error::Elapsed;
use tower::{BoxError, Layer, ServiceExt, service_fn};
use tower_service::Service;

type Body = Full<Bytes>;

fn hello() -> Response<Body> {
    Response::new(Body::from("hello"))
}

fn assert_ended(session: &CapturedSession, status: u16, outcome: &str, error: &str) {
    assert_eq!(session.outputs["status_code"], status, "{session:#?}");
    assert_eq!(session.metadata["outcome"], outcome, "{session:#?}");
    let text = session.error.as_deref();
    assert!(
        text.is_some_and(|text| text.contains(error)),
        "{session:#?}"
    );
    assert!(session.end_time.is_some(), "{session:#?}");
}

#[tokio::test]
async fn an_error_of_the_service_is_recorded_and_handed_on() {
    let (tracer, captured) = tracer();
    let failing = service_fn(async |_: Request<()>| Err::<Response<Body>, _>(Refusal("no tokens")));
    let service = HoneyHiveLayer::new(tracer).layer(failing);
    let error = service.oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(error, Refusal("no tokens"));
    assert_ended(&captured.only_session(), 500, "error", "no tokens");
}

/// Only the code that threw a `Thrown` payload knows its type.
#[derive(Debug, PartialEq)]
struct Thrown(u32);

#[tokio::test]
async fn a_panic_of_the_future_goes_on_with_its_own_payload() {
    let (tracer, captured) = tracer();
    let panicking = service_fn(
        async |_: Request<()>| -> Result<Response<Body>, Infallible> {
            tokio::task::yield_now().await;
            panic_any(Thrown(7))
        },
    );
    let service = HoneyHiveLayer::new(tracer).layer(panicking);
    let caught = AssertUnwindSafe(service.oneshot(Request::new(()))).catch_unwind();
    let payload = caught.await.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&Thrown(7)));
    assert_ended(&captured.only_session(), 500, "panicked", "panicked");
}

#[tokio::test]
async fn a_panic_of_the_call_itself_goes_on_with_its_own_payload() {
    let (tracer, captured) = tracer();
    let panicking = service_fn(
        |_: Request<()>| -> Ready<Result<Response<Body>, Infallible>> { panic_any(Thrown(8)) },
    );
    let mut service = HoneyHiveLayer::new(tracer).layer(panicking);
    let caught = catch_unwind(AssertUnwindSafe(|| service.call(Request::new(()))));
    let payload = caught.err().unwrap();
    assert_eq!(payload.downcast_ref(), Some(&Thrown(8)));
    assert_ended(&captured.only_session(), 500, "panicked", "panicked");
}

#[tokio::test]
async fn a_future_that_is_dropped_is_a_client_that_left() {
    let (tracer, captured) = tracer();
    let waiting = service_fn(async |_: Request<()>| {
        std::future::pending::<Result<Response<Body>, Infallible>>().await
    });
    let mut service = HoneyHiveLayer::new(tracer).layer(waiting);
    {
        let mut call = pin!(service.call(Request::new(())));
        let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending()));
        assert!(polled.await);
    }
    let session = captured.only_session();
    assert_eq!(session.outputs["status_code"], 499);
    assert_eq!(session.metadata["outcome"], "client_disconnected");
}

#[tokio::test]
async fn what_a_service_does_in_its_call_is_in_the_session() {
    let (tracer, captured) = tracer();
    let spans = tracer.clone();
    let eager = service_fn(move |_: Request<()>| {
        drop(spans.span("in the call").start());
        let session = current_session().unwrap();
        assert_eq!(Session::current().unwrap().id(), session.id());
        ready(Ok::<_, Infallible>(hello()))
    });
    let service = HoneyHiveLayer::new(tracer).layer(eager);
    service.oneshot(Request::new(())).await.unwrap();
    let session = captured.only_session();
    session.assert_tree(&format!(
        "{}\n  in the call [tool]",
        session.name.as_deref().unwrap()
    ));
}

#[tokio::test]
async fn a_timeout_within_ours_is_an_error_and_no_goodbye() {
    let (tracer, captured) = tracer();
    let endless = service_fn(async |_: Request<()>| {
        std::future::pending::<Result<Response<Body>, Infallible>>().await
    });
    let hasty = TimeoutLayer::new(Duration::ZERO).layer(endless);
    let service = HoneyHiveLayer::new(tracer).layer(hasty);
    let error = service.oneshot(Request::new(())).await.unwrap_err();
    assert!(error.is::<Elapsed>(), "{error}");
    assert_ended(&captured.only_session(), 500, "error", "timed out");
}

#[tokio::test]
async fn a_buffer_within_ours_keeps_the_session() {
    let (tracer, captured) = tracer();
    let spans = tracer.clone();
    let working = service_fn(move |_: Request<()>| {
        let spans = spans.clone();
        async move {
            tokio::task::yield_now().await;
            drop(spans.span("work").start());
            Ok::<_, Infallible>(hello())
        }
    });
    // The buffer makes the call itself on a task of its own.
    let buffered = BufferLayer::new(1).layer(working);
    let service = HoneyHiveLayer::new(tracer).layer(buffered);
    service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(captured.only_session().event("work").event_type, "tool");
}

/// A `Reluctant` service is ready at the third asking, and only the instance that was asked may be called.
#[derive(Debug)]
struct Reluctant {
    asked: Arc<AtomicUsize>,
    is_ready: bool,
}

impl Clone for Reluctant {
    fn clone(&self) -> Self {
        Self {
            asked: Arc::clone(&self.asked),
            is_ready: false,
        }
    }
}

impl Service<Request<()>> for Reluctant {
    type Response = Response<Body>;
    type Error = Refusal;
    type Future = Ready<Result<Response<Body>, Refusal>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        match self.asked.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            2 => {
                self.is_ready = true;
                Poll::Ready(Ok(()))
            }
            _ => Poll::Ready(Err(Refusal("closed"))),
        }
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(
            self.is_ready,
            "the instance that was ready is the one that is called"
        );
        self.is_ready = false;
        ready(Ok(hello()))
    }
}

#[tokio::test]
async fn readiness_is_that_of_the_service_within() {
    let (tracer, captured) = tracer();
    let asked = Arc::new(AtomicUsize::new(0));
    let mut service = HoneyHiveLayer::new(tracer).layer(Reluctant {
        asked: Arc::clone(&asked),
        is_ready: false,
    });
    service
        .ready()
        .await
        .unwrap()
        .call(Request::new(()))
        .await
        .unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 3, "asked until it was ready");
    let refused = service.ready().await.unwrap_err();
    assert_eq!(refused, Refusal("closed"));
    assert_eq!(
        captured.sessions().len(),
        1,
        "not being ready is no request"
    );
}

#[tokio::test]
async fn an_error_in_a_box_is_recorded_with_every_cause_and_handed_on() {
    let (tracer, captured) = tracer();
    let failing = service_fn(async |_: Request<()>| {
        Err::<Response<Body>, BoxError>(Caused(Refusal("the model is gone")).into())
    });
    let service = HoneyHiveLayer::new(tracer).layer(failing);
    let error = service.oneshot(Request::new(())).await.unwrap_err();
    assert!(error.is::<Caused>(), "{error:?}");
    let told = captured.only_session().error;
    assert_eq!(told.as_deref(), Some("no more tokens: the model is gone"));
}

#[tokio::test]
async fn hyper_serves_a_traced_service_without_a_framework() {
    let (tracer, captured) = tracer();
    let spans = tracer.clone();
    let service = service_fn(move |_: Request<hyper::body::Incoming>| {
        let span = spans.span("work").start();
        async move {
            span.scope(tokio::task::yield_now()).await;
            Ok::<_, Infallible>(hello())
        }
    });
    let service = HoneyHiveLayer::new(tracer).layer(service);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            let builder = auto::Builder::new(TokioExecutor::new());
            tokio::spawn(async move {
                let serving = builder.serve_connection(TokioIo::new(connection), service);
                serving.await.unwrap();
            });
        }
    });
    let client = Client::new(address);
    for call in [
        client.request("GET", "/a?b=c"),
        client.request("GET", "/a").http2(),
    ] {
        let answer = call.send().await;
        let session = captured.session(answer.session_id()).unwrap();
        assert_eq!(session.name.as_deref(), Some("GET /a"), "there is no route");
        session.assert_tree("GET /a\n  work [tool]");
    }
    serving.abort();
}

#[tokio::test]
async fn the_session_goes_along_with_hypers_requests_to_hosts_that_are_listed() {
    let (tracer, _captured) = tracer();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sent, mut received) = tokio::sync::mpsc::unbounded_channel();
    let serving = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let sent = sent.clone();
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                sent.send(request.headers().clone()).unwrap();
                ready(Ok::<_, Infallible>(hello()))
            });
            let server = auto::Builder::new(TokioExecutor::new());
            let service = TowerToHyperService::new(service);
            tokio::spawn(async move {
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    let session = tracer.create_session("caller");
    let span = session.span("ask").start();
    let listed = |host: String| PropagateLayer::to([host]);
    for (layer, goes_along) in [
        (listed(format!("127.0.0.1:{port}")), true),
        (listed("127.0.0.1".to_owned()), true),
        (listed("127.0.0.1:1".to_owned()), false),
        (listed("*.internal".to_owned()), false),
        (PropagateLayer::always(), true),
    ] {
        let hyper = legacy::Client::builder(TokioExecutor::new()).build_http::<Body>();
        let request = Request::get(format!("http://127.0.0.1:{port}/"));
        let request = request.body(Body::default()).unwrap();
        let answer = span.scope(layer.clone().layer(hyper).oneshot(request));
        assert_eq!(answer.await.unwrap().status(), 200);
        let headers = received.recv().await.unwrap();
        let baggage = headers.get("baggage").map(|it| it.to_str().unwrap());
        let says_session = baggage.is_some_and(|it| it.contains(&session.id().to_string()));
        assert_eq!(says_session, goes_along, "{layer:?}: {headers:?}");
        assert_eq!(headers.contains_key("traceparent"), goes_along);
    }
    serving.abort();
}
