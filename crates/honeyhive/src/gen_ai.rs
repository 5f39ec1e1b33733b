//! Messages and tool calls of the GenAI conventions, put where HoneyHive shows them.
//!
//! The conventions keep them as JSON text, in a form that has changed from version to version; HoneyHive's
//! chat view reads `inputs.chat_history` and `outputs.role`, `.content`, `.tool_calls`. What the conventions say
//! stays beside it, and what the program has said itself is never replaced.

use std::collections::HashSet;

use opentelemetry::{KeyValue, Value as Attribute};
use serde_json::{Map, Value as Json, json};

use crate::attributes::{
    GEN_AI_COMPLETION, GEN_AI_INPUT_MESSAGES, GEN_AI_OUTPUT_MESSAGES, GEN_AI_PROMPT,
    GEN_AI_SYSTEM_INSTRUCTIONS, GEN_AI_TOOL_ARGUMENTS, GEN_AI_TOOL_RESULT, GEN_AI_USAGE_PREFIX,
    MAX_ATTRIBUTES, gen_ai_content,
};
use crate::model::flatten::{at_most, flatten};
use crate::model::object::{Bucket, Object};

/// Adds what the conventions say went in and came out, as far as the span has room.
pub(crate) fn place(attributes: &mut Vec<KeyValue>) {
    attributes.iter_mut().for_each(count_tokens);
    if !attributes.iter().any(|it| gen_ai_content(it.key.as_str())) {
        return;
    }
    for (bucket, found) in [
        (Bucket::Inputs, inputs(attributes)),
        (Bucket::Outputs, outputs(attributes)),
    ] {
        let said = names_in(bucket, attributes);
        for (name, value) in found {
            if said.contains(&name) || attributes.len() > MAX_ATTRIBUTES {
                continue;
            }
            let key = format!("{}.{name}", bucket.attribute_prefix());
            // One too many, so that it is seen and marked.
            let room = (MAX_ATTRIBUTES + 1).saturating_sub(attributes.len());
            let _ = flatten(
                key.into(),
                value,
                &mut at_most(room, |it| attributes.push(it)),
            );
        }
    }
}

/// What the program has said of a bucket: the first part of each of its keys.
fn names_in(bucket: Bucket, attributes: &[KeyValue]) -> HashSet<String> {
    let prefix = bucket.attribute_prefix();
    let names = attributes.iter().filter_map(|attribute| {
        let rest = attribute.key.as_str().strip_prefix(prefix)?;
        rest.strip_prefix('.')?.split('.').next()
    });
    names.map(str::to_owned).collect()
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

fn inputs(attributes: &[KeyValue]) -> Object {
    let mut inputs = match read(attributes, GEN_AI_TOOL_ARGUMENTS) {
        Some(Json::Object(arguments)) => arguments,
        Some(other) => Map::from_iter([("arguments".to_owned(), other)]),
        None => Map::new(),
    };
    if let Some(Json::Array(messages)) = read(attributes, GEN_AI_INPUT_MESSAGES) {
        let system = read(attributes, GEN_AI_SYSTEM_INSTRUCTIONS)
            .map(|parts| json!({"role": "system", "content": parts}));
        let history = system.iter().chain(&messages).flat_map(shown);
        inputs.insert("chat_history".to_owned(), history.map(Json::from).collect());
    } else if let Some(prompt) = text(attributes, GEN_AI_PROMPT) {
        inputs.insert("prompt".to_owned(), prompt.into());
    }
    inputs
}

fn outputs(attributes: &[KeyValue]) -> Object {
    let mut outputs = Map::new();
    if let Some(result) = read(attributes, GEN_AI_TOOL_RESULT) {
        outputs.insert("result".to_owned(), result);
    }
    if let Some(Json::Array(messages)) = read(attributes, GEN_AI_OUTPUT_MESSAGES) {
        let mut messages: Vec<_> = messages.iter().flat_map(shown).collect();
        match messages.len() {
            1 => outputs.extend(messages.remove(0)),
            _ => drop(outputs.insert("chat_history".to_owned(), messages.into())),
        }
    } else if let Some(text) = text(attributes, GEN_AI_COMPLETION) {
        outputs.insert("text".to_owned(), text.into());
    }
    outputs
}

/// The attribute as JSON, or as the text that it is.
fn read(attributes: &[KeyValue], key: &str) -> Option<Json> {
    let text = text(attributes, key)?;
    Some(serde_json::from_str(text).unwrap_or_else(|_| text.into()))
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let attribute = attributes.iter().rfind(|it| it.key.as_str() == key)?;
    match &attribute.value {
        Attribute::String(text) => Some(text.as_str()),
        _ => None,
    }
}

/// A message as the chat view reads it. Its content is a text, or parts under either name. Each answer of a tool
/// in it is a message of its own.
fn shown(message: &Json) -> Vec<Object> {
    let Some(role) = message.get("role").and_then(Json::as_str) else {
        return Vec::new();
    };
    let mut shown = Shown::default();
    match message.get("parts").or_else(|| message.get("content")) {
        Some(Json::String(text)) => shown.texts.push(text.clone()),
        Some(Json::Array(parts)) => parts.iter().for_each(|part| shown.take(part)),
        _ => {}
    }
    if let Some(Json::Array(more)) = message.get("tool_calls") {
        shown.calls.extend(more.iter().cloned());
    }
    shown.into_messages(role, message.get("finish_reason"))
}

/// The pieces of a message.
#[derive(Default)]
struct Shown {
    texts: Vec<String>,
    calls: Vec<Json>,
    answers: Vec<(Option<Json>, String)>,
}

impl Shown {
    fn take(&mut self, part: &Json) {
        let kind = part.get("type").and_then(Json::as_str).unwrap_or("text");
        let find = |keys: [&str; 2]| keys.iter().find_map(|key| part.get(key));
        match kind {
            // What the model thought is no part of the conversation.
            "reasoning" => {}
            "tool_call" => self.calls.push(json!({
                "id": part.get("id"),
                "name": part.get("name"),
                "arguments": part.get("arguments").map(as_text),
            })),
            "tool_call_response" => {
                let answer = find(["response", "result"]).map(as_text);
                self.answers
                    .push((part.get("id").cloned(), answer.unwrap_or_default()));
            }
            _ => {
                let text = find(["content", "text"]).and_then(Json::as_str);
                self.texts
                    .push(text.map_or_else(|| format!("[{kind}]"), str::to_owned));
            }
        }
    }

    fn into_messages(self, role: &str, finish_reason: Option<&Json>) -> Vec<Object> {
        let with_role = || Map::from_iter([("role".to_owned(), Json::from(role))]);
        let mut messages: Vec<_> = self
            .answers
            .into_iter()
            .map(|(id, text)| {
                let mut message = with_role();
                message.insert("content".to_owned(), text.into());
                message.extend(id.map(|id| ("tool_call_id".to_owned(), id)));
                message
            })
            .collect();
        let mut message = with_role();
        if !self.texts.is_empty() {
            message.insert("content".to_owned(), self.texts.join("\n").into());
        }
        if !self.calls.is_empty() {
            message.insert("tool_calls".to_owned(), self.calls.into());
        }
        if let Some(reason) = finish_reason {
            message.insert("finish_reason".to_owned(), reason.clone());
        }
        if messages.is_empty() || message.len() > 1 {
            messages.push(message);
        }
        messages
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
    fn what_a_model_writes_is_text_whatever_it_looks_like() {
        for looks_like in ["1.10", "null", "[]", "{\"k\": 1}"] {
            let before = [(GEN_AI_COMPLETION, json!(looks_like))];
            assert_eq!(
                added(&before),
                pairs(&[("honeyhive_outputs.text", looks_like)])
            );
        }
    }

    #[test]
    fn each_answer_of_a_tool_is_a_message_and_unknown_parts_show_their_text() {
        let before = [(
            GEN_AI_INPUT_MESSAGES,
            json!([{"role": "tool", "parts": [
                {"type": "tool_call_response", "id": "1", "result": "a"},
                {"type": "tool_call_response", "id": "2", "result": "b"},
            ]}, {"role": "user", "content": [{"type": "input_text", "text": "hello"}]}]),
        )];
        let added = added(&before);
        for expected in pairs(&[
            ("honeyhive_inputs.chat_history.0.tool_call_id", "1"),
            ("honeyhive_inputs.chat_history.1.tool_call_id", "2"),
            ("honeyhive_inputs.chat_history.1.content", "b"),
            ("honeyhive_inputs.chat_history.2.content", "hello"),
        ]) {
            assert!(added.contains(&expected), "{expected:?} in {added:?}");
        }
    }

    #[test]
    fn a_history_without_end_takes_as_many_attributes_as_there_are() {
        let messages: Vec<_> = (0..3_000)
            .map(|turn| json!({"role": "user", "content": turn.to_string()}))
            .collect();
        let before = [(GEN_AI_INPUT_MESSAGES, Json::from(messages))];
        assert_eq!(added(&before).len(), MAX_ATTRIBUTES);
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
