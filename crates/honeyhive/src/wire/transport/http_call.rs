//! [`HttpCall`] is a call before any HTTP client has seen it.

use http::{HeaderMap, Method, Request};
use opentelemetry_http::Bytes;

use super::address::Address;
use super::unanswered::Unanswered;

/// The call has all that goes out, but for its timeout.
#[derive(Debug)]
pub(in crate::wire) struct HttpCall {
    pub(in crate::wire) method: Method,
    pub(in crate::wire) address: Address,
    pub(in crate::wire) headers: HeaderMap,
    pub(in crate::wire) body: Bytes,
}

impl TryFrom<HttpCall> for Request<Bytes> {
    type Error = Unanswered;

    fn try_from(call: HttpCall) -> Result<Self, Unanswered> {
        let uri = call.address.uri().map_err(|error| Unanswered {
            detail: error.to_string(),
            may_have_arrived: false,
        })?;
        let mut request = Self::new(call.body);
        *request.method_mut() = call.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = call.headers;
        Ok(request)
    }
}
