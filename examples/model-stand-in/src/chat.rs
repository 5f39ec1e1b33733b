//! Chat completions are whole, or streams.

use serde_json::{Value, json};

use crate::answers::{pieces, tool, usage, wants_tool};

fn has(body: &Value, word: &str) -> bool {
    body["model"]
        .as_str()
        .is_some_and(|model| model.contains(word))
}

fn named(body: &Value) -> String {
    format!("{}-2026", body["model"].as_str().unwrap_or_default())
}

fn chunk(body: &Value, choices: &Value) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": named(body),
        "system_fingerprint": "fp_1", "choices": choices})
}

fn delta(body: &Value, index: u64, delta: &Value, reason: Option<&str>) -> Value {
    chunk(
        body,
        &json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": reason}]),
    )
}

/// Returns the stream of an answer.
pub(crate) fn events(body: &Value) -> String {
    let mut chunks = if wants_tool(body) {
        tools(body)
    } else if has(body, "multi") {
        several(body)
    } else {
        text(body)
    };
    if has(body, "endless") {
        // The stream has neither a reason to finish nor a mark of the end: comments follow.
        chunks.truncate(3);
    } else if has(body, "midfail") {
        chunks.truncate(2);
        chunks.push(json!({"error": {"message": "The server had an error", "type": "server_error", "param": null, "code": "server_error"}}));
    } else if body["stream_options"]["include_usage"] == true {
        let mut last = chunk(body, &json!([]));
        last["usage"] = usage();
        chunks.push(last);
    }
    let mut text: String = chunks
        .iter()
        .map(|chunk| format!("data: {chunk}\n\n"))
        .collect();
    let has_no_end = ["nodone", "midfail", "endless"];
    if !has_no_end.into_iter().any(|word| has(body, word)) {
        text.push_str("data: [DONE]\n\n");
    }
    text
}

fn text(body: &Value) -> Vec<Value> {
    let key = if has(body, "refusal") {
        "refusal"
    } else {
        "content"
    };
    let mut chunks = vec![delta(
        body,
        0,
        &json!({"role": "assistant", "content": ""}),
        None,
    )];
    if has(body, "reason") {
        let thoughts = ["Let me ", "think. "];
        chunks.extend(thoughts.map(|it| delta(body, 0, &json!({"reasoning_content": it}), None)));
    }
    chunks.extend(
        pieces(body)
            .iter()
            .map(|it| delta(body, 0, &json!({key: it}), None)),
    );
    chunks.push(delta(body, 0, &json!({}), Some("stop")));
    chunks
}

fn several(body: &Value) -> Vec<Value> {
    let said = [(0, "Heads"), (1, "Tails"), (0, "!"), (1, "?")];
    let mut chunks: Vec<_> = said
        .iter()
        .map(|(index, it)| delta(body, *index, &json!({"content": it}), None))
        .collect();
    chunks.extend([0, 1].map(|index| delta(body, index, &json!({}), Some("stop"))));
    chunks
}

fn tools(body: &Value) -> Vec<Value> {
    let (name, arguments) = tool(body);
    let call = |call: &Value| delta(body, 0, &json!({"tool_calls": [call]}), None);
    let mut chunks = vec![call(
        &json!({"index": 0, "id": "call_a", "type": "function",
        "function": {"name": name, "arguments": ""}}),
    )];
    let half = arguments.len() / 2;
    let half = (0..=half)
        .rev()
        .find(|at| arguments.is_char_boundary(*at))
        .unwrap_or(0);
    for part in [&arguments[..half], &arguments[half..]] {
        chunks.push(call(&json!({"index": 0, "function": {"arguments": part}})));
    }
    if has(body, "tools") {
        chunks.push(call(
            &json!({"index": 1, "id": "call_b", "type": "function",
            "function": {"name": "clock", "arguments": "{\"tz\":\"UTC\"}"}}),
        ));
    }
    chunks.push(delta(body, 0, &json!({}), Some("tool_calls")));
    chunks
}

/// Returns the answer as a whole.
pub(crate) fn whole(body: &Value) -> Value {
    let (message, reason) = if wants_tool(body) {
        let (name, arguments) = tool(body);
        let call = json!({"id": "call_a", "type": "function", "function": {"name": name, "arguments": arguments}});
        (
            json!({"role": "assistant", "content": null, "tool_calls": [call]}),
            "tool_calls",
        )
    } else {
        let text = pieces(body).concat();
        (
            json!({"role": "assistant", "content": text, "refusal": null, "annotations": []}),
            "stop",
        )
    };
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": named(body),
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": reason}],
        "usage": usage(), "service_tier": "default", "system_fingerprint": "fp_1"})
}
