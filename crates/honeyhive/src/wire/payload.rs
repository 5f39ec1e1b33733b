//! [`Payload`] is spans as the bytes of a call.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use opentelemetry_http::Bytes;

/// The bytes are ready to go out.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Payload {
    /// Makes a payload. An empty encoding means that the bytes are as they are.
    pub(crate) fn new(content_type: HeaderValue, encoding: HeaderValue, bytes: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type);
        if !encoding.is_empty() {
            headers.insert(CONTENT_ENCODING, encoding);
        }
        Self { headers, bytes }
    }
}
