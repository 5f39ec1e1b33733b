//! `ResponseBody` passes the inner body unchanged, and notes how it ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong here should stop the test"
)]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use axum::Router;
use axum::routing::get;
use bytes::{Buf, Bytes};
use honeyhive::HoneyHiveTracer;
use honeyhive::testing::{CapturedSession, tracer};
use honeyhive_tower::{HoneyHiveLayer, ResponseBody};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, StreamBody};
use integration_tests::app::{Caused, Refusal};
use integration_tests::client::Client;
use integration_tests::harness::PATIENCE;
use integration_tests::tower::serve_router;
use proptest::prelude::*;
use tower::{Layer, ServiceExt, service_fn};

/// A `Piece` is the next item of a body.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Data(Bytes),
    Trailers,
    Failure(&'static str),
    /// The body is not ready yet; it wakes at once.
    Pause,
}

/// A `Script` tells a body what to do.
#[derive(Debug, Clone)]
struct Script {
    pieces: VecDeque<Piece>,
    /// Whether the body says how many bytes there will be.
    knows_its_length: bool,
    /// Whether the body says that it has ended before it is asked once more.
    knows_its_end: bool,
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([("checksum".parse().unwrap(), HeaderValue::from_static("1f"))])
}

impl Script {
    fn remaining(&self) -> u64 {
        let lengths = self.pieces.iter().map(|piece| match piece {
            Piece::Data(bytes) => bytes.len() as u64,
            _ => 0,
        });
        lengths.sum()
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(match self.pieces.pop_front() {
            Some(Piece::Data(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::Trailers) => Some(Ok(Frame::trailers(trailers()))),
            Some(Piece::Failure(text)) => Some(Err(text)),
            Some(Piece::Pause) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.knows_its_length {
            SizeHint::with_exact(self.remaining())
        } else {
            SizeHint::default()
        }
    }
}

/// A `Step` has all that can be seen of a body.
#[derive(Debug, PartialEq)]
struct Step {
    lower: u64,
    upper: Option<u64>,
    has_ended: bool,
    frame: Option<Result<Piece, String>>,
}

async fn watched<B>(body: B) -> Vec<Step>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let mut body = pin!(body);
    let mut steps = Vec::new();
    loop {
        let hint = body.size_hint();
        let has_ended = body.is_end_stream();
        let frame = poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
        let is_last = !matches!(frame, Some(Ok(_)));
        steps.push(Step {
            lower: hint.lower(),
            upper: hint.upper(),
            has_ended,
            frame: frame.map(|frame| frame.map(piece).map_err(|error| error.into().to_string())),
        });
        if is_last {
            return steps;
        }
    }
}

fn piece(frame: Frame<Bytes>) -> Piece {
    match frame.into_data() {
        Ok(bytes) => Piece::Data(bytes),
        Err(frame) => {
            assert_eq!(frame.into_trailers().unwrap(), trailers());
            Piece::Trailers
        }
    }
}

async fn wrapped(tracer: HoneyHiveTracer, script: Script) -> ResponseBody<Script> {
    wrapped_by(HoneyHiveLayer::new(tracer), script).await
}

async fn wrapped_by(layer: HoneyHiveLayer, script: Script) -> ResponseBody<Script> {
    let service = service_fn(move |_: Request<()>| {
        let response = Response::new(script.clone());
        async { Ok::<_, Infallible>(response) }
    });
    let service = layer.layer(service);
    service.oneshot(Request::new(())).await.unwrap().into_body()
}

fn scripts() -> impl Strategy<Value = Script> {
    let data =
        proptest::collection::vec(any::<u8>(), 0..50).prop_map(|bytes| Piece::Data(bytes.into()));
    let piece = prop_oneof![4 => data, 1 => Just(Piece::Pause)];
    let pieces = proptest::collection::vec(piece, 0..12);
    let last = prop_oneof![
        3 => Just(None),
        1 => Just(Some(Piece::Trailers)),
        1 => Just(Some(Piece::Failure("the model is gone"))),
    ];
    (pieces, last, any::<bool>(), any::<bool>()).prop_map(
        |(mut pieces, last, knows_its_length, knows_its_end)| {
            pieces.extend(last);
            Script {
                pieces: pieces.into(),
                knows_its_length,
                knows_its_end,
            }
        },
    )
}

/// Asserts how a body that was read to its end is recorded.
fn assert_recorded(session: &CapturedSession, script: &Script) {
    let sent = script.remaining();
    let failed = matches!(script.pieces.back(), Some(Piece::Failure(_)));
    // A reader that has the whole promised length sees no failure after it.
    let failed = failed && !(script.knows_its_length);
    let outcome = if failed { "error" } else { "complete" };
    assert_eq!(session.metadata["outcome"], outcome, "{session:#?}");
    assert_eq!(session.metadata["response_bytes"], sent, "{session:#?}");
    assert_eq!(session.error.is_some(), failed, "{session:#?}");
}

proptest! {
    #[test]
    fn every_frame_hint_and_end_passes_untouched(script in scripts(), holds_end: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (tracer, captured) = tracer();
        let layer = match holds_end {
            true => HoneyHiveLayer::builder(tracer).hold_end(PATIENCE).build().unwrap(),
            false => HoneyHiveLayer::new(tracer),
        };
        let (seen, wanted) = runtime.block_on(async {
            let body = wrapped_by(layer, script.clone()).await;
            (watched(body).await, watched(script.clone()).await)
        });
        prop_assert_eq!(seen, wanted);
        assert_recorded(&captured.only_session(), &script);
    }
}

#[tokio::test]
async fn a_body_that_fails_is_recorded_with_every_cause() {
    let (tracer, captured) = tracer();
    let failing = || axum::Error::new(Caused(Refusal("the model is gone")));
    let service = service_fn(async |_: Request<()>| {
        let pieces = futures_util::stream::iter([Err::<Frame<Bytes>, _>(failing())]);
        Ok::<_, Infallible>(Response::new(StreamBody::new(pieces)))
    });
    let service = HoneyHiveLayer::new(tracer).layer(service);
    let answer = service.oneshot(Request::new(())).await.unwrap();
    let error = answer.into_body().collect().await.unwrap_err();
    assert!(error.downcast_ref::<axum::Error>().is_some(), "{error:?}");
    let told = captured.only_session().error;
    assert_eq!(told.as_deref(), Some("no more tokens: the model is gone"));
}

fn said(text: &'static str) -> Piece {
    Piece::Data(Bytes::from_static(text.as_bytes()))
}

fn script<const N: usize>(pieces: [Piece; N]) -> Script {
    Script {
        pieces: pieces.into(),
        knows_its_length: false,
        knows_its_end: true,
    }
}

#[tokio::test]
async fn a_body_that_is_over_before_it_begins_is_complete_without_a_poll() {
    let (tracer, captured) = tracer();
    drop(wrapped(tracer, script([])).await);
    assert_eq!(captured.only_session().metadata["outcome"], "complete");
}

#[tokio::test]
async fn a_body_whose_last_frame_was_taken_is_complete_without_another_poll() {
    for last in [said("two"), Piece::Trailers] {
        let (tracer, captured) = tracer();
        let mut body = wrapped(tracer, script([said("one"), last])).await;
        body.frame().await.unwrap().unwrap();
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert_eq!(captured.only_session().metadata["outcome"], "complete");
    }
}

#[tokio::test]
async fn a_body_that_is_dropped_half_way_is_a_client_that_left() {
    let (tracer, captured) = tracer();
    let mut body = wrapped(tracer, script([said("one"), said("two")])).await;
    body.frame().await.unwrap().unwrap();
    drop(body);
    let session = captured.only_session();
    assert_eq!(session.metadata["outcome"], "client_disconnected");
    assert_eq!(session.metadata["response_bytes"], 3);
    assert_eq!(session.outputs["status_code"], 200);
}

/// `OneByOne` is a buffer that shows one piece at a time, as the trait's own methods do.
#[derive(Clone)]
struct OneByOne(VecDeque<&'static [u8]>);

impl Buf for OneByOne {
    fn remaining(&self) -> usize {
        self.0.iter().map(|piece| piece.len()).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.0.front().copied().unwrap_or_default()
    }

    fn advance(&mut self, _: usize) {
        unreachable!("nobody reads it")
    }
}

#[tokio::test]
async fn a_hole_in_a_buffer_that_shows_a_part_leaves_its_event_out_of_what_was_streamed() {
    const SPEAKS: &[u8] = b"data: {\"choices\":[{\"delta\":{\"content\":\"One\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"T";
    const UNSEEN: &[u8] = b"wo\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"T";
    const GOES_ON: &[u8] =
        b"hree\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"Four\"}}]}\n\n";
    let (tracer, captured) = tracer();
    let service = service_fn(|_: Request<()>| async {
        let buffers = [[SPEAKS, UNSEEN].into(), [GOES_ON].into()].map(OneByOne);
        let frames = buffers.map(|it| Ok::<_, Infallible>(Frame::data(it)));
        let response = Response::builder().header("content-type", "text/event-stream");
        response.body(StreamBody::new(futures_util::stream::iter(frames)))
    });
    let service = HoneyHiveLayer::new(tracer)
        .capture_stream(true)
        .layer(service);
    let mut body = service.oneshot(Request::new(())).await.unwrap().into_body();
    while body.frame().await.is_some() {}
    assert_eq!(captured.only_session().outputs["content"], "OneFour");
}

#[tokio::test]
async fn trailers_reach_the_client() {
    let (tracer, captured) = tracer();
    let at_once = HoneyHiveLayer::new(tracer.clone());
    let held = HoneyHiveLayer::builder(tracer).hold_end(PATIENCE);
    for layer in [at_once, held.build().unwrap()] {
        let router = Router::new().route("/", get(with_trailers)).layer(layer);
        let running = serve_router(router).await;
        let client = Client::new(running.address);
        let calls = [
            client.request("GET", "/").http2(),
            client.request("GET", "/").header("te", "trailers"),
        ];
        for call in calls {
            let answer = call.send().await;
            assert_eq!(answer.text(), "onetwo");
            assert_eq!(answer.trailers, Some(trailers()));
        }
    }
    let sessions = captured.sessions();
    assert_eq!(sessions.len(), 4);
    for session in sessions {
        assert_eq!(session.metadata["outcome"], "complete");
        assert_eq!(session.metadata["response_bytes"], 6);
    }
}

/// HTTP/1 sends only trailers that the head announces.
async fn with_trailers() -> Response<axum::body::Body> {
    let pieces = script([said("one"), said("two"), Piece::Trailers]);
    let mut response = Response::new(axum::body::Body::new(pieces.map_err(std::io::Error::other)));
    let announced = HeaderValue::from_static("checksum");
    response.headers_mut().insert("trailer", announced);
    response
}
