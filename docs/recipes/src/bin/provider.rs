//! async-openai, genai and rig against a provider of your own that speaks like OpenAI, whole answers and streams, and what
//! arrived of each: `cargo run --bin provider -- http://127.0.0.1:8000/v1 gpt-x another-model`.

use async_openai::config::OpenAIConfig;
use async_openai::types::chat::CreateChatCompletionStreamResponse;
use futures_util::StreamExt as _;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest};
use genai::resolver::{AuthData, Endpoint, Error, ServiceTargetResolver};
use genai::{ModelIden, ServiceTarget};
use honeyhive_recipes::{Kitchen, Outcome};
use rig_agent::prelude::*;
use rig_core::completion::CompletionRequest;
use rig_core::providers::openai;
use rig_reqwest::ReqwestMiddlewareClient;
use serde_json::{Value, json};

const QUESTION: &str = "How many trees?";

#[tokio::main]
async fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("which provider?")?;
    let kitchen = Kitchen::open_at(url).await?;
    for model in arguments {
        by_async_openai(&kitchen, &model).await;
        by_genai(&kitchen, &model).await?;
        by_rig(&kitchen, &model).await;
    }
    let [input, output] = kitchen.show().await?;
    println!("tokens: {input} and {output}");
    Ok(())
}

/// Prints the answer as the program itself has it.
fn heard(what: &str, answer: Result<String, String>) {
    match answer {
        Ok(answer) => println!("{what} heard {answer:?}"),
        Err(error) => println!("{what} failed: {error}"),
    }
}

async fn by_async_openai(kitchen: &Kitchen, model: &str) {
    let config = OpenAIConfig::new()
        .with_api_key("none")
        .with_api_base(&kitchen.provider);
    let client = async_openai::Client::with_config(config);
    let client = honeyhive_openai::instrument(client, &kitchen.tracer);
    let session = kitchen
        .tracer
        .create_session(format!("async-openai {model}"));
    let request = |is_stream: bool| {
        let mut request = json!({"model": model, "messages": [{"role": "user", "content": QUESTION}], "stream": is_stream});
        if is_stream {
            request["stream_options"] = json!({"include_usage": true});
        }
        request
    };
    let whole = session.scope(async {
        let answer: Result<Value, _> = client.chat().create_byot(request(false)).await;
        answer
            .map(|it| it["choices"][0]["message"].to_string())
            .map_err(|error| error.to_string())
    });
    heard("async-openai", whole.await);
    let streamed = session.scope(async {
        let stream = client.chat().create_stream_byot(request(true)).await;
        let mut stream: std::pin::Pin<
            Box<
                dyn futures_util::Stream<Item = Result<CreateChatCompletionStreamResponse, _>>
                    + Send,
            >,
        > = stream.map_err(|error: async_openai::error::OpenAIError| error.to_string())?;
        let mut text = String::new();
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|error: async_openai::error::OpenAIError| {
                format!("after {text:?}: {error}")
            })?;
            let texts = piece
                .choices
                .into_iter()
                .filter_map(|choice| choice.delta.content);
            text.extend(texts);
        }
        Ok(text)
    });
    heard("async-openai, streamed,", streamed.await);
}

async fn by_genai(kitchen: &Kitchen, model: &str) -> Outcome {
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
    let client = genai::Client::builder()
        .with_service_target_resolver(resolver)
        .build()?;
    let options = ChatOptions::default()
        .with_capture_usage(true)
        .with_capture_content(true)
        .with_capture_reasoning_content(true)
        .with_capture_tool_calls(true);
    let asked = || ChatRequest::new(vec![ChatMessage::user(QUESTION)]);
    let session = kitchen.tracer.create_session(format!("genai {model}"));
    let whole = session.scope(client.exec_chat(model, asked(), Some(&options)));
    let whole = whole.await.map_err(|error| error.to_string());
    heard(
        "genai",
        whole.map(|it| it.first_text().unwrap_or_default().to_owned()),
    );
    let streamed = session.scope(async {
        let streamed = client
            .exec_chat_stream(model, asked(), Some(&options))
            .await;
        let mut stream = streamed.map_err(|error| error.to_string())?.stream;
        let mut events = 0;
        while let Some(event) = stream.next().await {
            event.map_err(|error| format!("after {events} events: {error}"))?;
            events += 1;
        }
        Ok(format!("{events} events"))
    });
    heard("genai, streamed,", streamed.await);
    Ok(())
}

async fn by_rig(kitchen: &Kitchen, name: &str) {
    let host = kitchen.provider.trim_start_matches("http://");
    let host = host.trim_end_matches("/v1").to_owned();
    let calls = honeyhive_reqwest::ModelCalls::new(&kitchen.tracer).host(host, "openai");
    let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
        .with(calls)
        .build();
    let config = openai::OpenAIConfig::new("none").with_base_url(kitchen.provider.clone());
    let model = Model::new(config.chat(name), ReqwestMiddlewareClient::from(http));
    let session = kitchen.tracer.create_session(format!("rig {name}"));
    let whole = session.scope(model.call(CompletionRequest::new(QUESTION)));
    let whole = whole.await.map_err(|error| error.to_string());
    heard("rig", whole.map(|it| format!("{:?}", it.choice)));
    let streamed = session.scope(async {
        let mut stream = model
            .stream(CompletionRequest::new(QUESTION))
            .map_err(|error| error.to_string())?;
        let mut pieces = 0;
        while let Some(piece) = stream.next().await {
            piece.map_err(|error| format!("after {pieces} pieces: {error}"))?;
            pieces += 1;
        }
        Ok(format!("{pieces} pieces"))
    });
    heard("rig, streamed,", streamed.await);
}
