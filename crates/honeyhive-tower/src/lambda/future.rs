//! [`LambdaFuture`] delivers an invocation's session before it gives the answer.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use honeyhive::lambda::InvocationGuard;
use pin_project_lite::pin_project;

use crate::service_error::ServiceError;

pin_project! {
    /// The future of a [`LambdaService`](crate::LambdaService) runs the inner future, then the flush.
    ///
    /// A future that is dropped before it is ready records that the invocation was cancelled. It never becomes ready
    /// twice.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct LambdaFuture<F, A> {
        // The handler's future is `None` once it has answered.
        #[pin]
        inner: Option<F>,
        answer: Option<A>,
        guard: InvocationGuard,
    }
}

impl<F, A> LambdaFuture<F, A> {
    pub(super) const fn new(inner: F, guard: InvocationGuard) -> Self {
        Self {
            inner: Some(inner),
            answer: None,
            guard,
        }
    }
}

impl<F, T, E> Future for LambdaFuture<F, Result<T, E>>
where
    F: Future<Output = Result<T, E>>,
    E: Display + 'static,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(inner) = this.inner.as_mut().as_pin_mut() {
            let answer = ready!(this.guard.run(|| inner.poll(cx)));
            // Spans that live as long as the future belong into the session, and into the flush.
            this.guard.run(|| this.inner.set(None));
            match &answer {
                Ok(_) => this.guard.on_answer(),
                Err(error) => ServiceError::record(error, |error| this.guard.on_error(error)),
            }
            *this.answer = Some(answer);
        }
        ready!(this.guard.poll_flush(cx));
        this.answer.take().map_or(Poll::Pending, Poll::Ready)
    }
}
