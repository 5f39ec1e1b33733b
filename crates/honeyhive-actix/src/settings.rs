//! [`Settings`]: what the middleware and its futures share.

use actix_web::http::header::HeaderName;
use honeyhive::http::ServerInstrumentation;

use crate::headers::session_id_header;

/// What every request needs.
#[derive(Debug, Clone)]
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
