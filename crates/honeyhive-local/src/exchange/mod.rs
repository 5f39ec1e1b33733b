//! A call is read and recorded, and then fails or is carried out.

mod place;
mod record;
mod scoped;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use tower_service::Service;

use crate::access;
use crate::body::{self, Unread};
use crate::fault::Abort;
use crate::read;
use crate::reply::Reply;
use crate::shared::Shared;

use place::Place;

/// An `Entrance` lets in every request.
#[derive(Debug, Clone)]
pub(crate) struct Entrance {
    shared: Arc<Shared>,
    router: Router,
}

impl Entrance {
    pub(crate) fn new(shared: Arc<Shared>, router: Router) -> Self {
        Self { shared, router }
    }

    /// Returns the time in which a client must send the head of a request.
    pub(crate) fn client_timeout(&self) -> Duration {
        self.shared.config.client_timeout
    }

    pub(crate) fn max_connections(&self) -> usize {
        self.shared.config.max_connections
    }

    /// Answers a request, or says how its connection ends without an answer.
    pub(crate) async fn answer(self, request: Request<Incoming>) -> Result<Response, Abort> {
        let (head, body) = request.into_parts();
        if let Some(refusal) = access::browser_refusal(&self.shared.config, &head) {
            return Ok(read::shielded(refusal.into_response()));
        }
        let place = Place::of(&head.method, head.uri.path(), self.shared.config.v1_routes);
        match place {
            Place::Health => Ok(self.routed(head, Body::empty()).await),
            Place::Read if !access::may_read(&self.shared.config, &head.headers) => {
                Ok(read::shielded(locked().into_response()))
            }
            Place::Read if head.method == Method::POST => {
                Ok(read::shielded(self.imported(head, body).await))
            }
            Place::Read => Ok(read::shielded(self.routed(head, Body::new(body)).await)),
            Place::Call(call) => {
                let limit = self.shared.config.max_body_bytes;
                let body = self.read(&head, body, limit).await;
                self.call(call, head, body).await
            }
        }
    }

    /// Reads a body while its client sends it in time.
    async fn read(
        &self,
        head: &Parts,
        body: Incoming,
        limit: usize,
    ) -> Result<body::Whole, Unread> {
        let Shared { bodies, config, .. } = &*self.shared;
        let reading = body::read(bodies, &head.headers, body, limit);
        let in_time = tokio::time::timeout(config.client_timeout, reading);
        in_time.await.unwrap_or(Err(Unread::Late))
    }

    /// Answers a request of the read side with a body: an event in the form it is shown in, which is longer than that
    /// it came in.
    async fn imported(self, head: Parts, body: Incoming) -> Response {
        let limit = self.shared.config.max_body_bytes;
        let limit = limit.saturating_mul(read::TIMES_AS_LONG);
        match self.read(&head, body, limit).await {
            // The body's claim on memory ends with the answer.
            Ok(body::Whole { bytes, _claim }) => self.routed(head, Body::from(bytes)).await,
            Err(unread) => unread.refusal().into_response(),
        }
    }

    /// Answers a call of the API, which is recorded and open to faults.
    async fn call(
        self,
        call: place::Call,
        head: Parts,
        body: Result<body::Whole, Unread>,
    ) -> Result<Response, Abort> {
        let shared = Arc::clone(&self.shared);
        let authorized = access::is_authorized(&shared.config.keys, call.area, &head.headers);
        let bytes = body.as_ref().map(|body| body.bytes.clone());
        let bytes = bytes.unwrap_or_default();
        let recorded = record::request(&head, authorized, bytes);
        let sequence = shared.change_requests(|requests| requests.record(recorded));
        let _under_way = UnderWay(&shared);
        let fault = shared.faults().next(call.endpoint);
        let apply = self.apply(&call, authorized, head, body);
        let response = match fault {
            Some(fault) => fault.play(apply).await?,
            None => apply.await,
        };
        let status = response.status().as_u16();
        shared.requests().answered(sequence, status);
        shared.announce_request(sequence);
        Ok(response)
    }

    async fn apply(
        self,
        call: &place::Call,
        authorized: bool,
        mut head: Parts,
        body: Result<body::Whole, Unread>,
    ) -> Response {
        if !authorized {
            return unauthorized().into_response();
        }
        let body = match body {
            Ok(body) => body,
            Err(unread) => return unread.refusal().into_response(),
        };
        if !call.known {
            return Reply::not_found().into_response();
        }
        if let Err(refusal) = scoped::unscope(&mut head) {
            return refusal.into_response();
        }
        // The body's claim on memory ends with the answer.
        let body::Whole { bytes, _claim } = body;
        self.routed(head, Body::from(bytes)).await
    }

    async fn routed(mut self, head: Parts, body: Body) -> Response {
        // A router is always ready and never fails.
        let response = self.router.call(Request::from_parts(head, body)).await;
        response.unwrap_or_default()
    }
}

/// `UnderWay` is a recorded request, until it is answered, its client has left or its connection is cut.
struct UnderWay<'s>(&'s Shared);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.change_requests(|requests| requests.ended());
    }
}

fn unauthorized() -> Reply {
    let message =
        "the API key is missing, wrong or of another kind: send `Authorization: Bearer <key>`";
    Reply::refusal(StatusCode::UNAUTHORIZED, message)
        .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

fn locked() -> Reply {
    let message =
        "this takes the API key: send it as a bearer, or as the password that a browser asks for";
    Reply::refusal(StatusCode::UNAUTHORIZED, message).with(
        WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"honeyhive-local\""),
    )
}
