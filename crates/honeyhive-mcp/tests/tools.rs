//! A server and a client of rmcp talk over a pipe.

#![cfg(all(feature = "client", feature = "server"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::time::Duration;

use honeyhive::{HoneyHiveTracer, testing};
use honeyhive_local::LocalServer;
use honeyhive_mcp::{Traced, call_tool};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::{RequestContext, ServiceError};
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

/// Calls tools from within a session of this name, with a server of the same tracer at the other end of a pipe.
async fn talk<const N: usize>(
    tracer: &HoneyHiveTracer,
    tools: [&'static str; N],
) -> [Result<CallToolResult, ServiceError>; N] {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let server = Traced::new(Weather, tracer);
    let serving = tokio::spawn(async move { server.serve(far).await.unwrap().waiting().await });
    let client = ().serve(near).await.unwrap();
    let session = tracer.create_session("assistant");
    let mut answers = Vec::new();
    for tool in tools {
        let mut params = CallToolRequestParams::new(tool);
        params.arguments = json!({"city": "Paris"}).as_object().cloned();
        let call = call_tool(tracer, client.peer(), params);
        answers.push(session.scope(call).await);
    }
    client.cancel().await.unwrap();
    serving.await.unwrap().unwrap();
    answers.try_into().unwrap()
}

#[tokio::test]
async fn a_call_is_an_event_on_both_sides_in_the_callers_session() {
    let (tracer, captured) = testing::tracer();
    let [weather, storm, unknown] = talk(&tracer, ["weather", "storm", "unknown"]).await;
    let content = serde_json::to_value(&weather.unwrap().content).unwrap();
    assert_eq!(content[0]["text"], "sunny");
    assert_eq!(storm.unwrap().is_error, Some(true));
    unknown.unwrap_err();

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
    for event in &recorded.events {
        let city = event.text("honeyhive_inputs.city");
        assert_eq!(city.as_deref(), Some("Paris"), "{event:?}");
        let result = event.text("honeyhive_outputs.result");
        let error = event.error.as_deref();
        match event.name.as_str() {
            "weather" => assert_eq!((result.as_deref(), error), (Some("sunny"), None)),
            "storm" => assert_eq!(error, Some("no data")),
            _ => assert!(error.unwrap().contains("no tool unknown"), "{event:?}"),
        }
    }
}

#[tokio::test]
async fn no_argument_and_no_result_is_sent_where_the_tracer_captures_no_content() {
    for captures in [true, false] {
        let honeyhive = LocalServer::builder().start().await.unwrap();
        let tracer = HoneyHiveTracer::builder()
            .api_key("hh_test")
            .server_url(honeyhive.url())
            .capture_content(captures)
            .build()
            .unwrap();
        let [weather, storm] = talk(&tracer, ["weather", "storm"]).await;
        assert!(weather.is_ok() && storm.is_ok());
        tracer.shutdown(Duration::from_secs(60)).await.unwrap();
        let is_sent = |secret: &str| {
            let requests = honeyhive.requests();
            let sent = |body: &[u8]| body.windows(secret.len()).any(|it| it == secret.as_bytes());
            requests.iter().any(|it| sent(&it.body))
        };
        let sent = ["Paris", "sunny", "no data"].map(is_sent);
        assert_eq!(sent, [captures; 3]);
        assert_eq!(honeyhive.query().failed().events().len(), 2);
    }
}
