//! The agent calls tools: the model by async-openai, the tools by MCP.

mod tools;

use std::error::Error;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use honeyhive::HoneyHiveTracer;
use honeyhive_mcp::{Traced, call_tool};
use rmcp::model::CallToolRequestParams;
use rmcp::service::{Peer, RunningService};
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};

pub use tools::Tools;

/// A `Failure` is the error of the agent and of its tools.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The agent asks the model at most this many times.
const TURNS: usize = 8;

/// An `Agent` has a model and tools.
#[derive(Debug)]
pub struct Agent {
    tracer: HoneyHiveTracer,
    model: Client<OpenAIConfig>,
    name: String,
    tools: RunningService<RoleClient, ()>,
}

impl Agent {
    /// Starts an agent that asks the model `name` by this configuration.
    ///
    /// # Errors
    ///
    /// Where the tools cannot be reached.
    pub async fn start(
        tracer: &HoneyHiveTracer,
        config: OpenAIConfig,
        name: &str,
    ) -> Result<Self, Failure> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let server = Traced::new(Tools, tracer);
        tokio::spawn(async move {
            if let Ok(serving) = server.serve(far).await {
                // Serving ends when the client goes.
                let _ = serving.waiting().await;
            }
        });
        Ok(Self {
            tracer: tracer.clone(),
            model: honeyhive_openai::instrument(Client::with_config(config), tracer),
            name: name.to_owned(),
            tools: ().serve(near).await?,
        })
    }

    /// Answers a question, with as many calls of tools as that takes.
    ///
    /// # Errors
    ///
    /// Where the model or a tool fails, or no answer comes.
    #[honeyhive::trace(name = "answer", event_type = "chain", skip(self))]
    pub async fn answer(&self, question: &str) -> Result<String, Failure> {
        let mut messages = vec![json!({"role": "user", "content": question})];
        for _ in 0..TURNS {
            let message = self.ask(&messages).await?;
            let calls = message["tool_calls"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            if calls.is_empty() {
                return Ok(message["content"].as_str().unwrap_or_default().to_owned());
            }
            messages.push(message);
            for call in calls {
                messages.push(self.use_tool(&call).await?);
            }
        }
        Err("the model goes on calling tools".into())
    }

    async fn ask(&self, messages: &[Value]) -> Result<Value, Failure> {
        let request = json!({"model": self.name, "messages": messages, "tools": tools::offered()});
        let reply: Value = self.model.chat().create_byot(request).await?;
        Ok(reply["choices"][0]["message"].clone())
    }

    /// Calls a tool that the model wants called; returns the message with its answer.
    async fn use_tool(&self, call: &Value) -> Result<Value, Failure> {
        let function = &call["function"];
        let name = function["name"].as_str().unwrap_or_default().to_owned();
        let arguments = serde_json::from_str(function["arguments"].as_str().unwrap_or("{}"))?;
        let mut params = CallToolRequestParams::new(name);
        params.arguments = Some(arguments);
        let peer: &Peer<RoleClient> = self.tools.peer();
        let result = call_tool(&self.tracer, peer, params).await?;
        let content = serde_json::to_value(&result.content)?;
        let text = content[0]["text"].as_str().unwrap_or_default();
        Ok(json!({"role": "tool", "tool_call_id": call["id"], "content": text}))
    }
}
