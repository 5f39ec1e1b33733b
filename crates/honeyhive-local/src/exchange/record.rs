//! The record of a call is kept for later reading, without secrets.

use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use http::request::Parts;

use crate::model::RecordedRequest;

const REDACTED: &str = "<redacted>";

/// Returns the record of a call, which is numbered and answered later.
pub(super) fn request(head: &Parts, authorized: bool, body: Bytes) -> RecordedRequest {
    RecordedRequest {
        sequence: 0,
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: headers(&head.headers),
        authorized,
        body,
        json: None,
        status: None,
        received_at: SystemTime::now(),
    }
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers
        .iter()
        .map(|(name, value)| (name.to_string(), shown(name, value)));
    shown.collect()
}

fn shown(name: &HeaderName, value: &HeaderValue) -> String {
    let secrets = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];
    let text = String::from_utf8_lossy(value.as_bytes());
    if !secrets.contains(name) && name != "x-api-key" {
        return text.into_owned();
    }
    let is_bearer = text
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "));
    if is_bearer {
        format!("Bearer {REDACTED}")
    } else {
        REDACTED.to_owned()
    }
}
