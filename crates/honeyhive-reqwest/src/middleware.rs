use std::borrow::Cow;

use async_trait::async_trait;
use honeyhive::model_call::{Endpoint, ModelCall};
use honeyhive::{HoneyHiveTracer, Hosts};
use http::Extensions;
use reqwest::{Body, Request, Response, ResponseBuilderExt as _};
use reqwest_middleware::{Middleware, Next, Result};

/// `ModelCalls` makes each call of a model an event, and propagates the session to listed hosts; see the [crate
/// docs](crate).
#[derive(Debug, Clone)]
pub struct ModelCalls {
    tracer: HoneyHiveTracer,
    own_hosts: Vec<(Hosts, Cow<'static, str>)>,
    propagates_to: Hosts,
    captures_content: Option<bool>,
    asks_for_usage: bool,
}

impl ModelCalls {
    /// Returns the middleware with the default settings.
    #[must_use]
    pub fn new(tracer: &HoneyHiveTracer) -> Self {
        Self {
            tracer: tracer.clone(),
            own_hosts: Vec::new(),
            propagates_to: Hosts::default(),
            captures_content: None,
            asks_for_usage: false,
        }
    }

    /// Adds a host that serves models, and the provider that it counts as: `host("llm.internal:8000", "openai")`. Names
    /// as in [`Hosts::new`]. The paths of its requests show which ones are calls of a model.
    #[must_use]
    pub fn host(
        mut self,
        host: impl Into<Cow<'static, str>>,
        provider: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.own_hosts.push((Hosts::new([host]), provider.into()));
        self
    }

    /// Propagates the session to these hosts, as `traceparent` and `baggage`. Names as in [`Hosts::new`]. Default: to
    /// no host.
    #[must_use]
    pub fn propagate_to<H: Into<Cow<'static, str>>>(
        mut self,
        hosts: impl IntoIterator<Item = H>,
    ) -> Self {
        self.propagates_to = Hosts::new(hosts);
        self
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

    fn endpoint(&self, request: &Request) -> Option<Endpoint> {
        let url = request.url();
        let host = url.host_str()?;
        let own = self
            .own_hosts
            .iter()
            .find(|(hosts, _)| hosts.contain(host, url.port_or_known_default()));
        if let Some((_, provider)) = own {
            return Endpoint::at(provider.clone(), url.path());
        }
        Endpoint::on_port(host, url.port(), url.path())
    }

    fn propagate(&self, request: &mut Request) {
        let url = request.url();
        let port = url.port_or_known_default();
        if let Some(host) = url.host_str().map(str::to_owned) {
            self.propagates_to
                .inject(&host, port, request.headers_mut());
        }
    }

    /// Returns the call, in whose context its request is to be sent.
    fn start(&self, endpoint: &Endpoint, request: &mut Request) -> ModelCall {
        let body = request.body().and_then(Body::as_bytes);
        let asking = body
            .filter(|_| self.asks_for_usage)
            .and_then(|body| endpoint.asking_for_usage(body));
        if let Some(asking) = asking {
            *request.body_mut() = Some(asking.into());
        }
        let mut call = self
            .tracer
            .model_call(endpoint.provider(), endpoint.model().unwrap_or_default())
            .operation(endpoint.operation())
            .by_middleware();
        if let Some(captures) = self.captures_content {
            call = call.capture_content(captures);
        }
        if let Some(body) = request.body().and_then(Body::as_bytes) {
            call = call.request(body);
        }
        call.start()
    }
}

#[async_trait]
impl Middleware for ModelCalls {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        self.propagate(&mut request);
        let Some(endpoint) = self.endpoint(&request) else {
            return next.run(request, extensions).await;
        };
        let call = self.start(&endpoint, &mut request);
        let query = request.url().query().map(str::to_owned);
        let sending = call.in_scope(|| next.run(request, extensions));
        match call.scope(sending).await {
            Ok(response) => Ok(record(&call, response)),
            Err(error) => {
                call.fail_to_send(&error, query.as_deref());
                Err(error)
            }
        }
    }
}

/// Returns the response with a recorded body.
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
