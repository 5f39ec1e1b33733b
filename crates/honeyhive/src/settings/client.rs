//! [`GivenClient`] is an HTTP client that the program has given.

use std::fmt;
use std::sync::Arc;

use opentelemetry_http::HttpClient;

/// The client is the program's. Its `Debug` shows nothing: the client may hold a secret.
#[derive(Clone)]
pub(crate) struct GivenClient(pub(crate) Arc<dyn HttpClient>);

impl fmt::Debug for GivenClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("GivenClient")
    }
}
