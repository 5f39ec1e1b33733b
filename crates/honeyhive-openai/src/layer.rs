use async_openai::Client;
use async_openai::config::Config;
use async_openai::middleware::ReqwestService;
use async_openai::middleware::retry::OpenAIRetryLayer;
use honeyhive::HoneyHiveTracer;
use honeyhive::model_call::{Endpoint, ModelCall};
use tower_layer::Layer as _;

/// `ModelCalls` makes each call of a model an event. Its place is outside the retries: a call is one event, however
/// often it is tried.
///
/// ```
/// use async_openai::Client;
/// use async_openai::middleware::ReqwestService;
/// use async_openai::middleware::retry::OpenAIRetryLayer;
/// use honeyhive_openai::ModelCalls;
/// use tower_layer::Layer as _;
///
/// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
/// let sends = OpenAIRetryLayer::default().layer(ReqwestService::new(reqwest::Client::new()));
/// let client = Client::new().with_http_service(
///     ModelCalls::new(&tracer).capture_content(false).layer(sends),
/// );
/// # drop(client);
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ModelCalls {
    tracer: HoneyHiveTracer,
    captures_content: Option<bool>,
    asks_for_usage: bool,
}

/// async-openai speaks the API of this provider, whatever the host.
const PROVIDER: &str = "openai";

impl ModelCalls {
    /// Returns a layer with the default settings.
    #[must_use]
    pub fn new(tracer: &HoneyHiveTracer) -> Self {
        Self {
            tracer: tracer.clone(),
            captures_content: None,
            asks_for_usage: false,
        }
    }

    /// Decides whether the texts of calls are sent (default `true`). With `false` no text of a call is held or sent:
    /// only lengths, the names of tools, tokens and reasons.
    #[must_use]
    pub const fn capture_content(mut self, captures: bool) -> Self {
        self.captures_content = Some(captures);
        self
    }

    /// Adds `stream_options: {"include_usage": true}` to streamed chats without that option, so that their tokens are
    /// known. Your program then receives one chunk more, without choices. Default: `false`.
    #[must_use]
    pub const fn ask_for_usage(mut self, asks: bool) -> Self {
        self.asks_for_usage = asks;
        self
    }

    /// Returns a client whose calls of models become events with these settings, each with its retries as one event.
    ///
    /// The client sends through a new [`reqwest::Client`], as with the function [`instrument`](crate::instrument).
    ///
    /// ```
    /// use async_openai::Client;
    /// use honeyhive_openai::ModelCalls;
    ///
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let client = ModelCalls::new(&tracer)
    ///     .ask_for_usage(true)
    ///     .instrument(Client::new());
    /// # drop(client);
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    #[must_use]
    pub fn instrument<C: Config>(self, client: Client<C>) -> Client<C> {
        self.instrument_with(client, reqwest::Client::new())
    }

    /// Instruments a client, as [`instrument`](Self::instrument) does, over an HTTP client of your own.
    #[must_use]
    pub fn instrument_with<C: Config>(self, client: Client<C>, http: reqwest::Client) -> Client<C> {
        let retrying = OpenAIRetryLayer::default().layer(ReqwestService::new(http));
        client.with_http_service(self.layer(retrying))
    }

    /// Adds the option to a request, if the setting asks for it.
    pub(crate) fn prepare(&self, request: &mut reqwest::Request) {
        if !self.asks_for_usage {
            return;
        }
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let asking = endpoint(request)
            .zip(body)
            .and_then(|(endpoint, body)| endpoint.asking_for_usage(body));
        if let Some(asking) = asking {
            *request.body_mut() = Some(asking.into());
        }
    }

    /// Returns the call of a request; `None` where the request calls no model.
    pub(crate) fn call(&self, request: &reqwest::Request) -> Option<ModelCall> {
        let endpoint = endpoint(request)?;
        let mut call = self
            .tracer
            .model_call(endpoint.provider(), endpoint.model().unwrap_or_default())
            .operation(endpoint.operation())
            .by_middleware();
        if let Some(captures) = self.captures_content {
            call = call.capture_content(captures);
        }
        if let Some(body) = request.body().and_then(reqwest::Body::as_bytes) {
            call = call.request(body);
        }
        Some(call.start())
    }
}

fn endpoint(request: &reqwest::Request) -> Option<Endpoint> {
    let url = request.url();
    let host = url.host_str();
    let known = host.and_then(|host| Endpoint::on_port(host, url.port(), url.path()));
    known.or_else(|| Endpoint::at(PROVIDER, url.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_known_by_host_and_port_is_the_provider() {
        for (url, provider) in [
            ("http://localhost:11434/v1/chat/completions", "ollama"),
            ("http://localhost:8000/v1/chat/completions", "openai"),
            ("https://api.groq.com/openai/v1/chat/completions", "groq"),
        ] {
            let url = url.parse().expect("a URL");
            let request = reqwest::Request::new(reqwest::Method::POST, url);
            let endpoint = endpoint(&request).expect("a call of a model");
            assert_eq!(endpoint.provider(), provider);
        }
    }
}
