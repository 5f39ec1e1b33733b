//! genai, by its feature `otel` and the layer for `tracing`.

use futures_util::StreamExt as _;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest};
use genai::resolver::{AuthData, Endpoint, Error, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};
use honeyhive_recipes::{Kitchen, Outcome};

#[tokio::main]
async fn main() -> Outcome {
    let kitchen = Kitchen::open().await?;
    let base = format!("{}/", kitchen.provider);
    let resolver = ServiceTargetResolver::from_resolver_fn(
        move |target: ServiceTarget| -> Result<ServiceTarget, Error> {
            Ok(ServiceTarget {
                endpoint: Endpoint::from_owned(base.clone()),
                auth: AuthData::from_single("none"),
                model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
            })
        },
    );
    let client = Client::builder()
        .with_service_target_resolver(resolver)
        .build()?;
    // The options let the span record the answer of a stream.
    let options = ChatOptions::default()
        .with_capture_usage(true)
        .with_capture_content(true)
        .with_capture_tool_calls(true);
    let asked = || ChatRequest::new(vec![ChatMessage::user("How many trees?")]);

    let session = kitchen.tracer.create_session("genai");
    let work = async {
        client.exec_chat("gpt-x", asked(), Some(&options)).await?;
        let streamed = client
            .exec_chat_stream("gpt-x", asked(), Some(&options))
            .await?;
        let mut stream = streamed.stream;
        while let Some(event) = stream.next().await {
            event?;
        }
        // A refusal of the provider is an error of its event.
        let refused = client.exec_chat("err400", asked(), Some(&options)).await;
        assert!(refused.is_err());
        Outcome::Ok(())
    };
    session.scope(work).await?;
    kitchen.close(2).await
}
