//! [`ResponseFuture`].

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServiceResponse;
use honeyhive::http::RequestGuard;
use pin_project_lite::pin_project;

use crate::ResponseBody;
use crate::headers::{View, set_if_absent};
use crate::routes::Taken;
use crate::settings::{Settings, Worker};

pin_project! {
    /// The future of a [`HoneyHiveMiddleware`](crate::HoneyHiveMiddleware).
    ///
    /// Dropping it before it is ready says that the client went away.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        guard: RequestGuard,
        taken: Taken,
        // Only where there is a session.
        worker: Option<Rc<Worker>>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, guard: RequestGuard, taken: Taken, worker: &Rc<Worker>) -> Self {
        let worker = guard.session().map(|_| Rc::clone(worker));
        Self {
            inner,
            guard,
            taken,
            worker,
        }
    }
}

impl<F, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<ResponseBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        ready!(this.guard.poll_confirmed(cx));
        match ready!(this.guard.run(|| this.inner.poll(cx))) {
            Ok(response) => {
                if let Some(worker) = this.worker {
                    worker.routed(this.guard, response.request(), this.taken);
                }
                let settings = this.worker.as_ref().map(|worker| &worker.settings);
                Poll::Ready(Ok(respond(response, this.guard, settings)))
            }
            Err(error) => {
                let status = this.guard.run(|| error.as_response_error().status_code());
                this.guard.on_error(Some(status.as_u16()), &error);
                Poll::Ready(Err(error))
            }
        }
    }
}

fn respond<B: MessageBody>(
    mut response: ServiceResponse<B>,
    guard: &mut RequestGuard,
    settings: Option<&Settings>,
) -> ServiceResponse<ResponseBody<B>> {
    if let Some(name) = settings.and_then(|settings| settings.header.as_ref()) {
        set_if_absent(response.headers_mut(), name, guard);
    }
    let status = response.status().as_u16();
    let length = match response.response().body().size() {
        BodySize::None => Some(0),
        BodySize::Sized(length) => Some(length),
        BodySize::Stream => None,
    };
    let guard = guard.on_response(status, &View(response.headers()), length);
    response.map_body(|_, body| ResponseBody::new(body, guard))
}
