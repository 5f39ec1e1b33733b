//! Recording a model's stream has a cost: an event of 330 bytes through the recorder, beside async-openai's cost for
//! the same event; a chunk of an unknown stream; and a call as a whole.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;

use async_openai::Client;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, CreateChatCompletionRequest, CreateChatCompletionRequestArgs,
};
use futures_util::{StreamExt as _, stream};
use honeyhive::HoneyHiveTracer;
use honeyhive::model_call::Recorder;
use reqwest::{Body, Response};
use tower::service_fn;

use crate::{Work, tracer};

/// The variants have these names.
pub(crate) const VARIANTS: [&str; 9] = [
    "event_bare",
    "event_recorded",
    "event_unknown",
    "event_async_openai",
    "call_bare",
    "call_recorded",
    "call_async_openai",
    "around_bare",
    "around_recorded",
];

/// Returns an event as OpenAI sends it, of 330 bytes.
fn event() -> String {
    const SIZE: usize = 330;
    let event = |padding: &str| {
        format!(
            r#"data: {{"id":"chatcmpl-CfGhIjKlMnOpQrStUvWxYz0123456","object":"chat.completion.chunk","created":1764374400,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0123456789","choices":[{{"index":0,"delta":{{"content":" token"}},"logprobs":null,"finish_reason":null}}],"usage":null,"obfuscation":"{padding}"}}"#
        ) + "\n\n"
    };
    event(&"x".repeat(SIZE - event("").len()))
}

const REQUEST: &str = r#"{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"How many trees are there in Zurich?"}]}"#;
const LAST: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7,\"total_tokens\":18}}\n\ndata: [DONE]\n\n";

/// Returns the work of a variant; `None` where there is no such one.
pub(crate) fn find(variant: &str) -> Option<Work> {
    let event = event();
    Some(match variant {
        "event_bare" => each(move || _ = black_box(&event)),
        "event_recorded" => recorded([event]),
        "event_unknown" => recorded([format!("data: {{\"tick\":\"{}\"}}\n\n", "x".repeat(310))]),
        "event_async_openai" => by_async_openai(event),
        "call_bare" => each(|| _ = black_box(REQUEST)),
        "call_recorded" | "around_recorded" => calls(event),
        "call_async_openai" => calls_by_async_openai(event),
        // A call costs something besides the events of its stream, which are subtracted.
        "around_bare" => recorded([event, LAST.to_owned()]),
        _ => return None,
    })
}

fn each(mut work: impl FnMut() + 'static) -> Work {
    Box::new(move |times| (0..times).for_each(|_| work()))
}

/// Returns the work of one call, whose response goes on and on with these pieces.
fn recorded<const N: usize>(pieces: [String; N]) -> Work {
    let tracer = tracer();
    let call = tracer.model_call("openai", "").request(REQUEST).start();
    let mut recorder = call.recorder(Some(200), Some("text/event-stream"), None);
    // The call and its recorder live on while the loop is measured.
    each(move || {
        black_box(&call);
        for piece in &pieces {
            recorder.bytes(black_box(piece.as_bytes()));
        }
    })
}

/// Returns the work of calls of one event each, as a client's middleware sees them.
fn calls(event: String) -> Work {
    let tracer = tracer();
    let session = tracer.create_session("chat");
    let call = move || {
        let mut recorder = begin(&tracer);
        recorder.bytes(black_box(event.as_bytes()));
        recorder.bytes(LAST.as_bytes());
        recorder.end();
    };
    Box::new(move |times| session.in_scope(|| (0..times).for_each(|_| call())))
}

fn begin(tracer: &HoneyHiveTracer) -> Recorder {
    let call = tracer.model_call("openai", "").request(REQUEST);
    let call = call.by_middleware().start();
    // The request is sent here.
    call.in_scope(|| _ = black_box(REQUEST));
    call.recorder(Some(200), Some("text/event-stream"), None)
}

fn by_async_openai(event: String) -> Work {
    Box::new(move |times| {
        let pieces = vec![bytes::Bytes::from(event.clone()); times as usize];
        ask_async_openai(1, pieces);
    })
}

/// Returns the work of calls as async-openai makes them, each of one event and the end mark.
fn calls_by_async_openai(event: String) -> Work {
    let pieces = vec![bytes::Bytes::from(event), "data: [DONE]\n\n".into()];
    Box::new(move |times| ask_async_openai(times, pieces.clone()))
}

/// Asks so many times, and reads the answers.
#[expect(
    clippy::expect_used,
    reason = "a measurement that cannot begin should say so"
)]
fn ask_async_openai(times: u32, pieces: Vec<bytes::Bytes>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let request = request();
    let client = Client::new().with_http_service(service_fn(answering(pieces)));
    let asking = async {
        for _ in 0..times {
            let answer = client.chat().create_stream(request.clone()).await;
            let mut chunks = answer.expect("an answer");
            while let Some(chunk) = chunks.next().await {
                black_box(chunk.expect("a chunk"));
            }
        }
    };
    runtime.block_on(asking);
}

#[expect(
    clippy::expect_used,
    reason = "a measurement that cannot begin should say so"
)]
fn request() -> CreateChatCompletionRequest {
    CreateChatCompletionRequestArgs::default()
        .model("gpt-4o-mini")
        .messages([ChatCompletionRequestUserMessage::from("How many trees?").into()])
        .build()
        .expect("a request")
}

/// Returns a server that answers with these pieces, without a socket.
fn answering(
    pieces: Vec<bytes::Bytes>,
) -> impl FnMut(HttpRequestFactory) -> Ready<Result<Response, OpenAIError>> + Clone {
    move |_| {
        let pieces = stream::iter(pieces.clone().into_iter().map(Ok::<_, Infallible>));
        let response = http::Response::new(Body::wrap_stream(pieces));
        ready(Ok(response.into()))
    }
}
