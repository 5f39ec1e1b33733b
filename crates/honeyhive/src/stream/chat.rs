//! OpenAI's chat completions are the format of other APIs, too: Azure, Mistral, Groq, OpenRouter, DeepSeek, Ollama,
//! vLLM.
//!
//! The reader takes chunks of a stream and whole bodies, and the older completions that have a `text`.

use super::json::Json;
use super::reply::{Kind, Reply, replace};

pub(super) fn take(reply: &mut Reply, event: Json<'_>) {
    let (mut usage, mut elsewhere) = (None, None);
    for (name, value) in event.fields() {
        match name {
            b"id" => reply.set_id(value.said()),
            b"model" => reply.set_model(value.said()),
            b"choices" => {
                let choices = (0..).zip(value.items());
                choices.for_each(|(position, choice)| take_choice(reply, position, choice));
            }
            b"usage" => usage = Some(value),
            b"x_groq" => elsewhere = value.get("usage"),
            _ => {}
        }
    }
    if let Some(usage) = usage.or(elsewhere) {
        take_usage(reply, usage);
    }
}

fn take_choice(reply: &mut Reply, position: u64, choice: Json<'_>) {
    let index = choice.number("index").unwrap_or(position);
    let mut reason = None;
    for (name, value) in choice.fields() {
        match name {
            b"delta" | b"message" => take_message(reply, index, value),
            b"text" => {
                if let Some(text) = value.said() {
                    reply.push(index, Kind::Text, (0, 0), text);
                }
            }
            b"finish_reason" => reason = value.said(),
            _ => {}
        }
    }
    // The contents beside a finish reason come before it, in whatever order the object has them.
    reply.finish(index, reason);
}

/// Takes a message, or an addition to it: its members are read once, and taken in an order that does not depend on
/// theirs.
pub(super) fn take_message(reply: &mut Reply, choice: u64, message: Json<'_>) {
    let (mut spoken, mut refusal, mut calls, mut function) = (None, None, None, None);
    // The names mean the same, and the first one that is there counts.
    let mut thoughts = [None; 3];
    for (name, value) in message.fields() {
        match name {
            b"content" => take_content(reply, choice, value),
            b"refusal" => refusal = value.said(),
            b"reasoning_content" => thoughts[0] = value.said(),
            b"reasoning" => thoughts[1] = value.said(),
            b"thinking" => thoughts[2] = value.said(),
            b"tool_calls" => calls = Some(value),
            b"function_call" => function = Some(value),
            b"audio" => {
                spoken = value.get("transcript").and_then(Json::text);
                if let Some(voice) = value.text_in("data") {
                    reply.add_audio(voice);
                }
            }
            // OpenRouter's pictures stand beside the content.
            b"images" => reply.images += value.len(),
            _ => {}
        }
    }
    if let Some(spoken) = spoken {
        reply.push(choice, Kind::Text, (0, 0), spoken);
    }
    if let Some(refusal) = refusal {
        reply.push(choice, Kind::Refusal, (0, 0), refusal);
    }
    if let Some(text) = thoughts.into_iter().flatten().next() {
        reply.push(choice, Kind::Reasoning, (0, 0), text);
    }
    let calls = calls.into_iter().flat_map(Json::items);
    for (position, call) in (0..).zip(calls) {
        take_call(reply, choice, position, call);
    }
    if let Some(function) = function {
        let name = function.text_in("name");
        take_function(reply, choice, 0, None, name, function);
    }
}

/// Takes a text, or a list of typed chunks.
fn take_content(reply: &mut Reply, choice: u64, content: Json<'_>) {
    if let Some(text) = content.text() {
        return reply.push(choice, Kind::Text, (0, 0), text);
    }
    for chunk in content.items() {
        if let Some(text) = chunk.text_in("text") {
            reply.push(choice, Kind::Text, (0, 0), text);
        }
        for thought in chunk.list("thinking") {
            if let Some(text) = thought.text_in("text") {
                reply.push(choice, Kind::Reasoning, (0, 0), text);
            }
        }
    }
}

fn take_call(reply: &mut Reply, choice: u64, position: u64, call: Json<'_>) {
    // A tool of one's own has its input under another name.
    let function = call.get("function").or_else(|| call.get("custom"));
    let Some(function) = function else { return };
    let (id, name) = (call.text_in("id"), function.text_in("name"));
    let index = match call.number("index") {
        Some(index) => index,
        // Ollama sends each call whole, and many as if each were the first.
        None if id.is_none() && function.get("arguments").is_some_and(Json::is_object) => {
            reply.tool_calls(choice)
        }
        None => position,
    };
    take_function(reply, choice, index, id, name, function);
}

fn take_function(
    reply: &mut Reply,
    choice: u64,
    index: u64,
    id: Option<super::json::Text<'_>>,
    name: Option<super::json::Text<'_>>,
    function: Json<'_>,
) {
    let Some(at) = reply.tool_call(choice, index, id, name) else {
        return;
    };
    let arguments = function.get("arguments").or_else(|| function.get("input"));
    match arguments.map(|it| (it, it.text())) {
        Some((_, Some(fragment))) => reply.push_arguments(at, fragment),
        Some((whole, None)) => reply.set_arguments(at, whole),
        None => {}
    }
}

/// Takes counts by OpenAI's names, in which the cache is part of the prompt and reasoning of the completion.
pub(super) fn take_usage(reply: &mut Reply, usage: Json<'_>) {
    let counts = &mut reply.usage;
    let mut total = None;
    for (name, value) in usage.fields() {
        match name {
            b"total_tokens" => total = value.count(),
            b"cost" => reply.cost = cost_of(value).or(reply.cost),
            b"prompt_tokens" | b"input_tokens" => replace(&mut counts.input, value.count()),
            b"completion_tokens" | b"output_tokens" => replace(&mut counts.output, value.count()),
            b"prompt_cache_hit_tokens" => replace(&mut counts.cache_read, value.count()),
            b"prompt_tokens_details" | b"input_tokens_details" => {
                replace(&mut counts.cache_read, value.number("cached_tokens"));
                replace(&mut counts.cache_write, value.number("cache_write_tokens"));
            }
            b"completion_tokens_details" | b"output_tokens_details" => {
                replace(&mut counts.reasoning, value.number("reasoning_tokens"));
            }
            _ => {}
        }
    }
    // xAI counts reasoning beside the completion, which its total tells.
    if let (Some(total), Some(input), Some(output), Some(reasoning @ 1..)) =
        (total, counts.input, counts.output, counts.reasoning)
        && total == input + output + reasoning
    {
        counts.output = Some(output + reasoning);
    }
}

/// Returns the dollars that a call has cost, as OpenRouter and Perplexity say them.
fn cost_of(said: Json<'_>) -> Option<f64> {
    said.get("total_cost").unwrap_or(said).amount()
}
