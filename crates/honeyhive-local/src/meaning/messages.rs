//! Messages in every shape that the conventions have had become those of the chat view: `role`, `content`,
//! `tool_calls`, `tool_call_id`, `finish_reason`.

use serde_json::{Map, Value, json};

use crate::model::Object;

/// The names under which a message's content is found.
const CONTENTS: [&str; 5] = ["parts", "content", "contents", "text", "value"];

/// The names under which a part's text is found.
const TEXTS: [&str; 4] = ["content", "text", "value", "data"];

/// Returns whether a value is a conversation: messages with roles, or an object that holds them.
pub(super) fn is_chat(value: &Value) -> bool {
    let has_role = |message: &Value| inner(message).get("role").is_some();
    match value {
        Value::Array(messages) => !messages.is_empty() && messages.iter().all(has_role),
        object => match object.get("messages") {
            Some(messages @ Value::Array(_)) => is_chat(messages),
            _ => has_role(object) && CONTENTS.iter().any(|name| object.get(name).is_some()),
        },
    }
}

/// Returns the messages that a value holds; one without a role gets `role`, and a value that is no message becomes the
/// content of one.
pub(super) fn chat(value: &Value, role: &str) -> Vec<Object> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(messages) => messages
            .iter()
            .flat_map(|message| shown(message, role))
            .collect(),
        Value::Object(object) => match object.get("messages") {
            Some(Value::Array(messages)) => messages
                .iter()
                .flat_map(|message| shown(message, role))
                .collect(),
            _ => shown(value, role),
        },
        other => shown(other, role),
    }
}

/// Returns a message as the chat view reads it. Each answer of a tool in it becomes a message of its own.
fn shown(message: &Value, usual: &str) -> Vec<Object> {
    let finish = ["finish_reason", "finishReason"]
        .iter()
        .find_map(|key| message.get(key));
    let message = inner(message);
    let role = message.get("role").and_then(Value::as_str).unwrap_or(usual);
    let mut pieces = Pieces::default();
    match CONTENTS.iter().find_map(|name| message.get(name)) {
        Some(content) => pieces.take_content(content),
        None if message.is_object() => {}
        None => pieces.take_content(message),
    }
    if let Some(Value::Array(calls)) = message.get("tool_calls") {
        pieces.calls.extend(calls.iter().map(call));
    }
    if let Some(call) = message
        .get("function_call")
        .or_else(|| message.get("tool_call"))
    {
        pieces.calls.push(call.clone());
    }
    let known = [
        "role",
        "tool_calls",
        "function_call",
        "tool_call",
        "finish_reason",
    ];
    let says_nothing = pieces.is_empty()
        && message.as_object().is_some_and(|fields| {
            let mut fields = fields.keys();
            fields.any(|key| !known.contains(&key.as_str()) && !CONTENTS.contains(&key.as_str()))
        });
    if says_nothing && message.get("role").is_none() {
        // A part that is not understood is shown as it is.
        pieces.texts.push(message.to_string());
    }
    let finish = finish.or_else(|| message.get("finish_reason"));
    let id = ["tool_call_id", "id"]
        .iter()
        .find_map(|key| message.get(key));
    let id = id.filter(|_| role == "tool");
    pieces.into_messages(role, id, finish)
}

/// Takes off the wrapping that OpenInference and the old events put around a message.
fn inner(message: &Value) -> &Value {
    match message.get("message") {
        Some(inner @ Value::Object(_)) => inner,
        _ => message,
    }
}

/// Returns a tool call without OpenInference's wrapping, which also names its function apart.
fn call(sent: &Value) -> Value {
    let Some(wrapped) = sent.get("tool_call") else {
        return sent.clone();
    };
    let function = &wrapped["function"];
    json!({
        "id": wrapped.get("id"),
        "name": function.get("name"),
        "arguments": function.get("arguments").map(as_text),
    })
}

#[derive(Default)]
struct Pieces {
    texts: Vec<String>,
    calls: Vec<Value>,
    answers: Vec<(Option<Value>, String)>,
}

impl Pieces {
    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.calls.is_empty() && self.answers.is_empty()
    }

    fn take_content(&mut self, content: &Value) {
        match content {
            Value::Null => {}
            Value::String(text) => self.texts.push(text.clone()),
            Value::Array(parts) => parts.iter().for_each(|part| self.take_part(part)),
            part @ Value::Object(_) => self.take_part(part),
            other => self.texts.push(other.to_string()),
        }
    }

    fn take_part(&mut self, part: &Value) {
        let part = part.get("message_content").unwrap_or(part);
        let find = |keys: &[&str]| keys.iter().find_map(|key| part.get(*key)).cloned();
        let id = find(&["id", "tool_call_id", "tool_use_id", "call_id"]);
        match part.get("type").and_then(Value::as_str).unwrap_or("text") {
            // The model's thoughts are no part of the conversation.
            "reasoning" | "thinking" | "redacted_thinking" => {}
            "tool_call" | "tool_use" | "function_call" => self.calls.push(json!({
                "id": id,
                "name": find(&["name", "tool_name"]),
                "arguments": find(&["arguments", "input", "args"]).as_ref().map(as_text),
            })),
            "tool_call_response" | "tool_result" | "function_call_output" => {
                let answer = find(&["response", "result", "output", "content"]);
                self.answers
                    .push((id, answer.as_ref().map(as_text).unwrap_or_default()));
            }
            kind => self.texts.push(text_of(part, kind)),
        }
    }

    fn into_messages(self, role: &str, id: Option<&Value>, finish: Option<&Value>) -> Vec<Object> {
        let with_role = || Map::from_iter([("role".to_owned(), Value::from(role))]);
        let mut messages: Vec<Object> = self
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
        message.extend(id.map(|id| ("tool_call_id".to_owned(), id.clone())));
        message.extend(finish.map(|reason| ("finish_reason".to_owned(), reason.clone())));
        if messages.is_empty() || message.len() > 1 {
            messages.push(message);
        }
        messages
    }
}

/// Returns the text of a part, or a mark with its kind where it has none.
fn text_of(part: &Value, kind: &str) -> String {
    if let Some(text) = part.as_str() {
        return text.to_owned();
    }
    let is_text = kind.contains("text");
    let text = TEXTS.iter().find_map(|key| part.get(key));
    match text {
        Some(Value::String(text)) if is_text => text.clone(),
        Some(inner @ Value::Object(_)) if is_text => {
            let inner_text = TEXTS
                .iter()
                .find_map(|key| inner.get(key))
                .and_then(Value::as_str);
            inner_text.map_or_else(|| inner.to_string(), str::to_owned)
        }
        _ if is_text => part.to_string(),
        _ => binary(part, kind),
    }
}

/// Describes a picture or a file by its kind and its address, without its bytes.
fn binary(part: &Value, kind: &str) -> String {
    let named = |key: &str| part.get(key).and_then(Value::as_str);
    let kind = named("modality").unwrap_or(kind);
    let address = ["uri", "url", "file_id"].into_iter().find_map(named);
    match address.filter(|address| !address.starts_with("data:")) {
        Some(address) => format!("[{kind}: {address}]"),
        None => format!("[{kind}]"),
    }
}

/// Returns a text as it is, and any other value as JSON.
fn as_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
