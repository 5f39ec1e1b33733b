//! The agent is tested against the stand-in.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use agent::Agent;
use async_openai::config::OpenAIConfig;
use honeyhive::testing;
use model_stand_in::StandIn;

#[tokio::test]
async fn a_question_is_a_turn_with_the_models_and_the_tools_calls() {
    let (tracer, captured) = testing::tracer();
    let stand_in = StandIn::start().await.unwrap();
    let config = OpenAIConfig::new()
        .with_api_key("none")
        .with_api_base(stand_in.url());
    let agent = Agent::start(&tracer, config, "gpt-x").await.unwrap();
    let session = tracer.create_session("agent");
    let answer = session
        .scope(agent.answer("Weather in Paris?"))
        .await
        .unwrap();
    assert_eq!(answer, "The tool says: sunny in Paris");
    let recorded = captured.only_session();
    recorded.assert_tree(
        "agent
           answer [chain]
             chat gpt-x [model]
             weather [tool]
               weather [tool]
             chat gpt-x [model]",
    );
    let tool = recorded.event("weather");
    assert_eq!(tool.text("honeyhive_inputs.city").as_deref(), Some("Paris"));
    assert_eq!(
        tool.text("honeyhive_outputs.result").as_deref(),
        Some("sunny in Paris")
    );
}
