//! Gemini's interactions come as events of steps, or as whole interactions.

use super::gemini::{self, CountNames};
use super::json::{Json, Text};
use super::reply::{CallAt, Kind, Reply};
use super::tools::own_tool;

/// The only answer has this index: its steps are counted.
const ONLY: u64 = 0;

const COUNTS: CountNames = CountNames {
    prompt: "total_input_tokens",
    from_tools: "total_tool_use_tokens",
    answer: "total_output_tokens",
    thoughts: "total_thought_tokens",
    cached: "total_cached_tokens",
};

pub(super) fn take(reply: &mut Reply, event: Json<'_>) {
    let index = event.number("index").unwrap_or(0);
    match event.text_in("event_type").map(Text::written) {
        Some("step.start") => {
            if let Some(step) = event.get("step") {
                take_step(reply, index, step);
            }
        }
        Some("step.delta") => {
            if let Some(delta) = event.get("delta") {
                take_delta(reply, index, delta);
            }
        }
        Some("interaction.status_update") => {
            take_status(reply, event);
        }
        Some(_) => {
            if let Some(interaction) = event.get("interaction") {
                take_interaction(reply, interaction);
            }
        }
        None => take_interaction(reply, event),
    }
}

/// Takes the interaction as a whole, which may repeat last what came before in pieces.
fn take_interaction(reply: &mut Reply, interaction: Json<'_>) {
    reply.set_id(interaction.text_in("id"));
    reply.set_model(interaction.text_in("model"));
    if let Some(steps) = interaction.get("steps") {
        (reply.images, reply.audio_bytes) = (0, 0);
        for (position, step) in steps.items().enumerate() {
            take_step(reply, position as u64, step);
        }
    }
    if let Some(usage) = interaction.get("usage") {
        gemini::take_usage(reply, usage, &COUNTS);
    }
    reply.is_whole |= take_status(reply, interaction);
}

/// Returns whether the status is that of an interaction that has ended.
fn take_status(reply: &mut Reply, holder: Json<'_>) -> bool {
    let status = holder.text_in("status");
    let ended = status.filter(|it| !matches!(it.written(), "in_progress" | "queued"));
    reply.finish(ONLY, ended);
    ended.is_some()
}

fn take_step(reply: &mut Reply, index: u64, step: Json<'_>) {
    let kind = step.text_in("type").map_or("", Text::written);
    match kind {
        "model_output" => {
            for (position, part) in step.list("content").enumerate() {
                if let Some(text) = part.text_in("text") {
                    reply.set_text(ONLY, Kind::Text, (index, position as u64), text);
                }
                gemini::take_data(reply, part.text_in("mime_type"), part.text_in("data"));
            }
        }
        "thought" => {
            for (position, part) in step.list("summary").enumerate() {
                if let Some(text) = part.text_in("text") {
                    reply.set_text(ONLY, Kind::Reasoning, (index, position as u64), text);
                }
            }
        }
        _ => take_tool(reply, index, kind, step),
    }
}

fn take_delta(reply: &mut Reply, index: u64, delta: Json<'_>) {
    let kind = delta.text_in("type").map_or("", Text::written);
    match kind {
        "text" => {
            if let Some(text) = delta.text_in("text") {
                reply.push(ONLY, Kind::Text, (index, 0), text);
            }
        }
        "thought_summary" => {
            let content = delta.get("content").unwrap_or(delta);
            if let Some(text) = content.text_in("text") {
                reply.push(ONLY, Kind::Reasoning, (index, 0), text);
            }
        }
        "image" | "audio" => {
            gemini::take_data(reply, delta.text_in("mime_type"), delta.text_in("data"));
        }
        "arguments_delta" => {
            if let Some(fragment) = delta.text_in("arguments")
                && let Some(call) = reply.tool_call(ONLY, index, None, None)
            {
                reply.push_arguments(call, fragment);
            }
        }
        _ => take_tool(reply, index, kind, delta),
    }
}

/// Takes a call of a tool, whose name is in the type of the step where the provider runs it, or what it has answered.
fn take_tool(reply: &mut Reply, index: u64, kind: &str, step: Json<'_>) {
    if kind.ends_with("_result") {
        if let (Some(call), Some(result)) = (answered(reply, step), step.get("result")) {
            reply.set_result(call, result);
        }
        return;
    }
    let Some(own) = own_tool(kind) else { return };
    let name = step.text_in("name").unwrap_or(own);
    let call = reply.tool_call(ONLY, index, step.text_in("id"), Some(name));
    if let (Some(call), Some(asked)) = (call, step.get("arguments")) {
        reply.set_arguments(call, asked.get("code").unwrap_or(asked));
    }
}

/// Returns the call that is answered: where a piece does not say which, the last.
fn answered(reply: &Reply, step: Json<'_>) -> Option<CallAt> {
    match step.text_in("call_id") {
        Some(id) => reply.call_of(ONLY, id),
        None => reply.last_call(ONLY),
    }
}
