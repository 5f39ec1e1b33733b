//! [`Failure`] is the response to a turn that went wrong.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chat_support::ChatError;

/// A `Failure` is a [`ChatError`] that axum can answer with.
pub(crate) struct Failure(ChatError);

impl From<ChatError> for Failure {
    fn from(error: ChatError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0.body())).into_response()
    }
}
