//! An MCP server has the tools.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Value, json};

/// `Tools` is a server with one tool, which knows the weather everywhere.
#[derive(Debug, Clone)]
pub struct Tools;

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.name != "weather" {
            let message = format!("there is no tool {:?}", request.name);
            return Err(ErrorData::invalid_params(message, None));
        }
        let city = request
            .arguments
            .as_ref()
            .and_then(|it| it.get("city")?.as_str());
        let Some(city) = city else {
            return Err(ErrorData::invalid_params("weather needs a city", None));
        };
        let text = ContentBlock::text(format!("sunny in {city}"));
        Ok(CallToolResult::success(vec![text]).into())
    }
}

/// Returns the tools, as a model is told of them.
pub(crate) fn offered() -> Value {
    json!([{"type": "function", "function": {
        "name": "weather",
        "description": "The weather in a city, now.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }}])
}
