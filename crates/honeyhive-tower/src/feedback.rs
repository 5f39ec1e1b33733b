//! [`FeedbackService`] takes ratings of answers by people.

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use honeyhive::feedback::{FeedbackAnswer, FeedbackEndpoint};
use honeyhive::http::RequestInfo;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::headers::View;

/// Returns the service that takes ratings, comments and tags for sessions and events, under any route: see
/// [`honeyhive::feedback`] for the requests and the answers.
///
/// ```
/// use axum::Router;
/// use honeyhive::HoneyHiveTracer;
/// use honeyhive_tower::{HoneyHiveLayer, feedback_routes};
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let app: Router = Router::new()
///     // … the routes of the service …
///     .layer(HoneyHiveLayer::new(tracer.clone()))
///     // After the layer: a rating is no session of its own.
///     .route_service("/feedback", feedback_routes(tracer));
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
///
/// `feedback_routes` takes a tracer, or a [`FeedbackEndpoint`] with settings.
#[must_use]
pub fn feedback_routes(endpoint: impl Into<FeedbackEndpoint>) -> FeedbackService {
    FeedbackService(endpoint.into())
}

/// The service takes ratings of answers by people; [`feedback_routes`] makes it.
#[derive(Debug, Clone)]
pub struct FeedbackService(FeedbackEndpoint);

impl<B: Body> Service<Request<B>> for FeedbackService {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = FeedbackFuture<B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let headers = View(request.headers());
        let info = RequestInfo::new(request.method().as_str(), request.uri().path(), &headers);
        let (endpoint, refusal) = match self.0.check(&info) {
            Ok(endpoint) => (endpoint, None),
            Err(refusal) => (self.0.clone(), Some(refusal)),
        };
        FeedbackFuture {
            endpoint,
            refusal,
            body: request.into_body(),
            read: Vec::new(),
        }
    }
}

pin_project! {
    /// The future of a [`FeedbackService`] reads the body and gives the answer.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct FeedbackFuture<B> {
        endpoint: FeedbackEndpoint,
        refusal: Option<FeedbackAnswer>,
        #[pin]
        body: B,
        read: Vec<u8>,
    }
}

impl<B: Body> Future for FeedbackFuture<B> {
    type Output = Result<Response<String>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = match this.refusal.take() {
            Some(refusal) => refusal,
            None => match ready!(poll_whole(this.body, this.read, cx)) {
                Ok(()) => this.endpoint.receive(this.read),
                Err(refusal) => refusal,
            },
        };
        Poll::Ready(Ok(response(answer)))
    }
}

/// Reads a body to its end, up to the limit.
fn poll_whole<B: Body>(
    mut body: Pin<&mut B>,
    read: &mut Vec<u8>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), FeedbackAnswer>> {
    while let Some(frame) = ready!(body.as_mut().poll_frame(cx)) {
        let Ok(frame) = frame else {
            return Poll::Ready(Err(FeedbackAnswer::unreadable()));
        };
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        if read.len() + data.remaining() > FeedbackEndpoint::MOST_BYTES {
            return Poll::Ready(Err(FeedbackAnswer::too_large()));
        }
        while data.has_remaining() {
            let piece = data.chunk();
            read.extend_from_slice(piece);
            let length = piece.len();
            data.advance(length);
        }
    }
    Poll::Ready(Ok(()))
}

fn response(answer: FeedbackAnswer) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::from_u16(answer.status_code()).unwrap_or_default();
    for (name, value) in answer.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, value);
        }
    }
    *response.body_mut() = Cow::into_owned(answer.into_body());
    response
}
