//! Messages and tool calls of the GenAI conventions, put where HoneyHive shows them.
//!
//! The conventions keep them as JSON text, in a form that has changed from version to version; HoneyHive's
//! chat view reads `inputs.chat_history` and `outputs.role`, `.content`, `.tool_calls`. What the conventions say
//! stays beside it, and what the program has said itself is never replaced.

use opentelemetry::{KeyValue, Value as Attribute};
use serde_json::{Map, Value as Json, json};

use crate::attributes::{
    GEN_AI_COMPLETION, GEN_AI_INPUT_MESSAGES, GEN_AI_OUTPUT_MESSAGES, GEN_AI_PROMPT,
    GEN_AI_SYSTEM_INSTRUCTIONS, GEN_AI_TOOL_ARGUMENTS, GEN_AI_TOOL_RESULT, GEN_AI_USAGE_PREFIX,
};
use crate::enrichment::{Bucket, Object};
use crate::span::flatten;

/// Adds what the conventions say went in and came out.
pub(crate) fn place(attributes: &mut Vec<KeyValue>) {
    attributes.iter_mut().for_each(count_tokens);
    if !attributes.iter().any(is_content) {
        return;
    }
    for (bucket, found) in [
        (Bucket::Inputs, inputs(attributes)),
        (Bucket::Outputs, outputs(attributes)),
    ] {
        for (key, value) in found {
            let key = format!("{}.{key}", bucket.attribute_prefix());
            let is_said = |it: &KeyValue| begins_with(it.key.as_str(), &key);
            if !attributes.iter().any(is_said) {
                flatten(key.into(), value, &mut |it| attributes.push(it));
            }
        }
    }
}

/// Token counts that came as text, as `tracing-opentelemetry` writes unsigned numbers: HoneyHive adds them up.
fn count_tokens(attribute: &mut KeyValue) {
    if attribute.key.as_str().starts_with(GEN_AI_USAGE_PREFIX)
        && let Attribute::String(text) = &attribute.value
        && let Ok(tokens) = text.as_str().parse::<i64>()
    {
        attribute.value = tokens.into();
    }
}

fn is_content(attribute: &KeyValue) -> bool {
    [
        GEN_AI_INPUT_MESSAGES,
        GEN_AI_OUTPUT_MESSAGES,
        GEN_AI_TOOL_ARGUMENTS,
        GEN_AI_TOOL_RESULT,
        GEN_AI_PROMPT,
        GEN_AI_COMPLETION,
    ]
    .contains(&attribute.key.as_str())
}

/// True for the key itself and for what is below it.
fn begins_with(key: &str, prefix: &str) -> bool {
    key.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn inputs(attributes: &[KeyValue]) -> Object {
    let mut inputs = match read(attributes, GEN_AI_TOOL_ARGUMENTS) {
        Some(Json::Object(arguments)) => arguments,
        Some(other) => Map::from_iter([("arguments".to_owned(), other)]),
        None => Map::new(),
    };
    if let Some(Json::Array(messages)) = read(attributes, GEN_AI_INPUT_MESSAGES) {
        let system = read(attributes, GEN_AI_SYSTEM_INSTRUCTIONS)
            .map(|parts| json!({"role": "system", "content": parts}));
        let history = system.iter().chain(&messages).filter_map(message);
        inputs.insert("chat_history".to_owned(), history.map(Json::from).collect());
    } else if let Some(prompt) = read(attributes, GEN_AI_PROMPT) {
        inputs.insert("prompt".to_owned(), prompt);
    }
    inputs
}

fn outputs(attributes: &[KeyValue]) -> Object {
    let mut outputs = Map::new();
    if let Some(result) = read(attributes, GEN_AI_TOOL_RESULT) {
        outputs.insert("result".to_owned(), result);
    }
    if let Some(Json::Array(messages)) = read(attributes, GEN_AI_OUTPUT_MESSAGES) {
        let mut messages: Vec<_> = messages.iter().filter_map(message).collect();
        match messages.len() {
            1 => outputs.extend(messages.remove(0)),
            _ => drop(outputs.insert("chat_history".to_owned(), messages.into())),
        }
    } else if let Some(text) = read(attributes, GEN_AI_COMPLETION) {
        outputs.insert("text".to_owned(), text);
    }
    outputs
}

/// The attribute as JSON, or as the text that it is.
fn read(attributes: &[KeyValue], key: &str) -> Option<Json> {
    let attribute = attributes.iter().rfind(|it| it.key.as_str() == key)?;
    match &attribute.value {
        Attribute::String(text) => Some(
            serde_json::from_str(text.as_str())
                .unwrap_or_else(|_| Json::String(text.as_str().to_owned())),
        ),
        _ => None,
    }
}

/// A message as the chat view reads it. Its content is a text, or parts under either name.
fn message(message: &Json) -> Option<Object> {
    let role = message.get("role")?.as_str()?;
    let mut shown = Map::from_iter([("role".to_owned(), role.into())]);
    let parts = message.get("parts").or_else(|| message.get("content"));
    let mut texts = Vec::new();
    let mut calls = Vec::new();
    match parts {
        Some(Json::String(text)) => texts.push(text.clone()),
        Some(Json::Array(parts)) => {
            for part in parts {
                match part_of(part) {
                    Part::Text(text) => texts.push(text),
                    Part::Call(call) => calls.push(call),
                    Part::Answer { id, text } => {
                        texts.push(text);
                        shown.extend(id.map(|id| ("tool_call_id".to_owned(), id)));
                    }
                    Part::Hidden => {}
                }
            }
        }
        _ => {}
    }
    if let Some(Json::Array(more)) = message.get("tool_calls") {
        calls.extend(more.iter().cloned());
    }
    if !texts.is_empty() {
        shown.insert("content".to_owned(), texts.join("\n").into());
    }
    if !calls.is_empty() {
        shown.insert("tool_calls".to_owned(), calls.into());
    }
    if let Some(reason) = message.get("finish_reason") {
        shown.insert("finish_reason".to_owned(), reason.clone());
    }
    Some(shown)
}

/// A piece of a message.
enum Part {
    Text(String),
    Call(Json),
    Answer { id: Option<Json>, text: String },
    Hidden,
}

fn part_of(part: &Json) -> Part {
    let kind = part.get("type").and_then(Json::as_str).unwrap_or("text");
    let text = ["content", "text"]
        .iter()
        .find_map(|key| part.get(key)?.as_str());
    match (kind, text) {
        ("text", Some(text)) => Part::Text(text.to_owned()),
        ("tool_call", _) => Part::Call(json!({
            "id": part.get("id"),
            "name": part.get("name"),
            "arguments": part.get("arguments").map(as_text),
        })),
        ("tool_call_response", _) => Part::Answer {
            id: part.get("id").cloned(),
            text: ["response", "result"]
                .iter()
                .find_map(|key| part.get(key))
                .map(as_text)
                .unwrap_or_default(),
        },
        // What the model thought is no part of the conversation.
        ("reasoning", _) => Part::Hidden,
        _ => Part::Text(format!("[{kind}]")),
    }
}

/// A text as it is, anything else as JSON.
fn as_text(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is added to these attributes.
    fn added(before: &[(&'static str, Json)]) -> Vec<(String, String)> {
        let mut attributes: Vec<_> = before
            .iter()
            .map(|(key, value)| KeyValue::new(*key, as_text(value)))
            .collect();
        place(&mut attributes);
        let added = attributes.into_iter().skip(before.len());
        let mut added: Vec<_> = added
            .map(|it| (it.key.to_string(), it.value.as_str().into_owned()))
            .collect();
        added.sort();
        added
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        expected.iter().map(owned).collect()
    }

    #[test]
    fn messages_in_parts_become_the_chat_that_is_shown() {
        let before = [
            (
                GEN_AI_SYSTEM_INSTRUCTIONS,
                json!([{"type": "text", "content": "Be brief."}]),
            ),
            (
                GEN_AI_INPUT_MESSAGES,
                json!([
                    {"role": "user", "parts": [
                        {"type": "text", "content": "Weather?"},
                        {"type": "uri", "modality": "image", "uri": "https://x"},
                    ]},
                    {"role": "assistant", "parts": [
                        {"type": "reasoning", "content": "hm"},
                        {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}},
                    ]},
                    {"role": "tool", "parts": [
                        {"type": "tool_call_response", "id": "c1", "response": {"rain": true}},
                    ]},
                ]),
            ),
            (
                GEN_AI_OUTPUT_MESSAGES,
                json!([{"role": "assistant", "parts": [{"type": "text", "content": "Rain."}],
                        "finish_reason": "stop"}]),
            ),
        ];
        assert_eq!(
            added(&before),
            pairs(&[
                ("honeyhive_inputs.chat_history.0.content", "Be brief."),
                ("honeyhive_inputs.chat_history.0.role", "system"),
                ("honeyhive_inputs.chat_history.1.content", "Weather?\n[uri]"),
                ("honeyhive_inputs.chat_history.1.role", "user"),
                ("honeyhive_inputs.chat_history.2.role", "assistant"),
                (
                    "honeyhive_inputs.chat_history.2.tool_calls.0.arguments",
                    r#"{"city":"Paris"}"#
                ),
                ("honeyhive_inputs.chat_history.2.tool_calls.0.id", "c1"),
                (
                    "honeyhive_inputs.chat_history.2.tool_calls.0.name",
                    "weather"
                ),
                (
                    "honeyhive_inputs.chat_history.3.content",
                    r#"{"rain":true}"#
                ),
                ("honeyhive_inputs.chat_history.3.role", "tool"),
                ("honeyhive_inputs.chat_history.3.tool_call_id", "c1"),
                ("honeyhive_outputs.content", "Rain."),
                ("honeyhive_outputs.finish_reason", "stop"),
                ("honeyhive_outputs.role", "assistant"),
            ])
        );
    }

    #[test]
    fn the_shape_of_chat_apis_is_read_too_and_several_answers_are_a_list() {
        let before = [
            (
                GEN_AI_INPUT_MESSAGES,
                json!([{"role": "user", "content": "a"},
                       {"role": "user", "content": [{"type": "text", "text": "b"}]}]),
            ),
            (
                GEN_AI_OUTPUT_MESSAGES,
                json!([{"role": "assistant", "content": "1"}, {"role": "assistant", "content": "2"}]),
            ),
        ];
        let added = added(&before);
        for expected in pairs(&[
            ("honeyhive_inputs.chat_history.0.content", "a"),
            ("honeyhive_inputs.chat_history.1.content", "b"),
            ("honeyhive_outputs.chat_history.1.content", "2"),
        ]) {
            assert!(added.contains(&expected), "{expected:?} in {added:?}");
        }
    }

    #[test]
    fn tools_and_plain_prompts_have_inputs_and_outputs() {
        let tool = [
            (GEN_AI_TOOL_ARGUMENTS, json!({"city": "Paris", "days": 2})),
            (GEN_AI_TOOL_RESULT, json!("sunny")),
        ];
        assert_eq!(
            added(&tool),
            pairs(&[
                ("honeyhive_inputs.city", "Paris"),
                ("honeyhive_inputs.days", "2"),
                ("honeyhive_outputs.result", "sunny"),
            ])
        );
        let agent = [
            (GEN_AI_PROMPT, json!("go")),
            (GEN_AI_COMPLETION, json!("done")),
        ];
        assert_eq!(
            added(&agent),
            pairs(&[
                ("honeyhive_inputs.prompt", "go"),
                ("honeyhive_outputs.text", "done"),
            ])
        );
    }

    #[test]
    fn token_counts_are_numbers() {
        let mut attributes = vec![
            KeyValue::new("gen_ai.usage.input_tokens", "20"),
            KeyValue::new("gen_ai.usage.note", "many"),
            KeyValue::new("gen_ai.request.model", "4"),
        ];
        place(&mut attributes);
        let values: Vec<_> = attributes.into_iter().map(|it| it.value).collect();
        assert_eq!(values, [20.into(), "many".into(), "4".into()]);
    }

    #[test]
    fn what_the_program_has_said_stays_and_what_cannot_be_read_adds_nothing() {
        let said = [
            ("honeyhive_inputs.chat_history.0.role", json!("user")),
            (
                GEN_AI_INPUT_MESSAGES,
                json!([{"role": "user", "content": "a"}]),
            ),
        ];
        assert_eq!(added(&said), []);
        for unreadable in [json!("[{\"role\": \"us"), json!([1, {"no": "role"}])] {
            let before = [(GEN_AI_INPUT_MESSAGES, unreadable)];
            assert_eq!(added(&before), []);
        }
    }
}
