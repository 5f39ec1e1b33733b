//! [`ResponseFuture`].

use std::fmt::{self, Display};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use honeyhive::http::{RequestGuard, ResponseGuard};
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
    pub struct ResponseFuture<F>
    where
        F: Future,
    {
        #[pin]
        inner: F,
        guard: RequestGuard,
        // Only where there is a session.
        settings: Option<Arc<Settings>>,
        // Few answers are held back, so it takes no room.
        held: Option<Box<Held<F::Output>>>,
    }
}

/// An answer without a body, held back until it may go.
struct Held<T> {
    answer: T,
    guard: ResponseGuard,
}

impl<T> fmt::Debug for Held<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Held")
    }
}

impl<F: Future> ResponseFuture<F> {
    pub(crate) fn new(inner: F, guard: RequestGuard, settings: &Arc<Settings>) -> Self {
        let settings = guard.session().map(|_| Arc::clone(settings));
        Self {
            inner,
            guard,
            settings,
            held: None,
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
        if let Some(mut held) = this.held.take() {
            if held.poll(this.guard, cx).is_pending() {
                *this.held = Some(held);
                return Poll::Pending;
            }
            let Held { answer, guard } = *held;
            return Poll::Ready(answer.map(|response| watched(response, guard)));
        }
        ready!(this.guard.poll_confirmed(cx));
        let mut answer = ready!(this.guard.run(|| this.inner.poll(cx)));
        let settings = this.settings.as_deref();
        let mut guard = match &mut answer {
            Ok(response) => head(response, this.guard, settings),
            Err(error) => {
                this.guard.on_error(None, error);
                ResponseGuard::default()
            }
        };
        if guard.is_held() || this.guard.is_held() {
            let mut held = Box::new(Held { answer, guard });
            if held.poll(this.guard, cx).is_pending() {
                *this.held = Some(held);
                return Poll::Pending;
            }
            // Delivered at once.
            Held { answer, guard } = *held;
        }
        Poll::Ready(answer.map(|response| watched(response, guard)))
    }
}

impl<T> Held<T> {
    fn poll(&mut self, request: &mut RequestGuard, cx: &mut Context<'_>) -> Poll<()> {
        ready!(request.poll_delivered(cx));
        self.guard.poll_delivered(cx)
    }
}

fn watched<B: Body>(response: Response<B>, guard: ResponseGuard) -> Response<ResponseBody<B>> {
    response.map(|body| ResponseBody::new(body, guard))
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
