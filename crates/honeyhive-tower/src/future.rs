//! [`ResponseFuture`] waits for a service in the request's context.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use honeyhive::http::{Held, RequestGuard, ResponseGuard};
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::ResponseBody;
use crate::headers::{View, set_if_absent};
use crate::service_error::ServiceError;
use crate::settings::Settings;

pin_project! {
    /// The future of a [`HoneyHiveService`](crate::HoneyHiveService) gives the response of the inner service.
    ///
    /// A future that is dropped before it is ready records that the client went away.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F>
    where
        F: Future,
    {
        #[pin]
        inner: F,
        guard: RequestGuard,
        // The settings are kept only where there is a session.
        settings: Option<Arc<Settings>>,
        // An answer without a body, or an error, waits here while the end is held back.
        held: Held<F::Output>,
    }
}

impl<F: Future> ResponseFuture<F> {
    pub(crate) fn new(inner: F, guard: RequestGuard, settings: &Arc<Settings>) -> Self {
        let settings = guard.session().map(|_| Arc::clone(settings));
        Self {
            inner,
            guard,
            settings,
            held: Held::nothing(),
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    E: Display + 'static,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(held) = this.held.poll(cx) {
            return held.map(watched);
        }
        ready!(this.guard.poll_confirmed(cx));
        let mut answer = ready!(this.guard.run(|| this.inner.poll(cx)));
        let settings = this.settings.as_deref();
        let guard = match &mut answer {
            Ok(response) => head(response, this.guard, settings),
            Err(error) => ServiceError::record(error, |error| this.guard.on_error(None, error)),
        };
        if guard.is_held() {
            return this.held.hold(answer, guard, cx).map(watched);
        }
        Poll::Ready(watched((answer, guard)))
    }
}

fn watched<B: Body, E>(
    (answer, guard): (Result<Response<B>, E>, ResponseGuard),
) -> Result<Response<ResponseBody<B>>, E> {
    answer.map(|response| response.map(|body| ResponseBody::new(body, guard)))
}

fn head<B: Body>(
    response: &mut Response<B>,
    guard: &mut RequestGuard,
    settings: Option<&Settings>,
) -> ResponseGuard {
    if let Some(name) = settings.and_then(|settings| settings.header.as_ref()) {
        set_if_absent(response.headers_mut(), name, guard);
    }
    let status = response.status().as_u16();
    let body = response.body();
    let length = if body.is_end_stream() {
        Some(0)
    } else {
        body.size_hint().exact()
    };
    guard.on_response(status, &View(response.headers()), length)
}
