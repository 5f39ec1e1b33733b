//! rig: its own spans by the layer for `tracing`, filled by HoneyHive's middleware with what they do not say.

use futures_util::StreamExt as _;
use honeyhive_recipes::{Kitchen, Outcome};
use rig_agent::prelude::*;
use rig_agent::tool::ToolContext;
use rig_core::completion::CompletionRequest;
use rig_core::providers::openai::OpenAIConfig;
use rig_reqwest::ReqwestMiddlewareClient;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Place {
    city: String,
}

struct Weather;

impl Tool for Weather {
    const NAME: &'static str = "weather";
    type Args = Place;
    type Output = String;
    type Error = std::convert::Infallible;

    fn description(&self) -> String {
        "The weather in a city, now.".into()
    }

    fn parameters(&self) -> Value {
        json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
    }

    async fn call(&self, _: &mut ToolContext, place: Place) -> Result<String, Self::Error> {
        Ok(format!("sunny in {}", place.city))
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let kitchen = Kitchen::open().await?;
    let host = kitchen.provider.trim_start_matches("http://");
    let host = host.trim_end_matches("/v1").to_owned();
    let calls = honeyhive_reqwest::ModelCalls::new(&kitchen.tracer).host(host, "openai");
    let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
        .with(calls)
        .build();
    let config = OpenAIConfig::new("none").with_base_url(kitchen.provider.clone());
    let model = |name: &str| {
        Model::new(
            config.chat(name),
            ReqwestMiddlewareClient::from(http.clone()),
        )
    };

    let agent = AgentBuilder::new(model("gpt-x"))
        .preamble("Be brief.")
        .tool(Weather)
        .record_content_telemetry(true)
        .build();
    let session = kitchen.tracer.create_session("rig");
    let work = async {
        let turn = kitchen.tracer.chain("turn").start();
        // Two calls of the model, with one of a tool between them.
        turn.scope(async { agent.prompt("Weather in Paris?").max_turns(4).await })
            .await?;
        drop(turn);
        let mut stream = model("gpt-x").stream(CompletionRequest::new("How many trees?"))?;
        while let Some(piece) = stream.next().await {
            piece?;
        }
        let refused = model("err400").call(CompletionRequest::new("?")).await;
        assert!(refused.is_err());
        Outcome::Ok(())
    };
    session.scope(work).await?;
    kitchen.close(3).await
}
