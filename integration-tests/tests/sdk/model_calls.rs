//! Calls of models are recorded by hand, and by middleware that sees their bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::support::*;
use futures_util::{StreamExt as _, stream};
use honeyhive::model_call::ModelCall;
use honeyhive::opentelemetry::KeyValue;
use honeyhive::opentelemetry::trace::{
    Span as _, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use honeyhive::testing::{self, Captured, CapturedEvent};
use honeyhive::{EventType, HoneyHiveTracer};
use serde_json::{Value, json};
use tracing::field::Empty;
use tracing::{debug, error, info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

const CHUNKS: [&str; 5] = [
    r#"{"id":"c1","model":"gpt-x-2026","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
    r#"{"id":"c1","model":"gpt-x-2026","choices":[{"index":0,"delta":{"content":"Forty-"}}]}"#,
    r#"{"id":"c1","model":"gpt-x-2026","choices":[{"index":0,"delta":{"content":"two."},"finish_reason":"stop"}]}"#,
    r#"{"id":"c1","model":"gpt-x-2026","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}}"#,
    "[DONE]",
];

fn sse(chunks: &[&str]) -> Vec<Vec<u8>> {
    chunks
        .iter()
        .map(|it| format!("data: {it}\n\n").into_bytes())
        .collect()
}

/// Returns the recordings of `work`, in a session, the spans of `tracing` too.
fn record(work: impl FnOnce(&HoneyHiveTracer)) -> Captured {
    let (tracer, captured) = testing::tracer();
    in_session(&tracer, work);
    captured
}

fn in_session(tracer: &HoneyHiveTracer, work: impl FnOnce(&HoneyHiveTracer)) {
    let subscriber = Registry::default().with(tracer.tracing_layer());
    let session = tracer.create_session("chat");
    tracing::subscriber::with_default(subscriber, || session.in_scope(|| work(tracer)));
}

#[track_caller]
fn only_event(captured: &Captured) -> CapturedEvent {
    let mut events = captured.only_session().events;
    assert_eq!(events.len(), 1, "{events:#?}");
    events.remove(0)
}

/// Returns the values of these attributes, in a line.
fn texts<const N: usize>(event: &CapturedEvent, keys: [&str; N]) -> [Option<String>; N] {
    keys.map(|key| event.text(key))
}

fn some<const N: usize>(values: [&str; N]) -> [Option<String>; N] {
    values.map(|value| Some(value.to_owned()))
}

/// Reads a stream whose items are all there.
fn drain<S: futures_util::Stream>(stream: S) -> Vec<S::Item> {
    let mut stream = pin!(stream);
    let mut items = Vec::new();
    while let Poll::Ready(Some(item)) =
        stream.poll_next_unpin(&mut Context::from_waker(Waker::noop()))
    {
        items.push(item);
    }
    items
}

#[test]
fn a_call_by_hand_says_what_it_was_told() {
    let captured = record(|tracer| {
        let call = tracer
            .model_call("anthropic", "claude-x")
            .messages(json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "6 * 7?"}]))
            .parameters(json!({"temperature": 0.5}))
            .start();
        call.answer("42")
            .tokens(11, 7)
            .cached_tokens(4, 2)
            .finish_reason("end_turn")
            .cost(0.25);
    });
    let event = only_event(&captured);
    assert_eq!(
        (event.name.as_str(), event.event_type.as_str()),
        ("chat claude-x", "model")
    );
    let keys = [
        "honeyhive_inputs.chat_history.1.content",
        "honeyhive_config.provider",
        "honeyhive_config.model",
        "honeyhive_config.temperature",
        "honeyhive_outputs.role",
        "honeyhive_outputs.content",
        "honeyhive_outputs.finish_reason",
        "honeyhive_metadata.input_tokens",
        "honeyhive_metadata.output_tokens",
        "gen_ai.usage.input_tokens",
        "honeyhive_metadata.cache_read_input_tokens",
        "honeyhive_metadata.cost",
        "honeyhive_metadata.outcome",
    ];
    let values = [
        "6 * 7?",
        "anthropic",
        "claude-x",
        "0.5",
        "assistant",
        "42",
        "end_turn",
        "11",
        "7",
        "11",
        "4",
        "0.25",
        "complete",
    ];
    assert_eq!(texts(&event, keys), some(values));
    assert_eq!(event.error, None);
}

#[test]
fn a_recorded_stream_gives_the_same_items_and_becomes_the_outputs() {
    let sent = sse(&CHUNKS);
    let captured = record(|tracer| {
        let request = json!({"model": "gpt-x", "stream": true, "messages": [{"role": "user", "content": "?"}]});
        let call = tracer
            .model_call("openai", "")
            .request(request.to_string())
            .start();
        let items = sent.clone().into_iter().map(Ok::<_, Infallible>);
        let recorded = call.record_bytes(stream::iter(items));
        assert_eq!(futures_util::Stream::size_hint(&recorded), (5, Some(5)));
        let got: Vec<_> = drain(recorded).into_iter().map(Result::unwrap).collect();
        assert_eq!(got, sent);
    });
    let event = only_event(&captured);
    assert_eq!(event.name, "chat gpt-x");
    let keys = [
        "honeyhive_inputs.chat_history.0.content",
        "honeyhive_outputs.content",
        "honeyhive_outputs.finish_reason",
        "honeyhive_metadata.input_tokens",
        "honeyhive_metadata.output_tokens",
        "honeyhive_metadata.cache_read_input_tokens",
        "honeyhive_metadata.reasoning_tokens",
        "honeyhive_metadata.response_model",
        "honeyhive_metadata.response_id",
        "honeyhive_metadata.outcome",
    ];
    let values = [
        "?",
        "Forty-two.",
        "stop",
        "11",
        "7",
        "4",
        "3",
        "gpt-x-2026",
        "c1",
        "complete",
    ];
    assert_eq!(texts(&event, keys), some(values));
    assert!(
        event
            .text("honeyhive_metadata.time_to_first_token_ms")
            .is_some()
    );
}

#[test]
fn an_error_of_the_stream_passes_unchanged_and_keeps_what_came_before() {
    let captured = record(|tracer| {
        let call = tracer.model_call("openai", "m").start();
        let items = vec![
            Ok(sse(&CHUNKS[..2]).concat()),
            Err(io::Error::other("reset")),
        ];
        let got = drain(call.record_bytes(stream::iter(items)));
        assert_eq!(got[1].as_ref().unwrap_err().to_string(), "reset");
    });
    let event = only_event(&captured);
    assert_eq!(event.error.as_deref(), Some("reset"));
    let keys = ["honeyhive_outputs.content", "honeyhive_metadata.outcome"];
    assert_eq!(texts(&event, keys), some(["Forty-", "error"]));
}

#[test]
fn a_stream_that_is_let_go_after_its_end_is_complete_and_before_it_dropped() {
    for (polls, outcome) in [(5, "complete"), (2, "dropped")] {
        let captured = record(|tracer| {
            let items = sse(&CHUNKS).into_iter().map(Ok::<_, Infallible>);
            let call = tracer.model_call("openai", "m").start();
            let recorded = call.record_bytes(stream::iter(items));
            drop(call);
            drop(drain(recorded.take(polls)));
        });
        let event = only_event(&captured);
        assert_eq!(
            event.text("honeyhive_metadata.outcome").as_deref(),
            Some(outcome)
        );
    }
}

#[test]
fn nothing_is_read_ahead() {
    let captured = record(|tracer| {
        let call = tracer.model_call("openai", "m").start();
        let mut polled = 0;
        let items = sse(&CHUNKS)
            .into_iter()
            .inspect(|_| polled += 1)
            .map(Ok::<_, Infallible>);
        let mut recorded = Box::pin(call.record_bytes(stream::iter(items)));
        let _ = recorded.poll_next_unpin(&mut Context::from_waker(Waker::noop()));
        drop(recorded);
        let _ = call;
        assert_eq!(polled, 1);
    });
    assert_eq!(captured.only_session().events.len(), 1);
}

#[test]
fn a_whole_reply_and_events_that_a_client_has_read_are_the_same() {
    let whole = json!({"id": "c1", "model": "m-1", "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}]});
    let events = [
        json!({"id": "c1", "model": "m-1", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}),
        json!({"choices": [{"index": 0, "delta": {"content": "."}, "finish_reason": "stop"}]}),
        json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
    ];
    let by_reply = record(|tracer| tracer.model_call("openai", "m").start().reply(&whole));
    let by_events = record(|tracer| {
        let call = tracer.model_call("openai", "m").start();
        events.iter().for_each(|event| call.record_json(event));
    });
    // A reply that was recorded as a whole has no first token.
    for (captured, is_stream) in [(by_reply, false), (by_events, true)] {
        let event = only_event(&captured);
        let first = event.text("honeyhive_metadata.time_to_first_token_ms");
        assert_eq!(first.is_some(), is_stream);
        let keys = [
            "honeyhive_outputs.content",
            "honeyhive_metadata.output_tokens",
            "honeyhive_metadata.outcome",
        ];
        assert_eq!(texts(&event, keys), some(["Hi.", "2", "complete"]));
    }
}

#[test]
fn several_answers_are_a_chat_history_and_tools_are_named() {
    let captured = record(|tracer| {
        let call = tracer.model_call("openai", "m").start();
        call.reply(json!({"choices": [
            {"index": 0, "message": {"content": "Heads!"}, "finish_reason": "stop"},
            {"index": 1, "message": {"content": null, "tool_calls": [{"id": "a", "function": {"name": "flip", "arguments": "{}"}}]}},
        ]}));
    });
    let keys = [
        "honeyhive_outputs.chat_history.0.content",
        "honeyhive_outputs.chat_history.1.tool_calls.0.name",
    ];
    let event = only_event(&captured);
    assert_eq!(texts(&event, keys), some(["Heads!", "flip"]));
    assert_eq!(event.text("honeyhive_outputs.chat_history.1.content"), None);
}

#[test]
fn what_the_provider_refuses_is_the_error() {
    let bodies = [
        (
            Some(400),
            r#"{"error":{"message":"bad model","type":"invalid_request_error"}}"#,
            "invalid_request_error: bad model",
        ),
        (Some(502), "<html>Bad gateway</html>", "HTTP status 502"),
        (
            Some(200),
            "data: {\"choices\":[{\"delta\":{\"content\":\"Half\"}}]}\n\ndata: {\"error\":{\"message\":\"boom\"}}\n\n",
            "boom",
        ),
    ];
    for (status, body, error) in bodies {
        let captured = record(|tracer| {
            let call = tracer.model_call("openai", "m").start();
            let mut recorder = call.recorder(status, None, None);
            recorder.bytes(body.as_bytes());
            recorder.end();
        });
        let event = only_event(&captured);
        assert_eq!(event.error.as_deref(), Some(error));
        assert_eq!(
            event.text("honeyhive_metadata.outcome").as_deref(),
            Some("error")
        );
        let status = status.map(|it: u16| it.to_string());
        assert_eq!(event.text("honeyhive_metadata.status_code"), status);
    }
}

#[test]
fn a_long_conversation_of_tools_leaves_room_for_the_answer_and_its_tokens() {
    let turn = |turn: usize| {
        let called = json!({"id": format!("c{turn}"), "type": "function", "function": {"name": "look", "arguments": "{}"}});
        let asks = json!({"role": "assistant", "content": null, "tool_calls": [called]});
        [
            asks,
            json!({"role": "tool", "tool_call_id": format!("c{turn}"), "content": "seen"}),
        ]
    };
    let first = [json!({"role": "user", "content": "Look."})];
    let messages: Vec<_> = first.into_iter().chain((0..400).flat_map(turn)).collect();
    let body = json!({"model": "gpt-x", "messages": messages}).to_string();
    let captured = record(|tracer| {
        let call = tracer.model_call("openai", "").request(&body).start();
        call.answer("42").tokens(11, 7);
    });
    let event = only_event(&captured);
    let keys = [
        "honeyhive_inputs.chat_history.0.content",
        "honeyhive_outputs.content",
        "honeyhive_metadata.output_tokens",
        "honeyhive_metadata.outcome",
    ];
    assert_eq!(texts(&event, keys), some(["Look.", "42", "7", "complete"]));
}

#[test]
fn usage_that_was_not_sent_is_said_to_be_missing() {
    let captured = record(|tracer| {
        let call = tracer.model_call("openai", "m").start();
        drain(call.record_bytes(stream::iter(
            sse(&CHUNKS[..3]).into_iter().map(Ok::<_, Infallible>),
        )));
    });
    let event = only_event(&captured);
    assert_eq!(
        event.text("honeyhive_metadata.usage").as_deref(),
        Some("not sent")
    );
    assert_eq!(
        event.text("honeyhive_metadata.outcome").as_deref(),
        Some("complete")
    );
}

/// A missing usage is not reported for an answer that did not come to its end, nor for a whole answer.
#[test]
fn usage_is_not_said_to_be_missing_where_the_answer_has_no_end_or_the_api_sends_none() {
    let cut = || sse(&CHUNKS[..2]).into_iter().map(Ok::<_, io::Error>);
    let ui = [
        r#"{"type":"start"}"#,
        r#"{"type":"text-delta","id":"p","delta":"Hi"}"#,
        r#"{"type":"finish"}"#,
    ];
    let whole = json!({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]});
    type Work<'a> = &'a dyn Fn(ModelCall);
    let table: [(&str, Work<'_>); 5] = [
        ("truncated", &|call| {
            _ = drain(call.record_bytes(stream::iter(cut())))
        }),
        ("dropped", &|call| {
            _ = drain(call.record_bytes(stream::iter(cut())).take(2))
        }),
        ("error", &|call| {
            let reset = [Err(io::Error::other("reset"))];
            drain(call.record_bytes(stream::iter(cut().chain(reset))));
        }),
        ("complete", &|call| {
            _ = drain(call.record_bytes(stream::iter(sse(&ui).into_iter().map(Ok::<_, io::Error>))))
        }),
        ("complete", &|call| call.reply(&whole)),
    ];
    for (outcome, work) in table {
        let captured = record(|tracer| work(tracer.model_call("openai", "m").start()));
        let event = only_event(&captured);
        let keys = ["honeyhive_metadata.outcome", "honeyhive_metadata.usage"];
        assert_eq!(texts(&event, keys), [Some(outcome.to_owned()), None]);
    }
}

#[test]
fn what_is_said_after_the_stream_has_ended_counts_still() {
    let captured = record(|tracer| {
        let call = tracer.model_call("openai", "m").start();
        drain(call.record_bytes(stream::iter(
            sse(&CHUNKS).into_iter().map(Ok::<_, Infallible>),
        )));
        call.cost(0.5).tokens(1, 2);
    });
    let event = only_event(&captured);
    let keys = [
        "honeyhive_metadata.cost",
        "honeyhive_metadata.input_tokens",
        "honeyhive_outputs.content",
    ];
    assert_eq!(texts(&event, keys), some(["0.5", "1", "Forty-two."]));
}

#[test]
fn vectors_are_a_mark() {
    let captured = record(|tracer| {
        let call = tracer
            .model_call("openai", "e")
            .embeddings()
            .messages(["one", "two"])
            .start();
        call.reply(json!({"object": "list", "model": "e-1", "usage": {"prompt_tokens": 4, "total_tokens": 4},
            "data": [{"embedding": [0.5, 0.25, 1.0]}, {"embedding": [0.5, 0.25, 1.0]}]}));
    });
    let event = only_event(&captured);
    assert_eq!(event.name, "embeddings e");
    let keys = [
        "honeyhive_inputs.input.1",
        "honeyhive_outputs.embeddings",
        "honeyhive_metadata.input_tokens",
    ];
    assert_eq!(texts(&event, keys), some(["two", "[2 vectors of 3]", "4"]));
}

/// Tells of errors as providers and libraries do: the former quote what they were sent, the latter log it.
fn tell_of_errors(tracer: &HoneyHiveTracer, chat: &tracing::Span, secret: &str) {
    chat.in_scope(|| {
        debug!("OpenAI request: {secret}");
        error!(error = secret, error.type = "rate_limit_exceeded");
    });
    let span = tracer.provider().tracer("genai").start("chat");
    let mut span = span;
    span.set_attribute(KeyValue::new("gen_ai.operation.name", "chat"));
    span.set_attribute(KeyValue::new("error.message", secret.to_owned()));
    span.record_error(&io::Error::other(secret));
    span.set_status(Status::error(secret.to_owned()));
    span.end();
    tracer
        .model_call("openai", "m")
        .start()
        .fail(&io::Error::other(secret));
    let call = tracer.model_call("openai", "m").start();
    let reset = Err::<&[u8], _>(io::Error::other(secret));
    drain(call.record_bytes(stream::iter([reset])));
}

/// Records a secret in every way that can carry a text of a model call.
fn tell(tracer: &HoneyHiveTracer, secret: &str) {
    let call = tracer
        .model_call("openai", "m")
        .messages(json!([{"role": "user", "content": secret}]))
        .capture_content(true)
        .start();
    let chunk = json!({"choices": [{"index": 0, "delta": {"content": secret}}]});
    drain(call.record_bytes(stream::iter([Ok::<_, Infallible>(format!(
        "data: {chunk}\n\n"
    ))])));
    drop(call);
    let messages =
        json!([{"role": "user", "parts": [{"type": "text", "content": secret}]}]).to_string();
    let chat = info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.input.messages = messages,
        gen_ai.output.messages = messages,
        gen_ai.system_instructions = messages
    );
    chat.in_scope(|| info!(name: "gen_ai.user.message", content = secret));
    tell_of_errors(tracer, &chat, secret);
    let names = [
        "gen_ai.prompt.0.content",
        "gen_ai.completion",
        "llm.input_messages.0.message.content",
        "llm.choices.0.completion.text",
        "ai.prompt.messages",
        "ai.response.text",
        "ai.toolCall.result",
        "langfuse.trace.input",
        "input.value",
        "output.value",
        "traceloop.entity.input",
        "langfuse.observation.output",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "retrieval.documents.0.document.content",
    ];
    let span = tracer.span("others").start();
    for name in names {
        let attribute = KeyValue::new(name, secret.to_owned());
        span.context().span().set_attribute(attribute);
    }
}

#[test]
fn a_planted_secret_is_in_no_byte_sent_where_the_tracer_captures_no_content() {
    const SECRET: &str = "xyzzy";
    for captures in [true, false] {
        let server = server();
        let tracer = builder(&server).capture_content(captures).build().unwrap();
        in_session(&tracer, |tracer| tell(tracer, SECRET));
        flush(&tracer);
        let sent = server.requests();
        let told = sent.iter().filter(|it| {
            let mut windows = it.body.windows(SECRET.len());
            windows.any(|bytes| bytes == SECRET.as_bytes())
        });
        assert_eq!(told.count() > 0, captures);
        let models = server.query().event_type("model").events();
        assert_eq!(models.len(), 5);
        let failed = models.iter().filter(|it| it.error.is_some());
        assert_eq!(failed.count(), 4);
        let kinds = ["rate_limit_exceeded", "error"];
        let is_told = |kind: &str| models.iter().any(|it| it.error.as_deref() == Some(kind));
        assert_eq!(kinds.map(is_told), [!captures; 2]);
        drop(tracer.shutdown_blocking(PATIENCE));
    }
}

#[test]
fn no_text_is_sent_where_content_is_not_captured() {
    const SECRET: &str = "xyzzy";
    let captured = record(|tracer| {
        let request = json!({"model": "m", "stop": [SECRET], "messages": [{"role": "user", "content": SECRET}],
            "tools": [{"type": "function", "function": {"name": "look", "description": SECRET}}]});
        let call = tracer
            .model_call("openai", "m")
            .request(request.to_string())
            .messages(json!([{"role": "user", "content": SECRET}]))
            .capture_content(false)
            .start();
        let chunks = [
            format!(
                r#"{{"choices":[{{"index":0,"delta":{{"content":"{SECRET}","reasoning":"{SECRET}","refusal":"{SECRET}"}}}}]}}"#
            ),
            format!(
                r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"id":"a","function":{{"name":"look","arguments":"{SECRET}"}}}}]}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1,"completion_tokens":2}}}}"#
            ),
            format!(r#"{{"error":{{"type":"bad","message":"{SECRET}"}}}}"#),
        ];
        let chunks: Vec<_> = chunks.iter().map(String::as_str).collect();
        drain(call.record_bytes(stream::iter(
            sse(&chunks).into_iter().map(Ok::<_, Infallible>),
        )));
        call.answer(SECRET);
    });
    let event = only_event(&captured);
    assert!(!format!("{event:?}").contains(SECRET), "{event:#?}");
    let keys = [
        "honeyhive_outputs.tool_calls.0.name",
        "honeyhive_outputs.content_bytes",
        "honeyhive_metadata.input_messages",
        "honeyhive_metadata.output_tokens",
        "honeyhive_outputs.finish_reason",
    ];
    assert_eq!(texts(&event, keys), some(["look", "5", "2", "2", "stop"]));
    assert_eq!(event.error.as_deref(), Some("bad"));
}

/// Records a call as a client's middleware does.
fn seam(tracer: &HoneyHiveTracer) {
    let request = r#"{"model":"gpt-x","messages":[{"role":"user","content":"?"}]}"#;
    let call = tracer
        .model_call("openai", "")
        .request(request)
        .by_middleware()
        .start();
    // The next call stands for another middleware further in.
    call.in_scope(|| {
        let inner = tracer
            .model_call("openai", "")
            .request(request)
            .by_middleware()
            .start();
        assert!(!inner.is_recording());
    });
    let mut recorder = call.recorder(Some(200), Some("text/event-stream"), None);
    drop(call);
    recorder.bytes(&sse(&CHUNKS).concat());
    recorder.end();
}

#[honeyhive::trace(event_type = "model")]
fn traced(tracer: &Named) {
    seam(&tracer.0);
}

struct Named(HoneyHiveTracer);

impl std::fmt::Debug for Named {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("tracer")
    }
}

/// Makes the span of an agent's run, as rig makes it.
fn agent() -> tracing::Span {
    info_span!(
        parent: None,
        "invoke_agent",
        gen_ai.operation.name = "invoke_agent",
        gen_ai.usage.input_tokens = 11,
        gen_ai.usage.output_tokens = 7,
    )
}

fn chat() -> tracing::Span {
    info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
    )
}

/// Two integrations are two generations elsewhere (langfuse/langfuse#1872, #9344). Here every way to have a model's
/// span and a middleware in it makes one model event with the provider's tokens.
#[test]
fn whichever_of_span_seam_and_hand_are_on_together_the_tokens_are_the_providers() {
    type Work = fn(&HoneyHiveTracer);
    let table: [(&str, Work); 10] = [
        ("a seam alone", seam),
        ("in a span by hand", |tracer| {
            let span = tracer.span("ask").event_type(EventType::Model).start();
            span.in_scope(|| seam(tracer));
        }),
        ("in a call by hand", |tracer| {
            let call = tracer.model_call("openai", "gpt-x").start();
            call.in_scope(|| seam(tracer));
        }),
        ("in a call by hand that says the tokens, too", |tracer| {
            let call = tracer.model_call("openai", "gpt-x").start();
            call.in_scope(|| seam(tracer));
            call.tokens(11, 7);
        }),
        ("in a call by hand in a model's span", |tracer| {
            let span = tracer.span("ask").event_type(EventType::Model).start();
            span.in_scope(|| {
                let call = tracer.model_call("openai", "gpt-x").start();
                call.in_scope(|| seam(tracer));
            });
        }),
        ("in a traced function", |tracer| {
            traced(&Named(tracer.clone()))
        }),
        (
            "below the span of an HTTP client in a model's span",
            |tracer| {
                let span = tracer.span("ask").event_type(EventType::Model).start();
                span.in_scope(|| tracer.span("POST").start().in_scope(|| seam(tracer)));
            },
        ),
        ("below an agent that says the sum", |tracer| {
            agent().in_scope(|| seam(tracer));
        }),
        (
            "in a library's span that says nothing, in an agent",
            |tracer| {
                agent().in_scope(|| chat().in_scope(|| seam(tracer)));
            },
        ),
        ("in a library's span that says the tokens, too", |tracer| {
            agent().in_scope(|| {
                let chat = chat();
                chat.in_scope(|| seam(tracer));
                chat.record("gen_ai.usage.input_tokens", 11);
                chat.record("gen_ai.usage.output_tokens", 7);
            });
        }),
    ];
    for (name, work) in table {
        let captured = record(work);
        let session = captured.only_session();
        let models: Vec<_> = session
            .events
            .iter()
            .filter(|it| it.event_type == "model")
            .collect();
        assert_eq!(models.len(), 1, "{name}:\n{}", session.tree());
        let tokens = |side: &str| {
            let ours = models[0].text(&format!("honeyhive_metadata.{side}_tokens"));
            ours.or_else(|| models[0].text(&format!("gen_ai.usage.{side}_tokens")))
        };
        let told = [tokens("input"), tokens("output")];
        assert_eq!(told, some(["11", "7"]), "{name}");
        let keys = ["honeyhive_outputs.content"];
        assert_eq!(texts(models[0], keys), some(["Forty-two."]), "{name}");
        let with_tokens = session
            .events
            .iter()
            .filter(|it| it.text("gen_ai.usage.input_tokens").is_some());
        assert_eq!(with_tokens.count(), 1, "{name}");
    }
}

#[test]
fn a_tracer_that_records_nothing_writes_onto_nobody_elses_span_and_does_not_end_it() {
    let off = HoneyHiveTracer::disabled();
    let captured = record(|tracer| {
        let turn = tracer.chain("turn").start();
        turn.in_scope(|| {
            let call = off.model_call("openai", "gpt-x").start();
            assert!(!call.is_recording() && call.event_id().is_none());
            call.answer("42").tokens(11, 7);
        });
        turn.outputs(json!({"said": "later"}));
    });
    let turn = only_event(&captured);
    let keys = ["honeyhive_outputs.said", "honeyhive_outputs.content"];
    assert_eq!(texts(&turn, keys), [Some("later".to_owned()), None]);
    assert_eq!(turn.text("honeyhive_metadata.outcome"), None);
}

#[test]
fn two_calls_in_one_models_span_are_two_events_whose_tokens_add_up() {
    let captured = record(|tracer| {
        let span = tracer.span("ask").event_type(EventType::Model).start();
        span.in_scope(|| {
            seam(tracer);
            seam(tracer);
        });
    });
    captured.only_session().assert_tree(
        "chat
           ask [model]
             chat gpt-x [model]",
    );
    for event in captured.only_session().events {
        assert_eq!(
            event.text("honeyhive_metadata.input_tokens").as_deref(),
            Some("11"),
            "{}",
            event.name
        );
    }
}

#[test]
fn a_model_in_a_tool_in_a_models_span_is_an_event_of_its_own() {
    let captured = record(|tracer| {
        let span = tracer.span("ask").event_type(EventType::Model).start();
        span.in_scope(|| {
            let tool = tracer.span("summarise").event_type(EventType::Tool).start();
            tool.in_scope(|| seam(tracer));
        });
    });
    captured.only_session().assert_tree(
        "chat
           ask [model]
             summarise [tool]
               chat gpt-x [model]",
    );
}

#[test]
fn what_the_program_has_said_of_its_span_stays_whatever_a_seam_reads() {
    let captured = record(|tracer| {
        let span = tracer
            .span("ask")
            .event_type(EventType::Model)
            .config(json!({"model": "my-alias"}))
            .inputs(json!({"chat_history": [{"role": "user", "content": "mine"}]}))
            .start();
        span.in_scope(|| seam(tracer));
        span.outputs(json!({"content": "masked"}));
        span.enrich(honeyhive::Enrichment::new().metadata(json!({"input_tokens": 1})));
    });
    let event = only_event(&captured);
    let keys = [
        "honeyhive_config.model",
        "honeyhive_inputs.chat_history.0.content",
        "honeyhive_outputs.content",
        "honeyhive_metadata.input_tokens",
        "honeyhive_metadata.output_tokens",
        "honeyhive_outputs.role",
    ];
    assert_eq!(
        texts(&event, keys),
        some(["my-alias", "mine", "masked", "1", "7", "assistant"])
    );
    assert_eq!(event.text("gen_ai.usage.input_tokens"), None);
    assert!(
        !event.attributes.keys().any(|key| key.contains("filled")),
        "{event:#?}"
    );
}

#[test]
fn a_seam_finds_the_error_of_a_span_that_looks_green() {
    let captured = record(|tracer| {
        let span = tracer.span("ask").event_type(EventType::Model).start();
        span.in_scope(|| {
            let call = tracer.model_call("openai", "m").by_middleware().start();
            let mut recorder = call.recorder(Some(500), None, None);
            recorder.bytes(br#"{"error":{"message":"boom","type":"server_error"}}"#);
            recorder.end();
        });
    });
    let event = only_event(&captured);
    assert_eq!(event.error.as_deref(), Some("server_error: boom"));
}

/// `Spoken` is a call in the words of an API: what is asked, what is streamed, and what is read of both.
struct Spoken {
    provider: &'static str,
    request: Value,
    events: &'static [&'static str],
    outputs: Value,
    tokens: [u64; 2],
    error: Option<&'static str>,
}

/// Returns the same answer for every provider: a thought, a text and the call of a tool.
fn answer(finish_reason: &str) -> Value {
    json!({"role": "assistant", "content": "Let me look.", "reasoning": "Hm.", "finish_reason": finish_reason,
        "tool_calls": [{"id": "call_a", "name": "weather", "arguments": "{\"city\":\"Paris\"}"}]})
}

/// Returns a call in each of the six formats, and an error in the middle of one.
fn spoken() -> [Spoken; 7] {
    let question = json!({"role": "user", "content": "Weather in Paris?"});
    let chat = json!({"model": "m", "messages": [question]});
    [
        Spoken {
            provider: "openai",
            request: json!({"model": "m", "stream": true, "temperature": 0.5, "messages": [
                {"role": "system", "content": "Be brief."}, question]}),
            events: &[
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning_content":"Hm."}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"Let me look."}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a","function":{"name":"weather","arguments":"{\"city\":"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Paris\"}"}}]},"finish_reason":"tool_calls"}]}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7}}"#,
                "[DONE]",
            ],
            outputs: answer("tool_calls"),
            tokens: [11, 7],
            error: None,
        },
        Spoken {
            provider: "openai",
            request: json!({"model": "m", "instructions": "Be brief.", "input": "Weather in Paris?"}),
            events: &[
                r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"Hm."}"#,
                r#"{"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"Let me look."}"#,
                r#"{"type":"response.output_item.done","output_index":2,"item":{"type":"function_call","call_id":"call_a","name":"weather","arguments":"{\"city\":\"Paris\"}"}}"#,
                r#"{"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":11,"output_tokens":7}}}"#,
            ],
            outputs: answer("completed"),
            tokens: [11, 7],
            error: None,
        },
        Spoken {
            provider: "anthropic",
            request: json!({"model": "m", "system": "Be brief.", "messages": [question]}),
            events: &[
                r#"{"type":"message_start","message":{"usage":{"input_tokens":1,"cache_read_input_tokens":10}}}"#,
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}"#,
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Let me look."}}"#,
                r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"call_a","name":"weather","input":{}}}"#,
                r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"city\":\"Paris\"}"}}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":7}}"#,
                r#"{"type":"message_stop"}"#,
            ],
            outputs: answer("tool_use"),
            tokens: [11, 7],
            error: None,
        },
        Spoken {
            provider: "gcp.gemini",
            request: json!({"systemInstruction": {"parts": [{"text": "Be brief."}]},
                "contents": [{"role": "user", "parts": [{"text": "Weather in Paris?"}]}]}),
            events: &[
                r#"{"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true},{"text":"Let me look."}]}}],"usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":2}}"#,
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"call_a","name":"weather","args":{"city":"Paris"}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":4,"thoughtsTokenCount":3}}"#,
            ],
            outputs: answer("STOP"),
            tokens: [11, 7],
            error: None,
        },
        Spoken {
            provider: "ui-messages",
            request: chat.clone(),
            events: &[
                r#"{"type":"start","messageId":"u1"}"#,
                r#"{"type":"reasoning-delta","id":"r","delta":"Hm."}"#,
                r#"{"type":"text-delta","id":"p","delta":"Let me look."}"#,
                r#"{"type":"tool-input-available","toolCallId":"call_a","toolName":"weather","input":{"city":"Paris"}}"#,
                r#"{"type":"finish","finishReason":"tool-calls","messageMetadata":{"usage":{"inputTokens":11,"outputTokens":7}}}"#,
                "[DONE]",
            ],
            outputs: answer("tool-calls"),
            tokens: [11, 7],
            error: None,
        },
        Spoken {
            provider: "data-stream",
            request: chat.clone(),
            events: &[
                r#"g:"Hm.""#,
                r#"0:"Let me look.""#,
                r#"9:{"toolCallId":"call_a","toolName":"weather","args":{"city":"Paris"}}"#,
                r#"d:{"finishReason":"tool-calls","usage":{"promptTokens":11,"completionTokens":7}}"#,
            ],
            outputs: answer("tool-calls"),
            tokens: [11, 7],
            error: None,
        },
        Spoken {
            provider: "openai",
            request: chat,
            events: &[
                r#"{"choices":[{"index":0,"delta":{"content":"Half an"}}],"usage":{"prompt_tokens":11,"completion_tokens":2}}"#,
                r#"{"error":{"type":"server_error","message":"The server had an error"}}"#,
            ],
            outputs: json!({"role": "assistant", "content": "Half an"}),
            tokens: [11, 2],
            error: Some("server_error: The server had an error"),
        },
    ]
}

#[test]
fn each_format_reads_as_one_expects_where_it_has_arrived() {
    let (server, tracer) = connected();
    for call in spoken() {
        let Spoken {
            provider,
            request,
            events,
            outputs,
            tokens,
            error,
        } = call;
        let session = tracer.create_session(provider);
        session.in_scope(|| {
            let call = tracer
                .model_call(provider, "")
                .request(request.to_string())
                .start();
            let line = |it: &&str| match it.as_bytes()[1] {
                b':' => format!("{it}\n"),
                _ => format!("data: {it}\n\n"),
            };
            let items: Vec<_> = events.iter().map(line).map(Ok::<_, Infallible>).collect();
            drain(call.record_bytes(stream::iter(items)));
        });
        flush(&tracer);
        let arrived = server.events(&session.id().to_string());
        let event = arrived.iter().find(|it| it.event_type == "model").unwrap();
        let asked = event.inputs["chat_history"]
            .as_array()
            .unwrap()
            .last()
            .unwrap();
        assert_eq!(
            *asked,
            json!({"role": "user", "content": "Weather in Paris?"}),
            "{provider}"
        );
        assert_eq!(json!(event.outputs), outputs, "{provider}");
        let counts = ["input_tokens", "output_tokens"].map(|name| event.metadata[name].as_u64());
        assert_eq!(counts, tokens.map(Some), "{provider}");
        assert!(
            event.metadata["time_to_first_token_ms"].as_f64().is_some(),
            "{provider}"
        );
        assert_eq!(event.error.as_deref(), error, "{provider}");
    }
    drop(tracer.shutdown_blocking(PATIENCE));
}
