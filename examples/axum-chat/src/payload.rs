//! [`Payload`] is the checked body of a request.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chat_support::{BadRequest, ChatError, ChatRequest};

use crate::error::Failure;

/// A `Payload` reads a [`ChatRequest`]. `axum::Json` would do, but for its errors: they are plain text.
pub(crate) struct Payload(pub(crate) ChatRequest);

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| unreadable(rejection.into_response().status()))?;
        let request = ChatRequest::from_json(&body).map_err(ChatError::from)?;
        Ok(Self(request))
    }
}

fn unreadable(status: StatusCode) -> ChatError {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => BadRequest::BodyTooLong.into(),
        _ => BadRequest::Unreadable.into(),
    }
}
