//! [`Settings`]: what the layer, its services and their futures share.

use honeyhive::http::ServerInstrumentation;
use http::HeaderName;

use crate::headers::session_id_header;

/// The settings that every request needs, shared since services are cloned for each.
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
