//! [`ResponseFuture`].

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use honeyhive::http::RequestGuard;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::ResponseBody;
use crate::headers::{View, set_if_absent};
use crate::settings::Settings;

pin_project! {
    /// The future of a [`HoneyHiveService`](crate::HoneyHiveService).
    ///
    /// Dropping it before it is ready says that the client went away.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        guard: RequestGuard,
        // Only where there is a session.
        settings: Option<Arc<Settings>>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, guard: RequestGuard, settings: &Arc<Settings>) -> Self {
        let settings = guard.session().map(|_| Arc::clone(settings));
        Self {
            inner,
            guard,
            settings,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    E: Display,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        ready!(this.guard.poll_confirmed(cx));
        let answer = ready!(this.guard.run(|| this.inner.poll(cx)));
        if let Err(error) = &answer {
            this.guard.on_error(None, error);
        }
        let settings = this.settings.as_deref();
        Poll::Ready(answer.map(|response| respond(response, this.guard, settings)))
    }
}

fn respond<B: Body>(
    mut response: Response<B>,
    guard: &mut RequestGuard,
    settings: Option<&Settings>,
) -> Response<ResponseBody<B>> {
    if let Some(name) = settings.and_then(|settings| settings.header.as_ref()) {
        set_if_absent(response.headers_mut(), name, guard);
    }
    let status = response.status().as_u16();
    let length = response.body().size_hint().exact();
    let guard = guard.on_response(status, &View(response.headers()), length);
    response.map(|body| ResponseBody::new(body, guard))
}
