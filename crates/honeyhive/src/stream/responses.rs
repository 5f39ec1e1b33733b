//! OpenAI's Responses come as events, or as whole responses.

use super::chat;
use super::json::{Json, Text};
use super::media::mark;
use super::reply::{Kind, Reply};
use super::tools::{answer_in, asked_of, own_tool};

/// The only answer has this index: its items are counted by their place in the output.
const ONLY: u64 = 0;

/// The offset keeps thoughts apart from their summary, which has the same place in the output.
const THOUGHTS: u64 = 1 << 32;

pub(super) fn take(reply: &mut Reply, event: Json<'_>) {
    let Some(kind) = event.text_in("type").map(|it| it.written()) else {
        return take_response(reply, event);
    };
    let item = event.number("output_index").unwrap_or(0);
    let part = |name| event.number(name).unwrap_or(0);
    match kind {
        "response.output_text.delta" => {
            push(reply, Kind::Text, (item, part("content_index")), event)
        }
        "response.refusal.delta" => {
            push(reply, Kind::Refusal, (item, part("content_index")), event)
        }
        "response.reasoning_text.delta" => {
            let at = (THOUGHTS + item, part("content_index"));
            push(reply, Kind::Reasoning, at, event);
        }
        "response.reasoning_summary_text.delta" => {
            push(reply, Kind::Reasoning, (item, part("summary_index")), event);
        }
        "response.function_call_arguments.delta"
        | "response.custom_tool_call_input.delta"
        | "response.code_interpreter_call_code.delta"
        | "response.mcp_call_arguments.delta" => push_arguments(reply, item, event),
        "response.function_call_arguments.done"
        | "response.custom_tool_call_input.done"
        | "response.code_interpreter_call_code.done"
        | "response.mcp_call_arguments.done" => set_arguments(reply, item, event),
        "response.output_item.added" | "response.output_item.done" => {
            if let Some(said) = event.get("item") {
                take_item(reply, item, said);
            }
        }
        _ => {
            if let Some(response) = event.get("response") {
                take_response(reply, response);
            }
        }
    }
}

fn push(reply: &mut Reply, kind: Kind, place: (u64, u64), event: Json<'_>) {
    if let Some(text) = event.text_in("delta") {
        reply.push(ONLY, kind, place, text);
    }
}

fn push_arguments(reply: &mut Reply, item: u64, event: Json<'_>) {
    if let Some(fragment) = event.text_in("delta")
        && let Some(call) = reply.tool_call(ONLY, item, None, None)
    {
        reply.push_arguments(call, fragment);
    }
}

fn set_arguments(reply: &mut Reply, item: u64, event: Json<'_>) {
    if let Some(all) = asked_of(event)
        && let Some(call) = reply.tool_call(ONLY, item, None, event.text_in("name"))
    {
        reply.set_arguments(call, all);
    }
}

/// Takes the response as a whole, which repeats last what came before in pieces.
fn take_response(reply: &mut Reply, response: Json<'_>) {
    reply.set_id(response.text_in("id"));
    reply.set_model(response.text_in("model"));
    for (position, item) in response.list("output").enumerate() {
        take_item(reply, position as u64, item);
    }
    if let Some(usage) = response.get("usage") {
        chat::take_usage(reply, usage);
    }
    if let Some(error) = response.get("error") {
        reply.fail(error.text_in("code"), error.text_in("message"));
    }
    let Some(status) = response.text_in("status") else {
        return;
    };
    if !matches!(status.written(), "in_progress" | "queued") {
        let why = response
            .get("incomplete_details")
            .and_then(|it| it.text_in("reason"));
        reply.finish(ONLY, why.or(Some(status)));
        reply.is_whole = true;
    }
}

fn take_item(reply: &mut Reply, place: u64, item: Json<'_>) {
    for (position, part) in item.list("content").enumerate() {
        let at = (place, position as u64);
        if let Some(text) = part.text_in("text") {
            match part.is("type", "reasoning_text") {
                true => reply.set_text(ONLY, Kind::Reasoning, (THOUGHTS + at.0, at.1), text),
                false => reply.set_text(ONLY, Kind::Text, at, text),
            }
        }
        if let Some(refusal) = part.text_in("refusal") {
            reply.set_text(ONLY, Kind::Refusal, at, refusal);
        }
    }
    for (position, part) in item.list("summary").enumerate() {
        if let Some(text) = part.text_in("text") {
            reply.set_text(ONLY, Kind::Reasoning, (place, position as u64), text);
        }
    }
    if item.ends("type", "_call_output") {
        let call = item
            .text_in("call_id")
            .and_then(|id| reply.call_of(ONLY, id));
        if let (Some(call), Some(answer)) = (call, item.get("output")) {
            reply.set_result(call, answer);
        }
        return;
    }
    let named = item.text_in("name").filter(|_| asked_of(item).is_some());
    let kind = || item.text_in("type").map(Text::written);
    if let Some(name) = named.or_else(|| own_tool(kind()?)) {
        take_call(reply, place, item, name);
    }
}

/// Takes a call of a tool: the program's own, or one that OpenAI runs, whose type is its name: `web_search_call`.
fn take_call(reply: &mut Reply, place: u64, item: Json<'_>, name: Text<'_>) {
    let id = item.text_in("call_id").or_else(|| item.text_in("id"));
    let Some(call) = reply.tool_call(ONLY, place, id, Some(name)) else {
        return;
    };
    // An item that is only begun has no content yet.
    let says = |it: &Json<'_>| it.text().is_none_or(|text| !text.written().is_empty());
    if let Some(asked) = asked_of(item).filter(says) {
        reply.set_arguments(call, asked);
    }
    if let Some(answer) = answer_in(item) {
        reply.set_result(call, answer);
    } else if let Some(picture) = item.text_in("result") {
        let seen = mark("image", picture);
        reply.set_result_lines(call, std::iter::once(Text::plain(&seen)));
    } else if item.get("tools").is_some() {
        reply.set_result_lines(call, item.list("tools").filter_map(|it| it.text_in("name")));
    }
}
