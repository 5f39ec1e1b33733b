//! Messages are read from every shape that they have had, into the one of the chat view.

use serde_json::{Map, Value as Json};

use super::around::{held, is_chat};
use super::part::{DEPTH, Pieces, answered, as_text, call_of, is_call, is_part};
use super::shape::find;
use super::{binary, lenient};
use crate::model::object::Object;

/// Returns the messages in a value; `role` is the role of those without one.
pub(super) fn messages(value: &Json, role: &str) -> Vec<Object> {
    let mut shown = Vec::new();
    take(value, role, 0, &mut shown);
    if shown.len() > 1 {
        // Thoughts that are an item of their own leave a message of a role only, which is removed.
        shown.retain(|message| message.len() > 1);
    }
    shown
}

fn take(value: &Json, role: &str, depth: usize, shown: &mut Vec<Object>) {
    match value {
        Json::Null => {}
        Json::Array(items) if depth < DEPTH => match items.as_slice() {
            // LangChain writes pairs of a role and a text.
            [Json::String(who), said] if depth > 0 && role_by(who).is_some() => {
                take(said, role_by(who).unwrap_or(role), depth + 1, shown);
            }
            items if is_one_message(items, role) => {
                let mut message = Map::new();
                message.insert("content".to_owned(), value.clone());
                shown.extend(message_of(&Json::Object(message), role));
            }
            items => {
                for item in items {
                    take(item, role, depth + 1, shown);
                }
            }
        },
        Json::Object(_) if depth < DEPTH => {
            let held = held(value, role);
            if held.is_empty() {
                return shown.extend(message_of(value, role));
            }
            for (role, inner) in held {
                take(inner, role, depth + 1, shown);
            }
        }
        Json::String(text) => match lenient::read(text).filter(is_chat) {
            // The list's items are texts, each of which is a message.
            Some(message) if depth < DEPTH => take(&message, role, depth + 1, shown),
            _ => shown.push(said(role, text.clone())),
        },
        other => shown.push(said(role, other.to_string())),
    }
}

/// Returns whether a list holds the parts of one message. In a request, the calls of the responses API are messages of
/// their own.
fn is_one_message(items: &[Json], role: &str) -> bool {
    let is_other = |item: &Json| has_parts(item) || (role == "user" && is_call(item));
    !items.is_empty() && items.iter().all(|item| is_part(item) && !is_other(item))
}

/// Returns whether a seeming part is a message of the responses API.
fn has_parts(item: &Json) -> bool {
    item.get("type").and_then(Json::as_str) == Some("message")
}

fn said(role: &str, text: String) -> Object {
    Map::from_iter([
        ("role".to_owned(), role.into()),
        ("content".to_owned(), text.into()),
    ])
}

/// Returns a message from the object around it: a choice with its finish reason, an object with its kind.
fn message_of(value: &Json, role: &str) -> Vec<Object> {
    const HOLDERS: [&str; 5] = ["message", "delta", "body", "kwargs", "data"];
    let mut message = value;
    let mut places = vec![value];
    for _ in 0..DEPTH {
        match find(message, &HOLDERS).filter(|it| it.is_object()) {
            Some(inner) => {
                message = inner;
                places.insert(0, inner);
            }
            None => break,
        }
    }
    // Gemini has an object with the parts and the role.
    if let Some(inner) = message
        .get("content")
        .filter(|it| it.get("parts").is_some())
    {
        message = inner;
        places.insert(0, inner);
    }
    let at = |names: &[&str]| places.iter().find_map(|place| find(place, names));
    let kind = at(&["type"]).and_then(Json::as_str).unwrap_or_default();
    let mut pieces = Pieces::default();
    if is_part(message) && !has_parts(message) && message.get("role").is_none() {
        pieces.take(message, 1);
    } else {
        content_of(message, kind, &mut pieces);
    }
    if pieces.is_empty() && tells_more(message) {
        // A message in an unknown form is shown as JSON.
        pieces.texts.push(message.to_string());
    }
    // A message that calls a tool comes from a model.
    let is_lone_call = pieces.texts.is_empty() && !pieces.calls.is_empty();
    let usual = if is_lone_call { "assistant" } else { role };
    let role = role_of(&at).unwrap_or(usual);
    let finish_reason = at(&[
        "finish_reason",
        "stop_reason",
        "finishReason",
        "stopReason",
        "done_reason",
        "completionReason",
        "finish_reasons",
    ]);
    let call = at(&["tool_call_id", "toolCallId", "tool_use_id"]);
    into_messages(pieces, role, call, finish_reason)
}

fn role_of<'m>(at: &impl Fn(&[&str]) -> Option<&'m Json>) -> Option<&'m str> {
    let author = || {
        let author = at(&["author"])?;
        author.get("role").unwrap_or(author).as_str()
    };
    let role = at(&["role"]).and_then(Json::as_str).or_else(author);
    // LangChain names the class of a message as the last part of its id.
    let class = || at(&["id"])?.as_array()?.last();
    let kind = at(&["type"]).filter(|kind| *kind != "constructor");
    let by_kind = || role_by(kind.or_else(class)?.as_str()?);
    role.filter(|role| !role.is_empty()).or_else(by_kind)
}

/// Returns the role that the kind of a message implies.
fn role_by(kind: &str) -> Option<&str> {
    match kind {
        "assistant" | "developer" | "function" | "system" | "tool" | "user" => Some(kind),
        "human" | "HumanMessage" => Some("user"),
        "ai" | "AIMessage" | "AIMessageChunk" => Some("assistant"),
        "SystemMessage" => Some("system"),
        "ToolMessage" => Some("tool"),
        _ => None,
    }
}

/// A message's content has these names, in all known forms.
const CONTENTS: [&str; 18] = [
    "parts",
    "blocks",
    "content",
    "contents",
    "text",
    "message",
    "value",
    "output_text",
    "outputText",
    "inputText",
    "response",
    "output",
    "answer",
    "completion",
    "generated_text",
    "prompt",
    "query",
    "input",
];

/// Returns the first content that is not empty. An empty text or list counts only where there is nothing else.
fn said_in(message: &Json) -> Option<&Json> {
    /// So many names of the same meaning may stand beside each other.
    const ALIKE: usize = 5;
    let mut contents = CONTENTS.iter().filter_map(|name| message.get(*name));
    let first = contents.find(|content| !content.is_null())?;
    let is_empty = |it: &Json| match it {
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        other => other.is_null(),
    };
    if !is_empty(first) {
        return Some(first);
    }
    let mut others = CONTENTS[..ALIKE]
        .iter()
        .filter_map(|name| message.get(*name));
    others.find(|it| !is_empty(it)).or(Some(first))
}

fn content_of(message: &Json, kind: &str, pieces: &mut Pieces) {
    match said_in(message) {
        // The answer of a tool is text, even if it looks like JSON.
        Some(content)
            if kind == "tool" || message.get("role").and_then(Json::as_str) == Some("tool") =>
        {
            match content {
                Json::Array(_) => pieces.take(content, 1),
                other => pieces.texts.push(answered(other)),
            }
        }
        Some(content) => pieces.take(content, 1),
        None => {}
    }
    // Ollama has pictures beside the text.
    if let Some(Json::Array(images)) = message.get("images") {
        pieces.texts.extend(images.iter().filter_map(binary::image));
    }
    if let Some(text) = message.get("refusal").and_then(Json::as_str) {
        pieces.texts.push(text.to_owned());
    }
    if let Some(text) = message.pointer("/audio/transcript").and_then(Json::as_str) {
        pieces.texts.push(text.to_owned());
    }
    calls_of(message, &mut pieces.calls);
    pieces.has_thoughts |= find(message, &["reasoning_content", "reasoning", "thinking"]).is_some();
}

/// Adds the calls of tools that stand beside a message's content.
fn calls_of(message: &Json, calls: &mut Vec<Json>) {
    match find(message, &["tool_calls", "toolCalls"]) {
        Some(Json::Array(items)) => calls.extend(items.iter().map(one_call)),
        Some(Json::Object(_)) => calls.extend(message.get("tool_calls").map(one_call)),
        Some(Json::String(text)) => match lenient::read(text) {
            Some(Json::Array(items)) => calls.extend(items.iter().map(one_call)),
            _ => calls.push(text.as_str().into()),
        },
        _ => {}
    }
    if let Some(call) = message.get("function_call").filter(|it| it.is_object()) {
        calls.push(call.clone());
    }
    // OpenInference has the older form of a call in two attributes.
    if let Some(name) = message.get("function_call_name") {
        let arguments = message.get("function_call_arguments_json").map(as_text);
        calls.push(serde_json::json!({"name": name, "arguments": arguments}));
    }
}

/// Returns a call as it is, or without OpenInference's wrapper, or with the chat view's names instead of Vercel's.
fn one_call(call: &Json) -> Json {
    match find(call, &["tool_call", "toolName"]) {
        Some(_) => call_of(call, "tool-call").unwrap_or_else(|| call.clone()),
        None => call.clone(),
    }
}

/// Returns whether a message has anything besides its role.
fn tells_more(message: &Json) -> bool {
    const KNOWN: [&str; 14] = [
        "role",
        "type",
        "id",
        "index",
        "name",
        "finish_reason",
        "stop_reason",
        "finishReason",
        "status",
        "logprobs",
        "tool_call_id",
        "content",
        "parts",
        "refusal",
    ];
    match message {
        Json::Object(entries) => entries
            .iter()
            .any(|(name, value)| !value.is_null() && !KNOWN.contains(&name.as_str())),
        _ => false,
    }
}

fn into_messages(
    pieces: Pieces,
    role: &str,
    call: Option<&Json>,
    finish_reason: Option<&Json>,
) -> Vec<Object> {
    let with_role = |role: &str| Map::from_iter([("role".to_owned(), Json::from(role))]);
    let mut messages: Vec<_> = pieces
        .answers
        .into_iter()
        .map(|answer| {
            // An answer of a tool has the role `tool`, whatever role the message around it has.
            let mut message = with_role("tool");
            message.insert("content".to_owned(), answer.text.into());
            message.extend(answer.call.map(|call| ("tool_call_id".to_owned(), call)));
            message
        })
        .collect();
    let mut message = with_role(role);
    if !pieces.texts.is_empty() {
        message.insert("content".to_owned(), pieces.texts.join("\n").into());
    }
    if !pieces.calls.is_empty() {
        message.insert("tool_calls".to_owned(), pieces.calls.into());
    }
    if let Some(call) = call.filter(|_| messages.is_empty()) {
        message.insert("tool_call_id".to_owned(), call.clone());
    }
    if let Some(reason) = finish_reason {
        message.insert("finish_reason".to_owned(), reason.clone());
    }
    if messages.is_empty() || message.len() > 1 {
        messages.push(message);
    }
    messages
}
