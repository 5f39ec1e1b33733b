//! [`LambdaService`] runs each invocation in a session.

use std::fmt::Display;
use std::task::{Context, Poll};

use honeyhive::lambda::{Invocation, InvocationGuard, LambdaInstrumentation};
use lambda_runtime::LambdaInvocation;
use tower_service::Service;

use super::LambdaFuture;

/// The service runs each invocation in a session; [`LambdaLayer`](crate::LambdaLayer) makes it.
#[derive(Debug, Clone)]
pub struct LambdaService<S> {
    pub(super) inner: S,
    pub(super) instrumentation: LambdaInstrumentation,
}

impl<S> LambdaService<S> {
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

impl<S> Service<LambdaInvocation> for LambdaService<S>
where
    S: Service<LambdaInvocation>,
    S::Error: Display + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = LambdaFuture<S::Future, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.instrumentation.on_ready(|| self.inner.poll_ready(cx))
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let mut guard = open(&self.instrumentation, &invocation);
        // The inner service may do its work right here.
        let future = guard.run(|| self.inner.call(invocation));
        LambdaFuture::new(future, guard)
    }
}

fn open(instrumentation: &LambdaInstrumentation, invocation: &LambdaInvocation) -> InvocationGuard {
    let context = &invocation.context;
    let name = &context.env_config.function_name;
    let info = Invocation::new(&context.request_id, name, &invocation.body);
    instrumentation.on_invocation(&info.with_deadline_ms(context.deadline))
}
