//! Gemini's generated content comes in chunks, which are whole answers of their own, or as bodies.

use super::json::{Json, Text};
use super::reply::{Kind, Reply, replace};
use super::tools::CODE_EXECUTION;

/// Each of Gemini's APIs has its own names for its counts of tokens.
pub(super) struct CountNames {
    pub(super) prompt: &'static str,
    /// The answers of tools are counted beside the prompt.
    pub(super) from_tools: &'static str,
    pub(super) answer: &'static str,
    /// The thoughts are counted beside the answer.
    pub(super) thoughts: &'static str,
    /// The cached part of the prompt was in the cache.
    pub(super) cached: &'static str,
}

const COUNTS: CountNames = CountNames {
    prompt: "promptTokenCount",
    from_tools: "toolUsePromptTokenCount",
    answer: "candidatesTokenCount",
    thoughts: "thoughtsTokenCount",
    cached: "cachedContentTokenCount",
};

pub(super) fn take(reply: &mut Reply, event: Json<'_>) {
    reply.set_id(event.text_in("responseId"));
    reply.set_model(event.text_in("modelVersion"));
    for (position, candidate) in event.list("candidates").enumerate() {
        let index = candidate.number("index").unwrap_or(position as u64);
        if let Some(content) = candidate.get("content") {
            content
                .list("parts")
                .for_each(|part| take_part(reply, index, part));
        }
        reply.finish(index, candidate.text_in("finishReason"));
    }
    let blocked = event
        .get("promptFeedback")
        .and_then(|it| it.text_in("blockReason"));
    reply.finish(0, blocked);
    if let Some(usage) = event.get("usageMetadata") {
        take_usage(reply, usage, &COUNTS);
    }
}

fn take_part(reply: &mut Reply, choice: u64, part: Json<'_>) {
    if let Some(text) = part.text_in("text") {
        let is_thought = part.get("thought").is_some_and(|it| it.raw() == "true");
        let kind = if is_thought {
            Kind::Reasoning
        } else {
            Kind::Text
        };
        // Text after a tool call is a new text.
        let place = (reply.tool_calls(choice), 0);
        reply.push(choice, kind, place, text);
    }
    if let Some(inline) = part.get("inlineData") {
        take_data(reply, inline.text_in("mimeType"), inline.text_in("data"));
    }
    if let Some(call) = part.get("functionCall") {
        take_call(reply, choice, call);
    }
    take_code(reply, choice, part);
}

/// Counts a picture, or a piece of a voice.
pub(super) fn take_data(reply: &mut Reply, kind: Option<Text<'_>>, data: Option<Text<'_>>) {
    let kind = kind.map_or("", Text::written);
    if kind.starts_with("image/") {
        reply.images += 1;
    } else if let Some(voice) = data.filter(|_| kind.starts_with("audio/")) {
        reply.add_audio(voice);
    }
}

/// Takes code that the model has had run, and what came of it.
fn take_code(reply: &mut Reply, choice: u64, part: Json<'_>) {
    let calls = reply.tool_calls(choice);
    if let Some(code) = part.get("executableCode") {
        let name = Text::plain(CODE_EXECUTION);
        let call = reply.tool_call(choice, calls, code.text_in("id"), Some(name));
        if let (Some(call), Some(code)) = (call, code.get("code")) {
            reply.set_arguments(call, code);
        }
    }
    if let Some(done) = part.get("codeExecutionResult") {
        let last = calls.saturating_sub(1);
        let call = reply.tool_call(choice, last, done.text_in("id"), None);
        if let (Some(call), Some(output)) = (call, done.get("output")) {
            reply.set_result(call, output);
        }
    }
}

/// Takes a call, which comes whole, or its name first and then its arguments by their paths. No index tells which call
/// is meant.
fn take_call(reply: &mut Reply, choice: u64, call: Json<'_>) {
    let calls = reply.tool_calls(choice);
    let name = call.text_in("name");
    let index = if name.is_some() {
        calls
    } else {
        calls.saturating_sub(1)
    };
    let Some(at) = reply.tool_call(choice, index, call.text_in("id"), name) else {
        return;
    };
    if let Some(arguments) = call.get("args") {
        reply.set_arguments(at, arguments);
    }
    for piece in call.list("partialArgs") {
        let values = ["stringValue", "numberValue", "boolValue", "nullValue"];
        let value = values.iter().find_map(|key| piece.get(key));
        if let (Some(path), Some(value)) = (piece.text_in("jsonPath"), value) {
            reply.push_at_path(at, path, value);
        }
    }
}

/// Takes the counts of either API. All of them are totals so far.
pub(super) fn take_usage(reply: &mut Reply, usage: Json<'_>, names: &CountNames) {
    let counts = &mut reply.usage;
    replace(&mut counts.prompt, usage.number(names.prompt));
    replace(&mut counts.from_tools, usage.number(names.from_tools));
    replace(&mut counts.aloud, usage.number(names.answer));
    replace(&mut counts.reasoning, usage.number(names.thoughts));
    replace(&mut counts.cache_read, usage.number(names.cached));
    counts.input = sum(counts.prompt, counts.from_tools);
    counts.output = sum(counts.aloud, counts.reasoning);
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (None, None) => None,
        _ => Some(one.unwrap_or(0) + other.unwrap_or(0)),
    }
}
