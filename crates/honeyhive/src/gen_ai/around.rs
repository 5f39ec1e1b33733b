//! Messages are found in the objects that hold them: answers of APIs, and requests with more than messages in them.

use serde_json::Value as Json;

use super::shape::{find, is_chat_item};

/// The messages of an object have one of these names.
const HOLDERS: [&str; 12] = [
    "messages",
    "choices",
    "candidates",
    "generations",
    "chat_history",
    "history",
    "input_messages",
    "output_messages",
    "output",
    "outputs",
    "contents",
    "response",
];
/// These members of a request may hold a text.
const ASKED: [&str; 3] = ["input", "inputs", "prompt"];
/// These members hold the earlier messages of the text beside them.
const BEFORE: [&str; 3] = ["messages", "chat_history", "history"];
const INSTRUCTIONS: [&str; 6] = [
    "system",
    "instructions",
    "systemInstruction",
    "system_instruction",
    "system_prompt",
    "preamble",
];
const QUESTIONS: [&str; 5] = ["message", "question", "query", "input", "prompt"];
const ANSWERS: [&str; 5] = ["text", "answer", "response", "output", "output_text"];

/// Returns whether a value is one message, or a list of them, and nothing else.
pub(super) fn is_chat(value: &Json) -> bool {
    match value {
        Json::Array(items) => !items.is_empty() && items.iter().all(is_chat_item),
        Json::Object(_) => is_chat_item(value) || around(value).is_some_and(is_chat),
        _ => false,
    }
}

/// Returns the messages in an object that is none itself.
fn around(value: &Json) -> Option<&Json> {
    // An empty list beside the answer holds no message.
    let holds = |inner: &&Json| match inner {
        Json::Array(items) => !items.is_empty(),
        inner => inner.is_object(),
    };
    // Titan's results have their texts under a name of its own; other results are no messages.
    let results = value.get("results").filter(|results| {
        let mut items = results.as_array().into_iter().flatten();
        items.any(|item| item.get("outputText").is_some())
    });
    let inner = HOLDERS.iter().filter_map(|name| value.get(*name));
    let mut inner = inner.chain(results);
    inner.find(holds).filter(|_| !is_message(value))
}

fn is_message(value: &Json) -> bool {
    find(value, &["role", "content"]).is_some()
}

/// Returns the parts of a request or an answer in the order of the conversation, each with its default role; none where
/// the object is a message itself. `role` is that of the object itself.
pub(super) fn held<'j>(value: &'j Json, role: &'j str) -> Vec<(&'j str, &'j Json)> {
    if is_message(value) {
        return Vec::new();
    }
    let is_request = role == "user";
    let instructions = find(value, &INSTRUCTIONS).filter(|it| is_request && !it.is_null());
    let messages = around(value).or_else(|| asked(value).filter(|_| is_request));
    let names = if is_request { &QUESTIONS } else { &ANSWERS };
    let mut texts = names.iter().filter_map(|name| value.get(*name));
    let text = texts.find(|it| it.is_string());
    // A text alone is no conversation, and one beside messages is new where those were said before.
    let text = text.filter(|text| match messages {
        Some(messages) => is_before(value, messages) && !ends_with(messages, text),
        None => instructions.is_some(),
    });
    let said: Vec<_> = messages.into_iter().chain(text).collect();
    if said.is_empty() {
        // Instructions alone are no conversation either.
        return Vec::new();
    }
    let instructions = instructions.map(|it| ("system", it));
    let said = said.into_iter().map(|it| (role, it));
    instructions.into_iter().chain(said).collect()
}

fn asked(value: &Json) -> Option<&Json> {
    let mut lists = ASKED.iter().filter_map(|name| value.get(*name));
    lists.find(|list| list.is_array() && is_chat(list))
}

/// Returns whether messages are the earlier ones of the text beside them.
fn is_before(value: &Json, messages: &Json) -> bool {
    let mut before = BEFORE.iter().filter_map(|name| value.get(*name));
    before.any(|it| std::ptr::eq(it, messages))
}

/// Returns whether the messages end with this text, as where an answer stands beside the history that holds it.
fn ends_with(messages: &Json, said: &Json) -> bool {
    let last = messages.as_array().and_then(|it| it.last());
    last.and_then(|it| find(it, &["content", "message", "text"])) == Some(said)
}
