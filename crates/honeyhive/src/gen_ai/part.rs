//! A message consists of pieces: texts, calls of tools, answers of tools, and marks for what is binary.

use serde_json::{Value as Json, json};

use super::shape::{find, is_chat_item};
use super::{binary, lenient};

/// Values within each other are looked through to this depth.
pub(super) const DEPTH: usize = 8;

/// The pieces make up a message.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) texts: Vec<String>,
    pub(super) calls: Vec<Json>,
    pub(super) answers: Vec<Answer>,
    /// The flag tells whether thoughts were found, which are not shown: they are no part of the conversation.
    pub(super) has_thoughts: bool,
}

/// A tool gives an answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) call: Option<Json>,
    pub(super) text: String,
}

impl Pieces {
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
            && self.calls.is_empty()
            && self.answers.is_empty()
            && !self.has_thoughts
    }

    /// Takes the content of a message, of any type.
    pub(super) fn take(&mut self, content: &Json, depth: usize) {
        match content {
            Json::Null => {}
            Json::String(text) => self.take_text(text, depth),
            Json::Array(parts) => parts.iter().for_each(|part| self.take(part, depth + 1)),
            Json::Object(_) if depth < DEPTH => self.take_part(content, depth),
            other => self.texts.push(other.to_string()),
        }
    }

    /// Takes a text, which may be a list of parts that was written as one.
    fn take_text(&mut self, text: &str, depth: usize) {
        let is_list = depth < DEPTH && text.trim_start().starts_with("[{");
        match is_list.then(|| lenient::read(text)).flatten() {
            Some(Json::Array(parts)) if parts.iter().all(is_part) => {
                parts.iter().for_each(|part| self.take(part, depth + 1));
            }
            _ => self.texts.push(text.to_owned()),
        }
    }

    fn take_part(&mut self, part: &Json, depth: usize) {
        // OpenInference has each part in an object of its own.
        if let Some(inner) = part.get("message_content").filter(|it| it.is_object()) {
            return self.take_part(inner, depth + 1);
        }
        let kind = part.get("type").and_then(Json::as_str).unwrap_or_default();
        if is_thought(kind) || find(part, &["reasoningContent", "thought_signature"]).is_some() {
            self.has_thoughts = true;
        } else if let Some(answer) = answer_of(part, kind) {
            self.answers.push(answer);
        } else if let Some(call) = call_of(part, kind) {
            self.calls.push(call);
        } else if let Some(text) = binary::text(part) {
            self.take(text, depth + 1);
        } else if let Some(mark) = binary::mark(part) {
            self.texts.push(mark);
        } else {
            self.take_text_part(part, depth);
        }
    }

    fn take_text_part(&mut self, part: &Json, depth: usize) {
        const TEXTS: [&str; 10] = [
            "text",
            "content",
            "value",
            "refusal",
            "transcript",
            "parts",
            "output_text",
            "input_text",
            "json",
            "data",
        ];
        match find(part, &TEXTS) {
            Some(text) => self.take(text, depth + 1),
            // A part in an unknown form is shown as JSON.
            None if part.as_object().is_some_and(|it| it.is_empty()) => {}
            None => self.texts.push(part.to_string()),
        }
    }
}

/// Returns whether a value is a part of a message.
pub(super) fn is_part(value: &Json) -> bool {
    const NAMES: [&str; 12] = [
        "type",
        "text",
        "inlineData",
        "inline_data",
        "fileData",
        "functionCall",
        "functionResponse",
        "function_call",
        "function_response",
        "toolUse",
        "toolResult",
        "message_content",
    ];
    // Objects that LangChain serialises have a `type`, too, and are no parts.
    let is_part = value.is_object() && value.get("kwargs").is_none();
    is_part && !is_chat_item(value) && find(value, &NAMES).is_some()
}

fn is_thought(kind: &str) -> bool {
    matches!(
        kind,
        "reasoning" | "redacted_thinking" | "thinking" | "thought"
    )
}

pub(super) fn is_call(part: &Json) -> bool {
    let kind = part.get("type").and_then(Json::as_str).unwrap_or_default();
    call_of(part, kind).is_some()
}

const CALL_HOLDERS: [&str; 6] = [
    "functionCall",
    "function_call",
    "toolCall",
    "toolUse",
    "tool_call",
    "tool_use",
];

const CALL_KINDS: [&str; 10] = [
    "custom_tool_call",
    "function",
    "function_call",
    "mcp_call",
    "server_tool_call",
    "server_tool_use",
    "tool-call",
    "toolCall",
    "tool_call",
    "tool_use",
];

/// Returns the call of a tool in the chat view's form.
pub(super) fn call_of(part: &Json, kind: &str) -> Option<Json> {
    let holder = find(part, &CALL_HOLDERS).filter(|it| it.is_object());
    if holder.is_none() && !CALL_KINDS.contains(&kind) {
        return None;
    }
    let call = holder.unwrap_or(part);
    let function = call
        .get("function")
        .filter(|it| it.is_object())
        .unwrap_or(call);
    let id = find(
        call,
        &[
            "id",
            "call_id",
            "tool_call_id",
            "toolCallId",
            "toolUseId",
            "tool_use_id",
        ],
    )
    .or_else(|| part.get("id"));
    let name = find(function, &["name", "toolName", "tool_name"]);
    let arguments = find(
        function,
        &["arguments", "input", "args", "parameters", "arguments_json"],
    );
    Some(json!({
        "id": id,
        "name": name,
        "arguments": arguments.map(as_text),
    }))
}

const ANSWER_HOLDERS: [&str; 5] = [
    "functionResponse",
    "function_response",
    "toolResult",
    "tool_result",
    "tool_response",
];

const ANSWER_KINDS: [&str; 11] = [
    "custom_tool_call_output",
    "function_call_output",
    "function_response",
    "mcp_tool_result",
    "server_tool_call_response",
    "tool-result",
    "toolResult",
    "tool_call_output",
    "tool_call_response",
    "tool_response",
    "tool_result",
];

/// Returns the answer of a tool, as text unless it is an object or a list.
pub(super) fn answer_of(part: &Json, kind: &str) -> Option<Answer> {
    let holder = find(part, &ANSWER_HOLDERS).filter(|it| it.is_object());
    let is_typed =
        ANSWER_KINDS.contains(&kind) || (kind.ends_with("_tool_result") && kind.len() > 12);
    if holder.is_none() && !is_typed {
        return None;
    }
    let answer = holder.unwrap_or(part);
    let call = find(
        answer,
        &[
            "id",
            "tool_use_id",
            "toolUseId",
            "call_id",
            "tool_call_id",
            "toolCallId",
            "name",
        ],
    );
    let said = find(
        answer,
        &[
            "response",
            "result",
            "content",
            "output",
            "server_tool_call_response",
            "value",
        ],
    );
    Some(Answer {
        call: call.cloned(),
        text: said.map_or_else(String::new, answered),
    })
}

/// Returns the answer of a tool as text: parts as their texts, anything else as it is.
pub(super) fn answered(said: &Json) -> String {
    match said {
        Json::Array(parts) if !parts.is_empty() && parts.iter().all(is_part) => {
            let mut pieces = Pieces::default();
            pieces.take(said, 1);
            pieces.texts.join("\n")
        }
        other => as_text(other),
    }
}

/// Returns a text as it is, anything else as JSON.
pub(super) fn as_text(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
