//! A call as it is kept for whoever looks later: without secrets.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, PROXY_AUTHORIZATION};

use super::apply::Call;
use crate::model::RecordedRequest;

const REDACTED: &str = "<redacted>";

pub(super) fn request(call: &Call) -> RecordedRequest {
    RecordedRequest {
        sequence: 0,
        method: call.head.method.to_string(),
        path: call.head.uri.path().to_owned(),
        query: call.head.uri.query().map(str::to_owned),
        headers: headers(&call.head.headers),
        authorized: call.authorized,
        body: call.body.as_ref().cloned().unwrap_or_default(),
        json: call.json.as_ref().ok().cloned(),
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
