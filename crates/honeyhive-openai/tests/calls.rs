//! async-openai calls a provider on loopback, traced by one line.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::audio::{
    AudioInput, AudioResponseFormat, CreateSpeechRequestArgs, CreateTranscriptionRequest,
    CreateTranscriptionRequestArgs, SpeechModel, Voice,
};
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, CreateChatCompletionRequest, CreateChatCompletionRequestArgs,
};
use async_openai::types::embeddings::CreateEmbeddingRequestArgs;
use async_openai::types::images::CreateImageRequestArgs;
use async_openai::types::responses::CreateResponseArgs;
use futures_util::StreamExt as _;
use honeyhive::testing::{self, Captured, CapturedEvent};
use honeyhive::{EventType, HoneyHiveTracer, Session};
use honeyhive_openai::ModelCalls;
use model_stand_in::StandIn;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tower_layer::Layer as _;

struct Scene {
    tracer: HoneyHiveTracer,
    captured: Captured,
    stand_in: StandIn,
    session: Session,
}

impl Scene {
    async fn new() -> Self {
        let (tracer, captured) = testing::tracer();
        let session = tracer.create_session("chat");
        Self {
            stand_in: StandIn::start().await.unwrap(),
            captured,
            session,
            tracer,
        }
    }

    fn plain(&self) -> Client<OpenAIConfig> {
        let config = OpenAIConfig::new()
            .with_api_key("sk-secret")
            .with_api_base(self.stand_in.url());
        Client::with_config(config)
    }

    fn client(&self) -> Client<OpenAIConfig> {
        honeyhive_openai::instrument(self.plain(), &self.tracer)
    }

    #[track_caller]
    fn only_event(&self) -> CapturedEvent {
        let session = self.captured.only_session();
        assert_eq!(session.events.len(), 1, "{}", session.tree());
        session.events[0].clone()
    }
}

/// Runs a call in a session of its own; returns its result, and its event.
async fn recorded<T>(call: impl AsyncFnOnce(Client<OpenAIConfig>) -> T) -> (T, CapturedEvent) {
    let scene = Scene::new().await;
    let answer = scene.session.scope(call(scene.client())).await;
    (answer, scene.only_event())
}

/// Returns a request to write down a recording.
fn write_down(format: AudioResponseFormat) -> CreateTranscriptionRequest {
    let recording = AudioInput::from_vec_u8("a.mp3".to_owned(), vec![7; 2048]);
    CreateTranscriptionRequestArgs::default()
        .model("whisper-1")
        .file(recording)
        .response_format(format)
        .build()
        .unwrap()
}

fn ask(model: &str) -> CreateChatCompletionRequest {
    CreateChatCompletionRequestArgs::default()
        .model(model)
        .messages([ChatCompletionRequestUserMessage::from("How many trees?").into()])
        .build()
        .unwrap()
}

/// Returns a request with `stream` set by hand: with the feature `byot`, which another crate in the build may turn on,
/// async-openai does not set it.
fn ask_for_stream(model: &str) -> CreateChatCompletionRequest {
    CreateChatCompletionRequest {
        stream: Some(true),
        ..ask(model)
    }
}

#[track_caller]
fn says<const N: usize>(event: &CapturedEvent, pairs: [(&str, &str); N]) {
    for (key, value) in pairs {
        assert_eq!(
            event.text(key).as_deref(),
            Some(value),
            "{key} in {:#?}",
            event.attributes
        );
    }
}

#[tokio::test]
async fn a_whole_answer_is_an_event_and_the_same_answer() {
    let scene = Scene::new().await;
    let client = scene.client();
    let answer = scene
        .session
        .scope(client.chat().create(ask("gpt-x")))
        .await
        .unwrap();
    assert_eq!(
        answer,
        scene.plain().chat().create(ask("gpt-x")).await.unwrap()
    );
    let event = scene.only_event();
    assert_eq!(
        (event.name.as_str(), event.event_type.as_str()),
        ("chat gpt-x", "model")
    );
    says(
        &event,
        [
            ("honeyhive_config.provider", "openai"),
            ("honeyhive_config.model", "gpt-x"),
            ("honeyhive_inputs.chat_history.0.role", "user"),
            ("honeyhive_inputs.chat_history.0.content", "How many trees?"),
            ("honeyhive_outputs.role", "assistant"),
            ("honeyhive_outputs.content", "Zwölf Bäume 🌳 & more."),
            ("honeyhive_outputs.finish_reason", "stop"),
            ("honeyhive_metadata.input_tokens", "11"),
            ("honeyhive_metadata.output_tokens", "7"),
            ("honeyhive_metadata.cache_read_input_tokens", "4"),
            ("honeyhive_metadata.reasoning_tokens", "3"),
            ("honeyhive_metadata.response_model", "gpt-x-2026"),
            ("honeyhive_metadata.response_id", "chatcmpl-1"),
            ("honeyhive_metadata.status_code", "200"),
            ("honeyhive_metadata.outcome", "complete"),
        ],
    );
    assert!(!format!("{event:?}").contains("sk-secret"));
}

#[tokio::test]
async fn a_stream_is_put_together_while_its_chunks_pass() {
    for (model, pairs) in [
        (
            "gpt-x",
            [
                ("content", "Zwölf Bäume 🌳 & more."),
                ("finish_reason", "stop"),
            ],
        ),
        (
            "tools",
            [
                ("tool_calls.0.arguments", r#"{"city":"Paris"}"#),
                ("tool_calls.1.name", "clock"),
            ],
        ),
        (
            "reason",
            [
                ("reasoning", "Let me think. "),
                ("content", "Zwölf Bäume 🌳 & more."),
            ],
        ),
        (
            "refusal",
            [("refusal", "true"), ("content", "Zwölf Bäume 🌳 & more.")],
        ),
        (
            "multi",
            [
                ("chat_history.0.content", "Heads!"),
                ("chat_history.1.content", "Tails?"),
            ],
        ),
        (
            "nodone",
            [("content", "Zwölf Bäume 🌳 & more."), ("role", "assistant")],
        ),
    ] {
        let scene = Scene::new().await;
        let chunks = |client: Client<OpenAIConfig>| async move {
            let stream = client
                .chat()
                .create_stream(ask_for_stream(model))
                .await
                .unwrap();
            stream
                .map(|chunk| format!("{chunk:?}"))
                .collect::<Vec<_>>()
                .await
        };
        let expected = chunks(scene.plain()).await;
        assert_eq!(
            scene.session.scope(chunks(scene.client())).await,
            expected,
            "{model}"
        );
        let event = scene.only_event();
        for (key, value) in pairs {
            says(&event, [(&format!("honeyhive_outputs.{key}"), value)]);
        }
        says(
            &event,
            [
                ("honeyhive_metadata.outcome", "complete"),
                ("honeyhive_metadata.usage", "not sent"),
            ],
        );
        assert!(
            event
                .text("honeyhive_metadata.time_to_first_token_ms")
                .is_some(),
            "{model}"
        );
    }
}

#[tokio::test]
async fn an_error_in_the_middle_keeps_what_came_before() {
    for (model, error) in [
        ("midfail", "server_error: The server had an error"),
        ("cut", "error reading a body from connection: "),
    ] {
        let scene = Scene::new().await;
        let client = scene.client();
        let work = async {
            let stream = client
                .chat()
                .create_stream(ask_for_stream(model))
                .await
                .unwrap();
            stream.collect::<Vec<_>>().await
        };
        assert!(
            scene.session.scope(work).await.last().unwrap().is_err(),
            "{model}"
        );
        let event = scene.only_event();
        assert!(
            event.error.as_deref().is_some_and(|it| it.contains(error)),
            "{:?}",
            event.error
        );
        says(&event, [("honeyhive_metadata.outcome", "error")]);
        assert!(
            event
                .text("honeyhive_outputs.content")
                .unwrap()
                .starts_with("Zwölf ")
        );
    }
}

#[tokio::test]
async fn a_refused_call_is_an_error_and_a_call_that_is_tried_again_one_event() {
    let scene = Scene::new().await;
    let client = scene.client();
    scene
        .session
        .scope(client.chat().create(ask("err400")))
        .await
        .unwrap_err();
    let event = scene.only_event();
    assert_eq!(
        event.error.as_deref(),
        Some("invalid_request_error: bad model")
    );
    says(&event, [("honeyhive_metadata.status_code", "400")]);

    let scene = Scene::new().await;
    let client = scene.client();
    scene
        .session
        .scope(client.chat().create(ask("once500")))
        .await
        .unwrap();
    assert_eq!(scene.stand_in.requests().len(), 2);
    let event = scene.only_event();
    assert_eq!(event.error, None);
    says(
        &event,
        [("honeyhive_outputs.content", "Zwölf Bäume 🌳 & more.")],
    );
}

#[tokio::test]
async fn a_provider_that_nobody_reaches_is_an_error_with_its_cause() {
    let scene = Scene::new().await;
    let config = OpenAIConfig::new()
        .with_api_key("k")
        .with_api_base("http://127.0.0.1:1/v1");
    let calls = ModelCalls::new(&scene.tracer).layer(
        async_openai::middleware::ReqwestService::new(reqwest::Client::new()),
    );
    let client = Client::with_config(config).with_http_service(calls);
    scene
        .session
        .scope(client.chat().create(ask("gpt-x")))
        .await
        .unwrap_err();
    let error = scene.only_event().error.unwrap();
    assert!(error.to_lowercase().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_whole_answer_that_breaks_off_is_an_error_with_its_causes() {
    let scene = Scene::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let breaking_off = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            socket.read_buf(&mut request).await.unwrap();
        }
        let half = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4096\r\n\r\n{\"id\"";
        socket.write_all(half.as_bytes()).await.unwrap();
    };
    let config = OpenAIConfig::new().with_api_key("k").with_api_base(base);
    let client = honeyhive_openai::instrument(Client::with_config(config), &scene.tracer);
    let chat = client.chat();
    let asking = scene.session.scope(chat.create(ask("gpt-x")));
    let (answer, ()) = tokio::join!(asking, breaking_off);
    answer.unwrap_err();
    assert_eq!(
        scene.only_event().error.as_deref(),
        Some(
            "request or response body error: error reading a body from connection: end of file before message length reached"
        )
    );
}

#[tokio::test]
async fn a_response_is_an_event_whole_and_as_a_stream() {
    let request = CreateResponseArgs::default()
        .model("gpt-r")
        .input("6 * 7?")
        .build()
        .unwrap();
    let streamed = request.clone();
    let (answer, event) =
        recorded(async |client| client.responses().create(request).await.is_ok()).await;
    assert!(answer);
    says(
        &event,
        [
            ("honeyhive_inputs.chat_history.0.content", "6 * 7?"),
            ("honeyhive_outputs.content", "Forty-two."),
            ("honeyhive_metadata.output_tokens", "7"),
        ],
    );
    let (items, event) = recorded(async |client| {
        let responses = client.responses();
        let stream = responses.create_stream(streamed).await.unwrap();
        stream.collect::<Vec<_>>().await
    })
    .await;
    assert!(items.iter().all(Result::is_ok));
    says(
        &event,
        [
            ("honeyhive_outputs.content", "Forty-two."),
            ("honeyhive_metadata.cache_read_input_tokens", "4"),
        ],
    );
}

#[tokio::test]
async fn vectors_are_a_mark_and_their_texts_are_the_inputs() {
    let request = CreateEmbeddingRequestArgs::default()
        .model("embed-x")
        .input(["one", "two"])
        .build()
        .unwrap();
    let (vectors, event) =
        recorded(async |client| client.embeddings().create(request).await.unwrap()).await;
    assert_eq!(vectors.data.len(), 2);
    assert_eq!(event.name, "embeddings embed-x");
    says(
        &event,
        [
            ("honeyhive_inputs.input.1", "two"),
            ("honeyhive_outputs.embeddings", "[2 vectors of 3]"),
            ("honeyhive_metadata.input_tokens", "4"),
        ],
    );
}

#[tokio::test]
async fn a_stream_that_is_let_go_says_how_far_it_came() {
    let scene = Scene::new().await;
    let client = scene.client();
    let work = async {
        let mut stream = client
            .chat()
            .create_stream(ask_for_stream("endless"))
            .await
            .unwrap();
        for _ in 0..3 {
            stream.next().await.unwrap().unwrap();
        }
    };
    scene.session.scope(work).await;
    // The task of async-openai reads on until it sees that nobody listens.
    let event = loop {
        if let [event] = scene.captured.only_session().events.as_slice() {
            break event.clone();
        }
        tokio::task::yield_now().await;
    };
    says(
        &event,
        [
            ("honeyhive_metadata.outcome", "dropped"),
            ("honeyhive_outputs.content", "Zwölf Bäume 🌳"),
        ],
    );
    assert_eq!(event.text("honeyhive_metadata.usage"), None);
}

#[tokio::test]
async fn a_picture_is_a_mark() {
    let request = CreateImageRequestArgs::default()
        .prompt("A tree.")
        .build()
        .unwrap();
    let (images, event) =
        recorded(async |client| client.images().generate(request).await.unwrap()).await;
    assert_eq!(images.data.len(), 1);
    assert!(event.name.starts_with("image_generation"), "{event:?}");
    says(
        &event,
        [
            ("honeyhive_inputs.input", "A tree."),
            ("honeyhive_outputs.images", "[1 image]"),
            ("honeyhive_metadata.outcome", "complete"),
        ],
    );
}

#[tokio::test]
async fn a_voice_is_a_mark() {
    let request = CreateSpeechRequestArgs::default()
        .model(SpeechModel::Other("tts-x".to_owned()))
        .voice(Voice::Alloy)
        .input("A tree.")
        .build()
        .unwrap();
    let (heard, event) =
        recorded(async |client| client.audio().speech().create(request).await.unwrap()).await;
    assert_eq!(heard.bytes.len(), 2048);
    assert_eq!(event.name, "audio_generation tts-x");
    says(
        &event,
        [
            ("honeyhive_inputs.input", "A tree."),
            ("honeyhive_outputs.audio", "[audio, 2 KB]"),
            ("honeyhive_metadata.outcome", "complete"),
        ],
    );
}

#[tokio::test]
async fn a_transcription_is_an_answer() {
    let request = write_down(AudioResponseFormat::Json);
    let (heard, event) = recorded(async |client| {
        let audio = client.audio();
        audio.transcription().create(request).await.unwrap()
    })
    .await;
    assert_eq!(heard.text, "How many trees?");
    assert!(event.name.starts_with("transcription"), "{event:?}");
    says(
        &event,
        [
            ("honeyhive_outputs.content", "How many trees?"),
            ("honeyhive_metadata.output_tokens", "4"),
            ("honeyhive_metadata.outcome", "complete"),
        ],
    );
}

#[tokio::test]
async fn a_transcription_that_is_no_json_is_an_answer_as_well() {
    let request = write_down(AudioResponseFormat::Srt);
    let (heard, event) = recorded(async |client| {
        let audio = client.audio();
        audio.transcription().create_raw(request).await.unwrap()
    })
    .await;
    let text = "1\n00:00:00,000 --> 00:00:01,500\nHow many trees?";
    assert!(heard.starts_with(text.as_bytes()));
    says(
        &event,
        [
            ("honeyhive_outputs.role", "assistant"),
            ("honeyhive_outputs.content", text),
            ("honeyhive_metadata.outcome", "complete"),
        ],
    );
}

#[tokio::test]
async fn usage_is_asked_for_where_that_is_wished_and_nothing_else_changes() {
    let scene = Scene::new().await;
    let client = ModelCalls::new(&scene.tracer)
        .ask_for_usage(true)
        .instrument(scene.plain());
    let work = async {
        let stream = client
            .chat()
            .create_stream(ask_for_stream("gpt-x"))
            .await
            .unwrap();
        stream.collect::<Vec<_>>().await
    };
    assert!(scene.session.scope(work).await.iter().all(Result::is_ok));
    says(
        &scene.only_event(),
        [("honeyhive_metadata.input_tokens", "11")],
    );
    scene
        .plain()
        .chat()
        .create_stream(ask_for_stream("gpt-x"))
        .await
        .unwrap()
        .collect::<Vec<_>>()
        .await;
    let [asking, plain] = scene.stand_in.requests().try_into().unwrap();
    assert_eq!(asking.body["stream_options"]["include_usage"], true);
    let names = |it: &model_stand_in::Sent| {
        let names = it.headers.keys().map(|name| name.as_str().to_owned());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names(&asking), names(&plain));
}

#[tokio::test]
async fn no_text_leaves_where_content_is_not_captured() {
    let scene = Scene::new().await;
    let http = async_openai::middleware::ReqwestService::new(reqwest::Client::new());
    let calls = ModelCalls::new(&scene.tracer)
        .capture_content(false)
        .layer(http);
    let client = scene.plain().with_http_service(calls);
    scene
        .session
        .scope(client.chat().create(ask("gpt-x")))
        .await
        .unwrap();
    let event = scene.only_event();
    let shown = format!("{event:?}");
    assert!(
        !shown.contains("trees") && !shown.contains("Zwölf"),
        "{shown}"
    );
    says(
        &event,
        [
            ("honeyhive_metadata.output_tokens", "7"),
            ("honeyhive_outputs.content_bytes", "26"),
        ],
    );
}

#[tokio::test]
async fn a_span_of_the_programs_own_is_filled() {
    let scene = Scene::new().await;
    let client = scene.client();
    let work = async {
        let span = scene
            .tracer
            .span("ask")
            .event_type(EventType::Model)
            .start();
        span.scope(client.chat().create(ask("gpt-x")))
            .await
            .unwrap();
    };
    scene.session.scope(work).await;
    let event = scene.only_event();
    assert_eq!(event.name, "ask");
    says(
        &event,
        [
            ("honeyhive_metadata.input_tokens", "11"),
            ("honeyhive_config.model", "gpt-x"),
        ],
    );
}
