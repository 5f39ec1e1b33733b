//! A server and a client of rmcp, over a pipe.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use honeyhive::testing;
use honeyhive_mcp::{Traced, call_tool};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler, ServiceExt as _};
use serde_json::json;

#[derive(Clone)]
struct Weather;

impl ServerHandler for Weather {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match &*request.name {
            "weather" => Ok(CallToolResult::success(vec![ContentBlock::text("sunny")]).into()),
            "storm" => Ok(CallToolResult::error(vec![ContentBlock::text("no data")]).into()),
            other => Err(ErrorData::invalid_params(format!("no tool {other}"), None)),
        }
    }
}

#[tokio::test]
async fn a_call_is_an_event_on_both_sides_in_the_callers_session() {
    let (tracer, captured) = testing::tracer();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let server = Traced::new(Weather, &tracer);
    let serving = tokio::spawn(async move { server.serve(far).await.unwrap().waiting().await });
    let client = ().serve(near).await.unwrap();

    let session = tracer.create_session("assistant");
    let call = |name: &'static str| {
        let arguments = json!({"city": "Paris"}).as_object().cloned();
        let mut params = CallToolRequestParams::new(name);
        params.arguments = arguments;
        session.scope(call_tool(&tracer, client.peer(), params))
    };
    let result = call("weather").await.unwrap();
    assert_eq!(
        serde_json::to_value(&result.content).unwrap()[0]["text"],
        "sunny"
    );
    call("storm").await.unwrap();
    call("unknown").await.unwrap_err();
    client.cancel().await.unwrap();
    serving.await.unwrap().unwrap();

    let recorded = captured.only_session();
    recorded.assert_tree(
        "assistant
           weather [tool]
             weather [tool]
           storm [tool]
             storm [tool]
           unknown [tool]
             unknown [tool]",
    );
    let weather = recorded.event("weather");
    assert_eq!(
        weather.text("honeyhive_inputs.city").as_deref(),
        Some("Paris")
    );
    assert_eq!(
        weather.text("honeyhive_outputs.result").as_deref(),
        Some("sunny")
    );
    assert_eq!(recorded.event("storm").error.as_deref(), Some("no data"));
    assert!(
        recorded
            .event("unknown")
            .error
            .as_deref()
            .unwrap()
            .contains("no tool unknown")
    );
}
