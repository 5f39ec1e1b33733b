//! [`Payload`] is the checked body of a request.

use actix_web::dev;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{Error, FromRequest, HttpRequest};
use chat_support::{BadRequest, ChatRequest};
use futures_util::FutureExt;
use futures_util::future::Map;

use crate::error::Failure;

/// A `Payload` reads a [`ChatRequest`]. `web::Json` would do, but for its errors: they are plain text.
pub(crate) struct Payload(pub(crate) ChatRequest);

impl FromRequest for Payload {
    type Error = Failure;
    type Future =
        Map<<Bytes as FromRequest>::Future, fn(Result<Bytes, Error>) -> Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        Bytes::from_request(request, payload).map(read)
    }
}

fn read(body: Result<Bytes, Error>) -> Result<Payload, Failure> {
    let body = body.map_err(|error| unreadable(&error))?;
    Ok(Payload(ChatRequest::from_json(&body)?))
}

fn unreadable(error: &Error) -> BadRequest {
    match error.as_response_error().status_code() {
        StatusCode::PAYLOAD_TOO_LARGE => BadRequest::BodyTooLong,
        _ => BadRequest::Unreadable,
    }
}
