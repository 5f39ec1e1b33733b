//! Messages of models have any shape: their text arrives, and nothing else is lost over it.
//!
//! The property is tried for a moment; `HH_FUZZ_SECONDS=3600 cargo test -p integration-tests --test sdk messages::` tries
//! it for an hour.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use honeyhive::opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use honeyhive::opentelemetry::{Array, KeyValue, StringValue, Value as Attribute};
use honeyhive::testing;
use integration_tests::fuzz::holds;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Members that may be anything hold this word.
const SAID: &str = "zebra";
/// Only the members that have to be understood hold this word.
const LOOKED_FOR: &str = "quokka";

/// Generates any JSON, with names that messages have had.
fn anything() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 40] = [
        "role",
        "content",
        "parts",
        "type",
        "text",
        "message",
        "messages",
        "choices",
        "delta",
        "tool_calls",
        "tool_call",
        "function",
        "name",
        "arguments",
        "id",
        "tool_call_id",
        "response",
        "result",
        "output",
        "outputs",
        "input",
        "image_url",
        "url",
        "source",
        "data",
        "mime_type",
        "candidates",
        "finish_reason",
        "kwargs",
        "lc",
        "value",
        "inlineData",
        "functionCall",
        "functionResponse",
        "toolUse",
        "toolResult",
        "message_content",
        "refusal",
        "audio",
        "x",
    ];
    const TYPES: [&str; 14] = [
        "text",
        "tool_call",
        "tool_call_response",
        "tool_use",
        "tool_result",
        "image_url",
        "blob",
        "uri",
        "message",
        "human",
        "ai",
        "function_call",
        "function_call_output",
        "novel",
    ];
    let leaf = prop_oneof![
        3 => Just(json!(SAID)),
        2 => prop::sample::select(&TYPES[..]).prop_map(Value::from),
        1 => "[a-z\"{\\[\\\\ ]{0,6}".prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(6, 64, 5, |inner| {
        let name = prop::sample::select(&NAMES[..]);
        let entries = proptest::collection::vec((name, inner.clone()), 0..5);
        prop_oneof![
            2 => entries.prop_map(|entries| {
                let owned = entries.into_iter().map(|(name, value)| (name.to_owned(), value));
                Value::Object(Map::from_iter(owned))
            }),
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            // The text is JSON that was written as a text, once or twice.
            1 => inner.prop_map(|inner| Value::from(inner.to_string())),
        ]
    })
}

/// Generates written forms of a message: whole, cut, with half an emoji or a mark before it.
fn written() -> impl Strategy<Value = String> {
    (anything(), 0_usize..8, 0_usize..20).prop_map(|(value, how, cut)| {
        let text = value.to_string();
        match how {
            0 => format!("\u{feff}{text}"),
            1 => text.replace(SAID, r"zebra \ud83d"),
            2 => text
                .chars()
                .take(text.chars().count() - cut.min(text.len()))
                .collect(),
            3 => text.replace("true", "NaN"),
            4 => format!("plain {text}"),
            _ => text,
        }
    })
}

/// Generates a message that is certainly understood, beside one that may be anything.
fn understood() -> impl Strategy<Value = Value> {
    let said = || Just(LOOKED_FOR);
    prop_oneof![
        said().prop_map(|said| json!({"role": "user", "content": said})),
        said()
            .prop_map(|said| json!({"role": "user", "parts": [{"type": "text", "content": said}]})),
        said().prop_map(
            |said| json!({"role": "user", "content": [{"type": "input_text", "text": said}]})
        ),
        said().prop_map(|said| json!({"message": {"content": {"text": said}}})),
        said().prop_map(|said| json!({"role": "tool", "content": {"rows": [said]}})),
        said().prop_map(|said| json!({"role": "x", "novel": {"deep": said}})),
        said().prop_map(Value::from),
    ]
}

const KEYS: [&str; 16] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.prompt.0.content",
    "gen_ai.completion.0.tool_calls.0",
    "llm.input_messages.0.message.contents.0.message_content",
    "llm.output_messages.0.message",
    "llm.prompts.0",
    "langfuse.observation.input",
    "traceloop.entity.output",
    "input.value",
    "output.value",
];

#[test]
fn whatever_messages_look_like_the_span_arrives_and_what_was_said_is_shown() {
    let attribute = (prop::sample::select(&KEYS[..]), written(), any::<bool>());
    let attributes = proptest::collection::vec(attribute, 0..6);
    let inputs = (attributes, anything(), understood(), any::<bool>());
    holds(&inputs, |(attributes, any, understood, is_first)| {
        let (tracer, captured) = testing::tracer();
        let session = tracer.create_session("chat");
        let foreign = tracer.provider().tracer("some-client");
        // A message that cannot be understood takes nothing of its neighbours along.
        let list = match is_first {
            true => json!([understood, any]),
            false => json!([any, understood]),
        };
        session.in_scope(|| {
            let mut span = foreign.start("anything");
            for (key, text, as_list) in attributes {
                let value = match as_list {
                    true => Attribute::Array(Array::String(vec![
                        StringValue::from(text.clone()),
                        text.into(),
                    ])),
                    false => text.into(),
                };
                span.set_attribute(KeyValue::new(key, value));
            }
            span.add_event(
                "gen_ai.choice",
                vec![KeyValue::new("message", any.to_string())],
            );
            drop(span);

            for key in ["gen_ai.input.messages", "gen_ai.output.messages"] {
                let mut span = foreign.start(key);
                span.set_attribute(KeyValue::new(key, list.to_string()));
            }
        });
        let session = captured.only_session();
        prop_assert_eq!(session.events.len(), 3);
        for key in ["gen_ai.input.messages", "gen_ai.output.messages"] {
            let shown = session.event(key).attributes.iter().any(|(name, value)| {
                let is_shown =
                    name.starts_with("honeyhive_inputs.") || name.starts_with("honeyhive_outputs.");
                is_shown && value.as_str().contains(LOOKED_FOR)
            });
            prop_assert!(shown, "{key}: {}", list);
        }
        prop_assert_eq!(tracer.stats().callback_panics, 0);
        Ok(())
    });
}

/// The table has attributes of foreign instrumentations, and the fields that show them; honeyhive-local's tests read
/// it, too.
const EXAMPLES: &str = include_str!("../../gen-ai-examples.json");

fn attribute(value: &Value) -> Attribute {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().unwrap().into(),
        },
        Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().unwrap().to_owned());
            Attribute::Array(Array::String(texts.map(StringValue::from).collect()))
        }
        text => text.as_str().unwrap().to_owned().into(),
    }
}

/// The SDK lays out the messages of models and tools: all else of a foreign span is HoneyHive's to read.
#[test]
fn each_example_of_messages_is_shown_as_honeyhive_local_shows_it() {
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
    let mut compared = 0;
    for example in examples
        .iter()
        .filter(|example| example["event"]["event_type"] != "chain")
    {
        let (tracer, captured) = testing::tracer();
        let foreign = tracer.provider().tracer("some-client");
        tracer.create_session("chat").in_scope(|| {
            let mut span = foreign.start("example");
            for (key, value) in example["attributes"].as_object().unwrap() {
                span.set_attribute(KeyValue::new(key.clone(), attribute(value)));
            }
        });
        let session = captured.only_session();
        let event = session.event("example");
        let expected = example["event"]["event_type"].as_str().unwrap();
        assert_eq!(event.event_type, expected, "{}", example["name"]);
        for (field, bucket) in [("inputs", &event.inputs), ("outputs", &event.outputs)] {
            let expected = example["event"][field].as_object();
            for (key, value) in expected.into_iter().flatten() {
                let name = &example["name"];
                assert_eq!(bucket.get(key), Some(value), "{name}: {field}.{key}");
                compared += 1;
            }
        }
    }
    assert!(compared > 20, "{compared}");
}
