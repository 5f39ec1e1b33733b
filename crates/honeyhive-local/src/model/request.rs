//! A request has one form, in which it is kept and handed out.

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;

/// A `RecordedRequest` is a request that came in. Pages and `/api` are not recorded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The number of the request: 1 for the first since the start; a clear does not start over.
    pub sequence: u64,
    /// The method: `POST`, `PUT`, …
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The query, without the question mark.
    pub query: Option<String>,
    /// The headers in order, names in lower case; secrets are replaced by `<redacted>`.
    pub headers: Vec<(String, String)>,
    /// Whether the key was right; true where none is set.
    pub authorized: bool,
    /// The body, decompressed; empty when it could not be read.
    pub body: Bytes,
    /// The body as JSON, where it is JSON.
    pub json: Option<Value>,
    /// The status of the answer; none while there is none, and for good when a fault answered nothing.
    pub status: Option<u16>,
    /// The time of arrival.
    pub received_at: SystemTime,
}

impl RecordedRequest {
    /// Returns the first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}
