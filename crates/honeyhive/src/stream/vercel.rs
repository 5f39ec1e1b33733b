//! Servers stream to the hooks of Vercel's AI SDK: UI messages (version 5 and later), and data streams (4).

use super::json::{Json, Text};
use super::reply::{Kind, Reply, replace};

/// A stream is one answer.
const ONLY: u64 = 0;

/// Takes an event of a stream of UI messages. Its pieces of text have ids, which are not numbers.
pub(super) fn take(reply: &mut Reply, event: Json<'_>) {
    match event.text_in("type").map(|it| it.written()) {
        Some("start") => reply.set_id(event.text_in("messageId")),
        Some("text-delta") => push(reply, Kind::Text, event.text_in("delta")),
        Some("reasoning-delta") => push(reply, Kind::Reasoning, event.text_in("delta")),
        Some("tool-input-start") => drop(call(reply, event)),
        Some("tool-input-delta") => push_arguments(reply, event, "inputTextDelta"),
        Some("tool-input-available" | "tool-input-error") => set_arguments(reply, event, "input"),
        Some("tool-output-available") => set_result(reply, event, "output"),
        Some("tool-output-error") => set_result(reply, event, "errorText"),
        Some("finish") => {
            reply.finish(ONLY, event.text_in("finishReason"));
            reply.is_whole = true;
        }
        Some("abort") => {
            reply.finish(ONLY, Some(Text::plain("abort")));
            reply.is_whole = true;
        }
        _ => {}
    }
    let usage = event.get("messageMetadata").and_then(|it| {
        let names = ["usage", "totalUsage"];
        names.iter().find_map(|name| it.get(name))
    });
    if let Some(usage) = usage {
        take_usage(reply, usage);
    }
}

/// Takes a line of a data stream: its code tells what the JSON is.
pub(super) fn take_line(reply: &mut Reply, code: u8, json: Json<'_>) {
    match code {
        b'0' => push(reply, Kind::Text, json.text()),
        b'g' => push(reply, Kind::Reasoning, json.text()),
        b'3' => reply.fail(None, json.text()),
        b'f' => reply.set_id(json.text_in("messageId")),
        b'b' => drop(call(reply, json)),
        b'c' => push_arguments(reply, json, "argsTextDelta"),
        b'9' => set_arguments(reply, json, "args"),
        b'a' => set_result(reply, json, "result"),
        b'd' => {
            reply.finish(ONLY, json.text_in("finishReason"));
            if let Some(usage) = json.get("usage") {
                take_usage(reply, usage);
            }
            reply.is_whole = true;
        }
        _ => {}
    }
}

/// Returns whether a byte is a code of a data stream.
pub(super) const fn is_code(code: u8) -> bool {
    matches!(code, b'0'..=b'9' | b'a'..=b'l')
}

fn push(reply: &mut Reply, kind: Kind, text: Option<Text<'_>>) {
    if let Some(text) = text {
        // Text after a tool call is a new text.
        let place = (reply.tool_calls(ONLY), 0);
        reply.push(ONLY, kind, place, text);
    }
}

/// Returns the call that is meant: each has an id, and none an index.
fn call(reply: &mut Reply, event: Json<'_>) -> Option<super::reply::CallAt> {
    let index = reply.tool_calls(ONLY);
    reply.tool_call(
        ONLY,
        index,
        event.text_in("toolCallId"),
        event.text_in("toolName"),
    )
}

fn push_arguments(reply: &mut Reply, event: Json<'_>, key: &str) {
    if let Some(fragment) = event.text_in(key)
        && let Some(call) = call(reply, event)
    {
        reply.push_arguments(call, fragment);
    }
}

fn set_arguments(reply: &mut Reply, event: Json<'_>, key: &str) {
    if let Some(call) = call(reply, event)
        && let Some(input) = event.get(key)
    {
        reply.set_arguments(call, input);
    }
}

fn set_result(reply: &mut Reply, event: Json<'_>, key: &str) {
    if let Some(output) = event.get(key)
        && let Some(call) = call(reply, event)
    {
        reply.set_result(call, output);
    }
}

fn take_usage(reply: &mut Reply, usage: Json<'_>) {
    let count = |names: [&str; 2]| names.iter().find_map(|name| usage.number(name));
    let counts = &mut reply.usage;
    replace(&mut counts.input, count(["inputTokens", "promptTokens"]));
    replace(
        &mut counts.output,
        count(["outputTokens", "completionTokens"]),
    );
    replace(&mut counts.reasoning, usage.number("reasoningTokens"));
    replace(&mut counts.cache_read, usage.number("cachedInputTokens"));
    // Version 6 has the counts one level deeper.
    if let Some(input) = usage.get("inputTokenDetails") {
        replace(&mut counts.cache_read, input.number("cacheReadTokens"));
        replace(&mut counts.cache_write, input.number("cacheWriteTokens"));
    }
    if let Some(output) = usage.get("outputTokenDetails") {
        replace(&mut counts.reasoning, output.number("reasoningTokens"));
    }
}
