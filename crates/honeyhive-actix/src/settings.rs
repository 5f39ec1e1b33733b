//! [`Settings`] and [`Worker`] are shared by the middleware and its futures.

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderName;
use honeyhive::http::{RequestGuard, RequestInfo, ServerInstrumentation};

use crate::headers::{Names, RequestView, session_id_header};
use crate::routes::{Routes, Taken};

/// The workers have these settings in common.
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

/// A worker keeps the settings and the routes that each of its requests needs.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) settings: Settings,
    request_headers: Names,
    routes: Routes,
}

impl Worker {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            request_headers: Names::of(&settings.instrumentation),
            settings,
            routes: Routes::default(),
        }
    }

    /// Notes that a request has come in.
    #[inline]
    pub(crate) fn open(&self, request: &ServiceRequest) -> (RequestGuard, Taken) {
        let headers = RequestView(request.headers(), &self.request_headers);
        let find_route = || self.routes.find(request);
        let info = RequestInfo::new(request.method().as_str(), request.path(), &headers);
        let info = info.with_route(&find_route);
        let guard = self.settings.instrumentation.on_request(&info);
        (guard, info.into_route().into())
    }

    /// Notes that a request has been routed.
    pub(crate) fn routed(&self, guard: &RequestGuard, request: &HttpRequest, taken: &Taken) {
        let Some(route) = self.routes.settled(request, taken) else {
            return;
        };
        let headers = RequestView(request.headers(), &self.request_headers);
        let find_route = || Some(route.as_str().into());
        let info = RequestInfo::new(request.method().as_str(), request.path(), &headers);
        let info = info.with_route(&find_route);
        self.settings.instrumentation.on_routed(guard, &info);
    }
}
