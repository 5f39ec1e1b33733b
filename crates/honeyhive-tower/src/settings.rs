//! [`Settings`] are shared by the layer, its services and their futures.

use honeyhive::http::ServerInstrumentation;
use http::HeaderName;

use crate::headers::session_id_header;

/// Every request needs these settings; they are shared, since services are cloned for each.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) instrumentation: ServerInstrumentation,
    pub(crate) header: Option<HeaderName>,
}

impl Settings {
    pub(crate) fn new(instrumentation: ServerInstrumentation) -> Self {
        Self {
            header: session_id_header(&instrumentation),
            instrumentation,
        }
    }
}
