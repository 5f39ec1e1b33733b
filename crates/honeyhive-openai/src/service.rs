use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_openai::middleware::HttpRequestFactory;
use honeyhive::model_call::ModelCall;
use reqwest::{Body, Response, ResponseBuilderExt as _};
use tower_layer::Layer;
use tower_service::Service;

use crate::ModelCalls;
use crate::attempt::replay;

impl<S> Layer<S> for ModelCalls {
    type Service = ModelCallService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ModelCallService::new(inner, self.clone())
    }
}

/// A `ModelCallService` is what [`ModelCalls`] makes of another service.
#[derive(Debug, Clone)]
pub struct ModelCallService<S> {
    inner: S,
    settings: ModelCalls,
}

impl<S> ModelCallService<S> {
    pub(crate) const fn new(inner: S, settings: ModelCalls) -> Self {
        Self { inner, settings }
    }
}

/// The future gives the answer of a [`ModelCallService`]. It is boxed, as all that async-openai sends is: a request is
/// built by a future that has no name.
pub struct ResponseFuture<E>(Pin<Box<dyn Future<Output = Result<Response, E>> + Send>>);

impl<E> fmt::Debug for ResponseFuture<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResponseFuture")
            .finish_non_exhaustive()
    }
}

impl<E> Future for ResponseFuture<E> {
    type Output = Result<Response, E>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(task)
    }
}

impl<S> Service<HttpRequestFactory> for ModelCallService<S>
where
    S: Service<HttpRequestFactory, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: From<async_openai::error::OpenAIError> + std::error::Error,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Error>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        let clone = self.inner.clone();
        // The inner service is the one that is ready; the clone is not.
        let inner = mem::replace(&mut self.inner, clone);
        ResponseFuture(Box::pin(send(inner, factory, self.settings.clone())))
    }
}

async fn send<S>(
    mut inner: S,
    factory: HttpRequestFactory,
    settings: ModelCalls,
) -> Result<Response, S::Error>
where
    S: Service<HttpRequestFactory, Response = Response>,
    S::Error: From<async_openai::error::OpenAIError> + std::error::Error,
{
    let mut request = factory.build().await?;
    settings.prepare(&mut request);
    let call = settings.call(&request);
    let query = request.url().query().map(str::to_owned);
    let factory = replay(request, factory, settings);
    let Some(call) = call else {
        return inner.call(factory).await;
    };
    let sending = call.in_scope(|| inner.call(factory));
    match call.scope(sending).await {
        Ok(response) => Ok(record(&call, response)),
        Err(error) => {
            call.fail_to_send(&error, query.as_deref());
            Err(error)
        }
    }
}

/// Returns the response unchanged, with a recorded body.
fn record(call: &ModelCall, response: Response) -> Response {
    let url = response.url().clone();
    let mut recorded = call.record_response(response.into()).map(Body::wrap);
    // The conversion loses the URL of the response, so it is added again.
    if let Ok(marked) = http::Response::builder().url(url).body(()) {
        let marks = marked.into_parts().0.extensions;
        recorded.extensions_mut().extend(marks);
    }
    recorded.into()
}
