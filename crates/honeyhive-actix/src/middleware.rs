//! [`HoneyHive`] and the service it makes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use honeyhive::HoneyHiveTracer;
use honeyhive::http::{RequestGuard, RequestInfo, ServerInstrumentation};

use crate::headers::{Names, RequestView};
use crate::settings::Settings;
use crate::{ResponseBody, ResponseFuture};

/// Makes every request of an `App`, a `Scope` or a `Resource` a HoneyHive session; see the
/// [crate docs](crate).
///
/// ```
/// use honeyhive::HoneyHiveTracer;
/// use honeyhive::http::ServerInstrumentation;
/// use honeyhive_actix::HoneyHive;
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let middleware = HoneyHive::new(tracer.clone());
/// // or, with settings:
/// let middleware = HoneyHive::from(
///     ServerInstrumentation::builder(tracer)
///         .filter(|request| request.path() != "/internal")
///         .build()?,
/// );
/// # drop(middleware);
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HoneyHive {
    settings: Settings,
}

impl HoneyHive {
    /// A middleware with the default settings.
    #[must_use]
    pub fn new(tracer: HoneyHiveTracer) -> Self {
        ServerInstrumentation::new(tracer).into()
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
            request_headers: Names::of(&self.settings.instrumentation),
            settings: Rc::new(self.settings.clone()),
            routes: Routes::default(),
        }))
    }
}

/// The service that [`HoneyHive`] makes.
#[derive(Debug)]
pub struct HoneyHiveMiddleware<S> {
    inner: S,
    settings: Rc<Settings>,
    request_headers: Names,
    routes: Routes,
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
        let mut guard = self.open(&request);
        // The inner service may do its work right here.
        let future = guard.run(|| self.inner.call(request));
        ResponseFuture::new(future, guard, &self.settings)
    }
}

impl<S> HoneyHiveMiddleware<S> {
    fn open(&self, request: &ServiceRequest) -> RequestGuard {
        let headers = RequestView(request.headers(), &self.request_headers);
        let find_route = || self.routes.find(request);
        let info = RequestInfo::new(request.method().as_str(), request.path(), &headers);
        let instrumentation = &self.settings.instrumentation;
        instrumentation.on_request(&info.with_route(&find_route))
    }
}

/// The routes of this app that are their own templates, as far as somebody has asked for them: actix-web searches
/// its table and makes a text of what it has found, on every request.
#[derive(Debug, Default)]
struct Routes(RefCell<BTreeSet<Box<str>>>);

impl Routes {
    fn find<'r>(&self, request: &'r ServiceRequest) -> Option<Cow<'r, str>> {
        let path = request.path();
        if self.0.borrow().contains(path) {
            return Some(path.into());
        }
        let template = request.match_pattern()?;
        if template == path {
            self.0.borrow_mut().insert(path.into());
        }
        Some(template.into())
    }
}
