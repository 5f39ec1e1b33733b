//! Handlers get bodies whole, as JSON or as bytes.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::FromRequest;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;

use crate::json;
use crate::reply::Reply;
use crate::work::by_size;

/// `Sent` is the body of a request as JSON, whatever content type it claims to be.
#[derive(Debug)]
pub(super) struct Sent(pub(super) Value);

impl<S: Sync> FromRequest<S> for Sent {
    type Rejection = Reply;

    async fn from_request(request: Request<Body>, _: &S) -> Result<Self, Reply> {
        let body = whole(request.into_body()).await;
        let parsed = by_size(body.len(), move || json::parse(&body)).await?;
        parsed.map(Self).map_err(|why| Reply::bad_request(&why))
    }
}

/// `Raw` is the body of a request as bytes.
#[derive(Debug)]
pub(super) struct Raw(pub(super) Bytes);

impl<S: Sync> FromRequest<S> for Raw {
    type Rejection = Infallible;

    async fn from_request(request: Request<Body>, _: &S) -> Result<Self, Infallible> {
        Ok(Self(whole(request.into_body()).await))
    }
}

/// Returns a body that the entrance has read already: nothing is waited for, and nothing fails.
async fn whole(body: Body) -> Bytes {
    let collected = body.collect().await;
    collected.map(|body| body.to_bytes()).unwrap_or_default()
}
