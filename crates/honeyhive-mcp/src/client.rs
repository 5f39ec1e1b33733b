//! [`call_tool`] and [`inject`] are for clients of a server.

use std::collections::HashMap;

use honeyhive::{HoneyHiveTracer, Session};
use rmcp::RoleClient;
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::{Peer, ServiceError};

use crate::event;

/// Calls a tool as an event of type `tool` of the current session, and takes the session along to the server.
///
/// ```no_run
/// use honeyhive::{HoneyHiveTracer, json};
/// use honeyhive_mcp::call_tool;
/// use rmcp::model::CallToolRequestParams;
/// use rmcp::service::{Peer, RoleClient, ServiceError};
///
/// # async fn example(tracer: &HoneyHiveTracer, peer: &Peer<RoleClient>) -> Result<(), ServiceError> {
/// let mut params = CallToolRequestParams::new("weather");
/// params.arguments = json!({"city": "Paris"}).as_object().cloned();
/// let result = call_tool(tracer, peer, params).await?;
/// # drop(result);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`Peer::call_tool`]; the event says which.
pub async fn call_tool(
    tracer: &HoneyHiveTracer,
    peer: &Peer<RoleClient>,
    mut params: CallToolRequestParams,
) -> Result<CallToolResult, ServiceError> {
    let span = event::start(tracer, &params);
    span.in_scope(|| inject(&mut params));
    let answer = span.scope(peer.call_tool(params)).await;
    match &answer {
        Ok(result) => event::record(tracer, &span, result),
        Err(error) => span.fail(error),
    }
    answer
}

/// Adds the current session and span to a call's `_meta`, as `traceparent` and `baggage`. Outside every session it does
/// nothing.
pub fn inject(params: &mut CallToolRequestParams) {
    let Some(session) = Session::current() else {
        return;
    };
    let mut headers = HashMap::new();
    session.inject(&mut headers);
    let meta = params.meta.get_or_insert_default();
    if let Some(traceparent) = headers.get("traceparent") {
        meta.set_traceparent(traceparent);
    }
    if let Some(tracestate) = headers.get("tracestate").filter(|it| !it.is_empty()) {
        meta.set_tracestate(tracestate);
    }
    if let Some(baggage) = headers.get("baggage") {
        meta.set_baggage(baggage);
    }
}
