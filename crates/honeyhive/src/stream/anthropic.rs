//! Anthropic's messages come as events, or as whole messages.

use super::json::{Json, Text};
use super::media::{attachment, text_document};
use super::reply::{Kind, Reply, replace};
use super::tools::{is_page, lines_of};

/// The only answer has this index, and its blocks are counted.
const ONLY: u64 = 0;

pub(super) fn take(reply: &mut Reply, event: Json<'_>) {
    let block = event.number("index").unwrap_or(0);
    match event.text_in("type").map(|it| it.written()) {
        Some("message") => {
            take_message(reply, event);
            reply.is_whole = true;
        }
        Some("message_start") => {
            if let Some(message) = event.get("message") {
                take_message(reply, message);
            }
        }
        Some("content_block_start") => {
            if let Some(begun) = event.get("content_block") {
                take_block(reply, block, begun);
            }
        }
        Some("content_block_delta") => {
            if let Some(delta) = event.get("delta") {
                take_delta(reply, block, delta);
            }
        }
        Some("message_delta") => {
            let reason = event.get("delta").and_then(|it| it.text_in("stop_reason"));
            reply.finish(ONLY, reason);
            take_usage(reply, event);
        }
        Some("message_stop") => reply.is_whole = true,
        _ => {}
    }
}

fn take_message(reply: &mut Reply, message: Json<'_>) {
    reply.set_id(message.text_in("id"));
    reply.set_model(message.text_in("model"));
    for (position, block) in message.list("content").enumerate() {
        take_block(reply, position as u64, block);
    }
    reply.finish(ONLY, message.text_in("stop_reason"));
    take_usage(reply, message);
}

fn take_block(reply: &mut Reply, index: u64, block: Json<'_>) {
    if block.ends("type", "tool_result") {
        return take_result(reply, index, block);
    }
    take_words(reply, index, block);
    if let (Some(id), Some(name)) = (block.text_in("id"), block.text_in("name"))
        && let Some(call) = reply.tool_call(ONLY, index, Some(id), Some(name))
        && let Some(input) = block.get("input")
    {
        reply.set_arguments(call, input);
    }
}

/// Takes the answer of a tool that Anthropic or an MCP server has run: its pages and texts as lines, else as JSON.
fn take_result(reply: &mut Reply, index: u64, block: Json<'_>) {
    let call = reply.tool_call(ONLY, index, block.text_in("tool_use_id"), None);
    let (Some(call), Some(content)) = (call, block.get("content")) else {
        return;
    };
    if is_page(content) {
        let document = content.get("content");
        let text = document.and_then(text_document);
        let file = document.filter(|_| text.is_none()).and_then(attachment);
        let file = file.as_deref().map(Text::plain);
        return reply.set_result_lines(call, lines_of(content).chain(text).chain(file));
    }
    match content.items().flat_map(lines_of).next() {
        Some(_) => reply.set_result_lines(call, content.items().flat_map(lines_of)),
        None => reply.set_result(call, content),
    }
}

/// Takes blocks of text, which are parts of one text as far as no tool stands between them.
fn take_words(reply: &mut Reply, index: u64, holder: Json<'_>) {
    let place = (reply.tool_calls(ONLY), index);
    if let Some(text) = holder.text_in("text") {
        reply.push(ONLY, Kind::Text, place, text);
    }
    if let Some(thought) = holder.text_in("thinking") {
        reply.push(ONLY, Kind::Reasoning, place, thought);
    }
}

fn take_delta(reply: &mut Reply, index: u64, delta: Json<'_>) {
    take_words(reply, index, delta);
    if let Some(fragment) = delta.text_in("partial_json")
        && let Some(call) = reply.tool_call(ONLY, index, None, None)
    {
        reply.push_arguments(call, fragment);
    }
}

/// Takes the usage: Anthropic counts the cache beside the input, so the sum of all is the input.
fn take_usage(reply: &mut Reply, holder: Json<'_>) {
    let Some(usage) = holder.get("usage") else {
        return;
    };
    let counts = &mut reply.usage;
    replace(&mut counts.prompt, usage.number("input_tokens"));
    replace(
        &mut counts.cache_read,
        usage.number("cache_read_input_tokens"),
    );
    replace(
        &mut counts.cache_write,
        usage.number("cache_creation_input_tokens"),
    );
    replace(&mut counts.output, usage.number("output_tokens"));
    counts.input = counts
        .prompt
        .map(|input| input + counts.cache_read.unwrap_or(0) + counts.cache_write.unwrap_or(0));
}
