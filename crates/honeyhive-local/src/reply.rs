use axum::body::Body;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::rest::Invalid;
use crate::store::Failed;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(crate) const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// A `Reply` is an answer to a request, whole in memory.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

/// An `Answer` is a handler's result: both are answers, and `?` leaves with a refusal.
pub(crate) type Answer = Result<Reply, Reply>;

impl Reply {
    pub(crate) fn new(status: StatusCode, kind: HeaderValue, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![(CONTENT_TYPE, kind)],
            body: body.into(),
        }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new(StatusCode::OK, JSON, value.to_string())
    }

    /// Returns a refusal as HoneyHive words one: JSON with a `message`.
    pub(crate) fn refusal(status: StatusCode, message: &str) -> Self {
        let body = json!({ "message": message });
        Self::new(status, JSON, body.to_string())
    }

    pub(crate) fn bad_request(message: &str) -> Self {
        Self::refusal(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn not_found() -> Self {
        Self::refusal(StatusCode::NOT_FOUND, "there is nothing at this path")
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl From<Invalid> for Reply {
    fn from(Invalid(why): Invalid) -> Self {
        Self::bad_request(&why)
    }
}

impl From<Failed> for Reply {
    fn from(failed: Failed) -> Self {
        let status = match &failed {
            Failed::Full => StatusCode::INSUFFICIENT_STORAGE,
            Failed::Refused(_) => StatusCode::BAD_REQUEST,
            Failed::Missing(_) => StatusCode::NOT_FOUND,
            Failed::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::refusal(status, &failed.to_string())
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}
