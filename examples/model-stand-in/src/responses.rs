//! Responses are whole, or streams.

use serde_json::{Value, json};

fn response(body: &Value, status: &str) -> Value {
    json!({"id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": status,
        "model": format!("{}-2026", body["model"].as_str().unwrap_or_default()),
        "output": [], "usage": null, "error": null, "incomplete_details": null, "instructions": null, "metadata": {},
        "parallel_tool_calls": true, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
        "background": false, "max_output_tokens": null, "previous_response_id": null, "store": true,
        "text": {"format": {"type": "text"}}, "truncation": "disabled",
        "reasoning": {"effort": null, "summary": null}, "service_tier": "default"})
}

fn message(status: &str, text: Option<&str>) -> Value {
    let content: Vec<_> = text
        .iter()
        .map(|text| json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text}))
        .collect();
    json!({"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content})
}

/// Returns the answer as a whole.
pub(crate) fn whole(body: &Value) -> Value {
    let mut whole = response(body, "completed");
    whole["output"] = json!([message("completed", Some("Forty-two."))]);
    whole["usage"] = json!({"input_tokens": 11, "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 18});
    whole
}

/// Returns the stream of an answer.
pub(crate) fn events(body: &Value) -> String {
    let begun = response(body, "in_progress");
    let events = [
        ("response.created", json!({"response": begun})),
        (
            "response.output_item.added",
            json!({"output_index": 0, "item": message("in_progress", None)}),
        ),
        (
            "response.output_text.delta",
            json!({"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "Forty", "logprobs": []}),
        ),
        (
            "response.output_text.delta",
            json!({"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "-two.", "logprobs": []}),
        ),
        (
            "response.output_item.done",
            json!({"output_index": 0, "item": message("completed", Some("Forty-two."))}),
        ),
        ("response.completed", json!({"response": whole(body)})),
    ];
    let numbered = events
        .into_iter()
        .enumerate()
        .map(|(number, (name, mut event))| {
            event["type"] = name.into();
            event["sequence_number"] = number.into();
            format!("event: {name}\ndata: {event}\n\n")
        });
    numbered.collect()
}
