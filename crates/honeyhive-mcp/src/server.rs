//! [`Traced`] wraps a server.

use std::borrow::Cow;

use honeyhive::opentelemetry::Context;
use honeyhive::opentelemetry::context::FutureExt as _;
use honeyhive::{HoneyHiveTracer, Span};
use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, ClientRequest, ErrorData, ProtocolVersion, RequestMetaObject,
    ServerResult,
};
use rmcp::service::{NotificationContext, RequestContext, Service, ServiceRole};

use crate::event;

/// `Traced` is a server, each of whose calls of a tool is an event; see the [crate docs](crate).
#[derive(Debug, Clone)]
pub struct Traced<S> {
    inner: S,
    tracer: HoneyHiveTracer,
}

impl<S> Traced<S> {
    /// Wraps the server, which then records with this tracer.
    pub fn new(inner: S, tracer: &HoneyHiveTracer) -> Self {
        Self {
            inner,
            tracer: tracer.clone(),
        }
    }

    /// Starts the event of a call in this context.
    fn start(&self, params: &CallToolRequestParams, around: Context) -> Span {
        let _around = around.attach();
        event::start(&self.tracer, params)
    }
}

/// Returns the session and the span that came along; where none did, the current context.
fn around(tracer: &HoneyHiveTracer, meta: &RequestMetaObject) -> Context {
    let sent = [
        ("traceparent", meta.get_traceparent()),
        ("tracestate", meta.get_tracestate()),
        ("baggage", meta.get_baggage()),
    ];
    let sent: Vec<_> = sent
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    if sent.is_empty() {
        return Context::current();
    }
    tracer.extract(sent)
}

impl<S: Service<RoleServer>> Service<RoleServer> for Traced<S> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let ClientRequest::CallToolRequest(call) = &request else {
            return self.inner.handle_request(request, context).await;
        };
        let cx = around(&self.tracer, &context.meta);
        let span = self.start(&call.params, cx);
        let work = self.inner.handle_request(request, context);
        let answer = work.with_context(span.context()).await;
        match &answer {
            Ok(ServerResult::CallToolResult(result)) => event::record(&self.tracer, &span, result),
            Ok(_) => {}
            Err(error) => span.error(&error.message),
        }
        answer
    }

    async fn handle_notification(
        &self,
        notification: <RoleServer as ServiceRole>::PeerNot,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.inner.handle_notification(notification, context).await
    }

    fn get_info(&self) -> <RoleServer as ServiceRole>::Info {
        self.inner.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.inner.supported_protocol_versions()
    }
}
