//! [`HoneyHive`] wraps the services of an application in sessions.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use honeyhive::HoneyHiveTracer;
use honeyhive::http::{ServerInstrumentation, ServerInstrumentationBuilder};

use crate::settings::{Settings, Worker};
use crate::{ResponseBody, ResponseFuture};

/// The middleware makes every request of an `App`, a `Scope` or a `Resource` a HoneyHive session; see the [crate
/// docs](crate).
///
/// The error of a handler or of a middleware further in is the session's error, where its status is 500 or more. It is
/// recorded with its causes where it was made of a `Box<dyn Error>`. One of another type is recorded by its text alone,
/// since actix-web's `Error` hands out no more of it.
///
/// ```
/// use honeyhive::HoneyHiveTracer;
/// use honeyhive_actix::HoneyHive;
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let middleware = HoneyHive::new(tracer.clone());
/// // or, with settings:
/// let middleware = HoneyHive::builder(tracer)
///     .skip(|request| request.path() == "/internal")
///     .build()?;
/// # drop(middleware);
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[doc(alias = "session_middleware")]
#[doc(alias = "middleware")]
#[derive(Debug, Clone)]
pub struct HoneyHive {
    settings: Settings,
}

impl HoneyHive {
    /// Returns a middleware with the default settings.
    #[must_use]
    pub fn new(tracer: HoneyHiveTracer) -> Self {
        ServerInstrumentation::new(tracer).into()
    }

    /// Returns a builder of a middleware with settings of its own.
    pub fn builder(tracer: HoneyHiveTracer) -> ServerInstrumentationBuilder<Self> {
        ServerInstrumentationBuilder::new(tracer)
    }

    /// Makes the text that a response streams to its user the outputs of the session (feature `model-calls`; default
    /// `false`); see [`ServerInstrumentation::capture_stream`].
    ///
    /// ```
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let middleware = honeyhive_actix::HoneyHive::new(tracer).capture_stream(true);
    /// # drop(middleware);
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    #[cfg(feature = "model-calls")]
    #[must_use]
    pub fn capture_stream(self, captures: bool) -> Self {
        let instrumentation = self.settings.instrumentation;
        instrumentation.capture_stream(captures).into()
    }
}

impl From<ServerInstrumentation> for HoneyHive {
    fn from(instrumentation: ServerInstrumentation) -> Self {
        Self {
            settings: Settings::new(instrumentation),
        }
    }
}

impl<S, B> Transform<S, ServiceRequest> for HoneyHive
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<ResponseBody<B>>;
    type Error = Error;
    type Transform = HoneyHiveMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(HoneyHiveMiddleware {
            inner: service,
            worker: Rc::new(Worker::new(self.settings.clone())),
        }))
    }
}

/// The service runs each request of the inner one in a session; [`HoneyHive`] makes it.
#[derive(Debug)]
pub struct HoneyHiveMiddleware<S> {
    inner: S,
    worker: Rc<Worker>,
}

impl<S, B> Service<ServiceRequest> for HoneyHiveMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<ResponseBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (mut guard, taken) = self.worker.open(&request);
        // The inner service may do its work right here.
        let future = guard.run(|| self.inner.call(request));
        ResponseFuture::new(future, guard, taken, &self.worker)
    }
}

impl<S> HoneyHiveMiddleware<S> {
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
