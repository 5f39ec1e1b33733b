//! [`HoneyHiveService`].

use std::fmt::Display;
use std::panic::resume_unwind;
use std::task::{Context, Poll};

use honeyhive::http::{RequestGuard, RequestInfo, ServerInstrumentation};
use http::{HeaderName, Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::headers::View;
use crate::{CurrentSession, ResponseBody, ResponseFuture};

/// The service that [`HoneyHiveLayer`](crate::HoneyHiveLayer) makes.
#[derive(Debug, Clone)]
pub struct HoneyHiveService<S> {
    pub(crate) inner: S,
    pub(crate) instrumentation: ServerInstrumentation,
    pub(crate) header: Option<HeaderName>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for HoneyHiveService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Display,
    ResBody: Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let guard = open(&self.instrumentation, &request);
        if let Some(session) = guard.session() {
            request
                .extensions_mut()
                .insert(CurrentSession::new(session.clone()));
        }
        // The inner service may do its work right here.
        match guard.run(|| self.inner.call(request)) {
            Ok(future) => ResponseFuture::new(future, guard, self.header.clone()),
            Err(panic) => {
                guard.on_panic(&*panic);
                resume_unwind(panic)
            }
        }
    }
}

fn open<B>(instrumentation: &ServerInstrumentation, request: &Request<B>) -> RequestGuard {
    let headers = View(request.headers());
    let info = RequestInfo::new(request.method().as_str(), request.uri().path(), &headers);
    instrumentation.on_request(&info.with_route(route(request)))
}

#[cfg(feature = "axum")]
fn route<B>(request: &Request<B>) -> Option<&str> {
    request
        .extensions()
        .get()
        .map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn route<B>(_: &Request<B>) -> Option<&str> {
    None
}
