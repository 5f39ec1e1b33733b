//! [`ResponseFuture`].

use std::fmt::Display;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use honeyhive::CreateSession;
use honeyhive::http::RequestGuard;
use http::{HeaderName, Response};
use http_body::Body;
use pin_project_lite::pin_project;

use crate::ResponseBody;
use crate::headers::{View, set_if_absent};

pin_project! {
    /// The future of a [`HoneyHiveService`](crate::HoneyHiveService).
    ///
    /// Dropping it before it is ready says that the client went away.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        // `None` once the future has ended.
        guard: Option<RequestGuard>,
        // Only where the program wants to wait for HoneyHive.
        confirmation: Option<CreateSession>,
        header: Option<HeaderName>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, guard: RequestGuard, header: Option<HeaderName>) -> Self {
        let confirmation = guard.confirmation();
        Self {
            inner,
            guard: Some(guard),
            confirmation,
            header,
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
        if let Some(confirmation) = this.confirmation {
            // Whatever HoneyHive says, the request goes on.
            let _ = ready!(Pin::new(confirmation).poll(cx));
            *this.confirmation = None;
        }
        let Some(guard) = this.guard else {
            panic!("`ResponseFuture` polled after it was ready");
        };
        let polled = guard.run(|| this.inner.poll(cx));
        let output = match polled {
            Ok(poll) => Ok(ready!(poll)),
            Err(panic) => Err(panic),
        };
        let Some(guard) = this.guard.take() else {
            unreachable!("the guard was there above");
        };
        match output {
            Ok(Ok(response)) => Poll::Ready(Ok(respond(response, guard, this.header.as_ref()))),
            Ok(Err(error)) => {
                guard.on_error(&error);
                Poll::Ready(Err(error))
            }
            Err(panic) => {
                guard.on_panic(&*panic);
                resume_unwind(panic)
            }
        }
    }
}

fn respond<B: Body>(
    mut response: Response<B>,
    guard: RequestGuard,
    header: Option<&HeaderName>,
) -> Response<ResponseBody<B>> {
    if let (Some(name), Some(id)) = (header, guard.response_id()) {
        set_if_absent(response.headers_mut(), name, id);
    }
    let status = response.status().as_u16();
    let length = response.body().size_hint().exact();
    let guard = guard.on_response(status, &View(response.headers()), length);
    response.map(|body| ResponseBody::new(body, guard))
}
