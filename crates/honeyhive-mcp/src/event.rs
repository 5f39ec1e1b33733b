//! A call of a tool becomes an event.

use honeyhive::{EventType, HoneyHiveTracer, Span};
use rmcp::model::{CallToolRequestParams, CallToolResult};
use serde_json::{Value, json};

const FAILED: &str = "the tool failed";

/// Starts the event of a call, in the session that is current here.
pub(crate) fn start(tracer: &HoneyHiveTracer, params: &CallToolRequestParams) -> Span {
    let name = params.name.clone().into_owned();
    let tool = tracer.span(name).event_type(EventType::Tool);
    let tool = match &params.arguments {
        Some(arguments) if tracer.captures_content() => tool.inputs(arguments),
        _ => tool,
    };
    tool.metadata(json!({"mcp_request_type": "tools/call"}))
        .start()
}

/// Records the answer of a tool. An answer that is marked as an error is recorded as one.
pub(crate) fn record(tracer: &HoneyHiveTracer, span: &Span, result: &CallToolResult) {
    let text = text_of(result);
    let has_failed = result.is_error == Some(true);
    if !tracer.captures_content() {
        if has_failed {
            span.error(FAILED);
        }
        return span.outputs(json!({"result_bytes": text.len()}));
    }
    if has_failed {
        span.error(if text.is_empty() { FAILED } else { &text });
    }
    match &result.structured_content {
        Some(structured) => span.outputs(json!({"result": structured})),
        None => span.outputs(json!({"result": text})),
    }
}

/// Returns the texts of the content; other content becomes a mark.
fn text_of(result: &CallToolResult) -> String {
    let content = serde_json::to_value(&result.content).unwrap_or_default();
    let blocks = content.as_array().into_iter().flatten().map(shown);
    blocks.collect::<Vec<_>>().join("\n")
}

fn shown(block: &Value) -> String {
    match (block["text"].as_str(), block["type"].as_str()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(kind)) => format!("[{kind}]"),
        (None, None) => String::new(),
    }
}
