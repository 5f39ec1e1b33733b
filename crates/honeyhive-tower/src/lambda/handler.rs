//! [`LambdaHandler`] tells the layer how a handler ended.

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use honeyhive::lambda::HandlerGuard;
use lambda_runtime::{Diagnostic, LambdaEvent};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::service_error::boxed;

/// The service around the handler of a function tells [`LambdaLayer`](crate::LambdaLayer) how the handler ended, which
/// the runtime hides from its layers; see there (feature `lambda`).
///
/// The wrapper changes nothing about the answer, nor about what the runtime logs. Without the layer it does nothing.
///
/// An error in a box, as [`lambda_runtime::Error`] is one, is recorded with its causes. One of another type is recorded by
/// the message of its [`Diagnostic`]: more is not asked of it.
///
/// ```no_run
/// use honeyhive::HoneyHiveTracer;
/// use honeyhive_tower::{LambdaHandler, LambdaLayer};
/// use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
///
/// async fn handler(event: LambdaEvent<String>) -> Result<usize, Error> {
///     Ok(event.payload.len())
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Error> {
/// let tracer = HoneyHiveTracer::from_env()?;
/// let runtime = Runtime::new(LambdaHandler::new(service_fn(handler)));
/// runtime.layer(LambdaLayer::new(tracer)).run().await
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LambdaHandler<S> {
    inner: S,
}

impl<S> LambdaHandler<S> {
    /// Wraps the handler: any service that `Runtime::new` would take.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }

    /// Returns the handler inside.
    #[must_use]
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns the handler inside, to be changed.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the handler inside, without the recording.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, P> Service<LambdaEvent<P>> for LambdaHandler<S>
where
    S: Service<LambdaEvent<P>>,
    S::Error: Into<Diagnostic> + Debug + 'static,
{
    type Response = S::Response;
    type Error = LambdaHandlerError;
    type Future = LambdaHandlerFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // The layer must know that a guard exists, so that a missing outcome means an answer before the handler.
        HandlerGuard::announce();
        self.inner.poll_ready(cx).map_err(LambdaHandlerError::new)
    }

    fn call(&mut self, event: LambdaEvent<P>) -> Self::Future {
        let guard = HandlerGuard::current();
        // The handler may do its work right here.
        let inner = guard.run(|| self.inner.call(event));
        LambdaHandlerFuture { inner, guard }
    }
}

pin_project! {
    /// The future of a [`LambdaHandler`] gives the handler's answer.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct LambdaHandlerFuture<F> {
        #[pin]
        inner: F,
        guard: HandlerGuard,
    }
}

impl<F, T, E> Future for LambdaHandlerFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<Diagnostic> + Debug + 'static,
{
    type Output = Result<T, LambdaHandlerError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let ended = ready!(this.guard.run(|| this.inner.poll(cx)));
        Poll::Ready(match ended {
            Ok(result) => {
                this.guard.on_success();
                Ok(result)
            }
            Err(error) => {
                if let Some(boxed) = boxed(&error) {
                    this.guard.on_error(boxed);
                }
                let error = this.guard.run(|| LambdaHandlerError::new(error));
                // The first word stands, so this one is for errors without a box.
                this.guard.on_error(&error);
                Err(error)
            }
        })
    }
}

/// The error of a handler in a [`LambdaHandler`] is the same in the answer and in the log.
pub struct LambdaHandlerError {
    answer: Diagnostic,
    log: String,
}

impl LambdaHandlerError {
    fn new(error: impl Into<Diagnostic> + Debug) -> Self {
        Self {
            // The text is the one that the runtime would log.
            log: format!("{error:?}"),
            answer: error.into(),
        }
    }
}

impl From<LambdaHandlerError> for Diagnostic {
    fn from(error: LambdaHandlerError) -> Self {
        error.answer
    }
}

/// The error displays the message of the answer.
impl Display for LambdaHandlerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.answer.error_message)
    }
}

impl Error for LambdaHandlerError {}

impl Debug for LambdaHandlerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.log)
    }
}
