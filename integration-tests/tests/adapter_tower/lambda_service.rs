//! `LambdaService` fits any service, and `LambdaHandler` any handler: the tests say what they hand on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong here should stop the test"
)]

use std::convert::Infallible;
use std::fmt::{self, Debug};
use std::future::{Ready, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt;
use honeyhive::testing::{CapturedSession, tracer};
use honeyhive::{HoneyHiveTracer, Session};
use honeyhive_tower::{LambdaHandler, LambdaLayer};
use http::Response;
use integration_tests::app::{Caused, Refusal};
use integration_tests::harness::local_server;
use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation};
use tower::{Layer, ServiceExt, service_fn};
use tower_service::Service;

fn invocation() -> LambdaInvocation {
    LambdaInvocation {
        parts: Response::new(()).into_parts().0,
        body: Bytes::from_static(b"{}"),
        context: lambda_runtime::Context::default(),
    }
}

fn event() -> LambdaEvent<()> {
    LambdaEvent::new((), lambda_runtime::Context::default())
}

fn assert_ended(session: &CapturedSession, outcome: &str, error: &str) {
    assert_eq!(session.metadata["outcome"], outcome, "{session:#?}");
    assert_eq!(session.error.as_deref(), Some(error), "{session:#?}");
}

#[tokio::test]
async fn an_error_of_the_service_is_recorded_and_handed_on() {
    let (tracer, captured) = tracer();
    let failing = service_fn(async |_: LambdaInvocation| Err::<(), _>(Refusal("no runtime API")));
    let service = LambdaLayer::new(tracer).layer(failing);
    let error = service.oneshot(invocation()).await.unwrap_err();
    assert_eq!(error, Refusal("no runtime API"));
    let text = error.to_string();
    assert_ended(&captured.only_session(), "error", &text);
}

fn boxed() -> lambda_runtime::Error {
    Caused(Refusal("the model is gone")).into()
}

#[tokio::test]
async fn an_error_in_a_box_is_recorded_with_every_cause() {
    let (tracer, captured) = tracer();
    let layer = LambdaLayer::new(tracer);
    let failing = layer.layer(service_fn(
        async |_: LambdaInvocation| Err::<(), _>(boxed()),
    ));
    let error = failing.oneshot(invocation()).await.unwrap_err();
    assert!(error.is::<Caused>(), "{error:?}");
    let handling = layer.layer(service_fn(async |_: LambdaInvocation| {
        let handler = service_fn(async |_: LambdaEvent<()>| Err::<(), _>(boxed()));
        let error = LambdaHandler::new(handler).oneshot(event()).await;
        let answer = Diagnostic::from(error.unwrap_err());
        assert_eq!(answer.error_message, "no more tokens");
        Ok::<_, Infallible>(())
    }));
    handling.oneshot(invocation()).await.unwrap();
    let sessions = captured.sessions();
    assert_eq!(sessions.len(), 2);
    for session in &sessions {
        assert_ended(session, "error", "no more tokens: the model is gone");
    }
}

/// Only the code that threw a `Thrown` payload knows its type.
#[derive(Debug, PartialEq)]
struct Thrown(u32);

#[tokio::test]
async fn a_panic_goes_on_with_its_own_payload_from_the_call_and_from_the_future() {
    let (tracer, captured) = tracer();
    let layer = LambdaLayer::new(tracer);
    let in_call =
        service_fn(|_: LambdaInvocation| -> Ready<Result<(), Infallible>> { panic_any(Thrown(1)) });
    let mut service = layer.layer(in_call);
    let caught = catch_unwind(AssertUnwindSafe(|| service.call(invocation())));
    assert_eq!(caught.err().unwrap().downcast_ref(), Some(&Thrown(1)));

    let in_future = service_fn(async |_: LambdaInvocation| -> Result<(), Infallible> {
        tokio::task::yield_now().await;
        panic_any(Thrown(2))
    });
    let service = layer.layer(in_future);
    let caught = AssertUnwindSafe(service.oneshot(invocation())).catch_unwind();
    let payload = caught.await.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&Thrown(2)));
    for session in captured.sessions() {
        assert_ended(&session, "panicked", "panicked: (no message)");
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_was_cancelled() {
    let (tracer, captured) = tracer();
    let waiting = service_fn(async |_: LambdaInvocation| pending::<Result<(), Infallible>>().await);
    let mut service = LambdaLayer::new(tracer).layer(waiting);
    {
        let mut call = pin!(service.call(invocation()));
        let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending()));
        assert!(polled.await);
    }
    let session = captured.only_session();
    assert_eq!(session.metadata["outcome"], "cancelled");
}

#[tokio::test]
async fn the_session_is_current_in_the_call_and_in_every_poll() {
    let (tracer, captured) = tracer();
    let service = service_fn(|_: LambdaInvocation| {
        let in_call = Session::current().unwrap().id();
        async move {
            for _ in 0..3 {
                assert_eq!(Session::current().unwrap().id(), in_call);
                tokio::task::yield_now().await;
            }
            Ok::<_, Infallible>(in_call)
        }
    });
    let service = LambdaLayer::new(tracer).layer(service);
    let id = service.oneshot(invocation()).await.unwrap();
    assert_eq!(captured.only_session().id, id);
    assert!(Session::current().is_none());
}

/// An `Unready` service is never ready, so the layer around it must not be either.
#[derive(Debug)]
struct Unready;

impl Service<LambdaInvocation> for Unready {
    type Response = ();
    type Error = Refusal;
    type Future = Ready<Result<(), Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Err(Refusal("not ready")))
    }

    fn call(&mut self, _: LambdaInvocation) -> Self::Future {
        ready(Ok(()))
    }
}

#[tokio::test]
async fn readiness_is_that_of_the_inner_service() {
    let (tracer, _captured) = tracer();
    let mut service = LambdaLayer::new(tracer).layer(Unready);
    let polled = poll_fn(|cx| service.poll_ready(cx)).await;
    assert_eq!(polled, Err(Refusal("not ready")));
}

/// Some layers close their span with their future, so the flush has to have it.
#[tokio::test]
async fn a_span_that_lives_as_long_as_the_inner_future_is_delivered_with_it() {
    let honeyhive = local_server().start().await.unwrap();
    let tracer = HoneyHiveTracer::builder()
        .api_key("hh_lambda")
        .server_url(honeyhive.url())
        .build()
        .unwrap();
    let for_service = tracer.clone();
    let service = service_fn(move |_: LambdaInvocation| SpanFuture {
        _span: for_service.span("around").start(),
    });
    let service = LambdaLayer::new(tracer).layer(service);
    let mut future = pin!(service.oneshot(invocation()));
    future.as_mut().await.unwrap();
    assert_eq!(honeyhive.stats().events, 1);
}

struct SpanFuture {
    _span: honeyhive::Span,
}

impl Future for SpanFuture {
    type Output = Result<(), Infallible>;

    fn poll(self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}

/// An `OddError` does not implement `Error`, as `lambda_runtime`'s documentation allows.
struct OddError;

impl Debug for OddError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("for the log")
    }
}

impl From<OddError> for Diagnostic {
    fn from(_: OddError) -> Self {
        Self {
            error_type: "Odd".to_owned(),
            error_message: "for the answer".to_owned(),
        }
    }
}

#[tokio::test]
async fn an_error_of_the_handler_is_the_same_for_the_answer_and_for_the_log() {
    let handler = service_fn(async |_: LambdaEvent<()>| Err::<(), _>(OddError));
    let handler = LambdaHandler::new(handler);
    let error = handler.oneshot(event()).await.unwrap_err();
    assert_eq!(format!("{error:?}"), "for the log");
    assert_eq!(Diagnostic::from(error), Diagnostic::from(OddError));
}

#[tokio::test]
async fn the_error_of_the_session_is_what_the_answer_says() {
    let (tracer, captured) = tracer();
    let service = service_fn(async |_: LambdaInvocation| {
        let handler = service_fn(async |_: LambdaEvent<()>| Err::<(), _>(OddError));
        let _answer = LambdaHandler::new(handler).oneshot(event()).await;
        Ok::<_, Infallible>(())
    });
    let service = LambdaLayer::new(tracer).layer(service);
    service.oneshot(invocation()).await.unwrap();
    assert_ended(&captured.only_session(), "error", "for the answer");
}

/// The bounds are those of `Runtime::run_concurrent`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_layer_serves_invocations_on_many_threads() {
    let (tracer, captured) = tracer();
    let service = service_fn(async |_: LambdaInvocation| {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(Session::current().unwrap().id())
    });
    let service = LambdaLayer::new(tracer).layer(service);
    let tasks = [(); 4].map(|()| tokio::spawn(service.clone().oneshot(invocation())));
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.unwrap().unwrap());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    let sessions = captured.sessions();
    let cold = |session: &&CapturedSession| session.metadata["cold_start"] == true;
    assert_eq!(sessions.iter().filter(cold).count(), 1, "{sessions:#?}");
}
