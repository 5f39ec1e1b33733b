//! [`ResponseFuture`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServiceResponse;
use honeyhive::http::{RequestGuard, ResponseGuard};
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
    pub struct ResponseFuture<F>
    where
        F: Future,
    {
        #[pin]
        inner: F,
        guard: RequestGuard,
        taken: Taken,
        // Only where there is a session.
        worker: Option<Rc<Worker>>,
        // Few answers are held back, so it takes no room.
        held: Option<Box<Held<F::Output>>>,
    }
}

/// An answer without a body, or an error, held back until it may go.
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
    pub(crate) fn new(inner: F, guard: RequestGuard, taken: Taken, worker: &Rc<Worker>) -> Self {
        let worker = guard.session().map(|_| Rc::clone(worker));
        Self {
            inner,
            guard,
            taken,
            worker,
            held: None,
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
        let mut guard = match &mut answer {
            Ok(response) => {
                if let Some(worker) = this.worker {
                    worker.routed(this.guard, response.request(), this.taken);
                }
                let settings = this.worker.as_ref().map(|worker| &worker.settings);
                head(response, this.guard, settings)
            }
            Err(error) => {
                let status = this.guard.run(|| error.as_response_error().status_code());
                this.guard.on_error(Some(status.as_u16()), error);
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

fn watched<B>(
    response: ServiceResponse<B>,
    guard: ResponseGuard,
) -> ServiceResponse<ResponseBody<B>> {
    response.map_body(|_, body| ResponseBody::new(body, guard))
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
    let length = match response.response().body().size() {
        BodySize::None => Some(0),
        BodySize::Sized(length) => Some(length),
        BodySize::Stream => None,
    };
    guard.on_response(status, &View(response.headers()), length)
}
