//! Runs the agent.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::process::ExitCode;

use agent::{Agent, Failure};
use async_openai::config::OpenAIConfig;
use example_telemetry::Telemetry;
use honeyhive::HoneyHiveTracer;
use model_stand_in::StandIn;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let telemetry = Telemetry::start()?;
    println!("{telemetry}");
    let runtime = tokio::runtime::Runtime::new()?;
    println!("{}", runtime.block_on(talk(&telemetry.tracer()))?);
    drop(runtime);
    if let Some(loss) = telemetry.shut_down() {
        eprintln!("agent: {loss}");
    }
    print!("{}", telemetry.trees());
    Ok(())
}

async fn talk(tracer: &HoneyHiveTracer) -> Result<String, Failure> {
    let question = std::env::args().nth(1);
    let question = question
        .as_deref()
        .unwrap_or("What is the weather in Paris?");
    // The stand-in runs as long as it is kept.
    let (config, _stand_in) = provider().await?;
    let agent = Agent::start(tracer, config, "gpt-4o-mini").await?;
    let session = tracer.create_session("agent");
    session.scope(agent.answer(question)).await
}

/// Returns OpenAI where there is a key, else a stand-in.
async fn provider() -> Result<(OpenAIConfig, Option<StandIn>), Failure> {
    if std::env::var_os("OPENAI_API_KEY").is_some() {
        return Ok((OpenAIConfig::default(), None));
    }
    let stand_in = StandIn::start().await?;
    let config = OpenAIConfig::new()
        .with_api_key("none")
        .with_api_base(stand_in.url());
    Ok((config, Some(stand_in)))
}
