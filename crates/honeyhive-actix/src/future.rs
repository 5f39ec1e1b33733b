//! [`ResponseFuture`] waits for a service in the request's context.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServiceResponse;
use honeyhive::http::{Held, RequestGuard, ResponseGuard};
use pin_project_lite::pin_project;

use crate::ResponseBody;
use crate::headers::{View, set_if_absent};
use crate::routes::Taken;
use crate::settings::{Settings, Worker};

pin_project! {
    /// The future of a [`HoneyHiveMiddleware`](crate::HoneyHiveMiddleware) gives the response of the inner service.
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
        taken: Taken,
        // The worker is kept only where there is a session.
        worker: Option<Rc<Worker>>,
        // An answer without a body, or an error, waits here while the end is held back.
        held: Held<F::Output>,
    }
}

impl<F: Future> ResponseFuture<F> {
    pub(crate) fn new(inner: F, guard: RequestGuard, taken: Taken, worker: &Rc<Worker>) -> Self {
        let worker = guard.session().map(|_| Rc::clone(worker));
        Self {
            inner,
            guard,
            taken,
            worker,
            held: Held::nothing(),
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
        if let Some(held) = this.held.poll(cx) {
            return held.map(watched);
        }
        ready!(this.guard.poll_confirmed(cx));
        let mut answer = ready!(this.guard.run(|| this.inner.poll(cx)));
        let guard = match &mut answer {
            Ok(response) => {
                if let Some(worker) = this.worker {
                    worker.routed(this.guard, response.request(), this.taken);
                }
                let settings = this.worker.as_ref().map(|worker| &worker.settings);
                head(response, this.guard, settings)
            }
            Err(error) => {
                let status = this.guard.run(|| error.as_response_error().status_code());
                this.guard.on_error(Some(status.as_u16()), unboxed(error))
            }
        };
        if guard.is_held() {
            return this.held.hold(answer, guard, cx).map(watched);
        }
        Poll::Ready(watched((answer, guard)))
    }
}

/// Returns the error that a program has put into a box, so that its causes can be recorded; actix-web keeps those of others
/// to itself.
fn unboxed(error: &Error) -> &dyn StdError {
    match error.as_error::<Box<dyn StdError>>() {
        Some(boxed) => &**boxed,
        None => error,
    }
}

fn watched<B>(
    (answer, guard): (Result<ServiceResponse<B>, Error>, ResponseGuard),
) -> Result<ServiceResponse<ResponseBody<B>>, Error> {
    answer.map(|response| response.map_body(|_, body| ResponseBody::new(body, guard)))
}

fn head<B: MessageBody>(
    response: &mut ServiceResponse<B>,
    guard: &mut RequestGuard,
    settings: Option<&Settings>,
) -> ResponseGuard {
    if let Some(name) = settings.and_then(|settings| settings.header.as_ref()) {
        set_if_absent(response.headers_mut(), name, guard);
    }
    let status = response.status().as_u16();
    if let Some(error) = response.response().error() {
        guard.on_handler_error(status, unboxed(error));
    }
    let length = match response.response().body().size() {
        BodySize::None => Some(0),
        BodySize::Sized(length) => Some(length),
        BodySize::Stream => None,
    };
    guard.on_response(status, &View(response.headers()), length)
}
