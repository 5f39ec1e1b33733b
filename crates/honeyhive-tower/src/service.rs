//! [`HoneyHiveService`] runs each request in a session.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;
use std::task::{Context, Poll};

use honeyhive::http::{RequestGuard, RequestInfo};
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::headers::View;
use crate::settings::Settings;
use crate::{ResponseBody, ResponseFuture};

/// The service makes each request a session, and names it in the answer; [`HoneyHiveLayer`](crate::HoneyHiveLayer)
/// makes the service.
///
/// An error of the service inside is recorded with its causes where it is in a box, as those of tower's own layers are
/// (`BoxError`). One of another type is recorded by its text alone, since `Display` is all that is asked of it:
/// `map_err(BoxError::from)` further in puts it into a box.
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use honeyhive_tower::{HoneyHiveLayer, HoneyHiveService};
/// use http::Request;
/// use tower_layer::Layer;
/// use tower_service::Service;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
/// let routes = Router::new().route("/answer", get(async || "42"));
/// let mut service: HoneyHiveService<Router> = HoneyHiveLayer::new(tracer).layer(routes);
/// let response = service.call(Request::get("/answer").body(Body::empty())?).await?;
/// assert!(response.headers().contains_key("x-session-id"));
///
/// let routes: &Router = service.get_ref(); // what is inside stays within reach
/// # assert!(routes.has_routes());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct HoneyHiveService<S> {
    pub(crate) inner: S,
    pub(crate) settings: Arc<Settings>,
}

impl<S> HoneyHiveService<S> {
    /// Returns the service inside.
    #[must_use]
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns the service inside, to be changed.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the service inside, without HoneyHive.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for HoneyHiveService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Display + 'static,
    ResBody: Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let mut guard = open(&self.settings, &request);
        // The inner service may do its work right here.
        let future = guard.run(|| self.inner.call(request));
        ResponseFuture::new(future, guard, &self.settings)
    }
}

fn open<B>(settings: &Settings, request: &Request<B>) -> RequestGuard {
    let headers = View(request.headers());
    let find_route = || route(request).map(Cow::Borrowed);
    let info = RequestInfo::new(request.method().as_str(), path(request), &headers);
    settings
        .instrumentation
        .on_request(&info.with_route(&find_route))
}

/// Returns the path that the client asked for: axum cuts the prefix off the URI of a nested router's requests.
#[cfg(feature = "axum")]
fn path<B>(request: &Request<B>) -> &str {
    let original = request.extensions().get::<axum::extract::OriginalUri>();
    original
        .map_or(request.uri(), |original| &original.0)
        .path()
}

#[cfg(not(feature = "axum"))]
fn path<B>(request: &Request<B>) -> &str {
    request.uri().path()
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
