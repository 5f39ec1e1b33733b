//! [`Settings`]: what the layer, its services and their futures share.

use honeyhive::http::ServerInstrumentation;
use http::HeaderName;

use crate::headers::session_id_header;

/// What every request needs: services are cloned for each, so it is shared.
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
