//! Spans are made in their form on the wire.

use serde_json::{Value, json};

/// A `Span` counts its seconds from the session's start.
pub(crate) struct Span<'s> {
    pub(crate) session: &'s str,
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) name: &'s str,
    pub(crate) kind: &'s str,
    pub(crate) from: f64,
    pub(crate) seconds: f64,
    pub(crate) attributes: Value,
}

/// Returns a model call with one question and one answer.
pub(crate) fn asked<'s>(
    session: &'s str,
    model_name: &str,
    input: i64,
    output: i64,
    question: &str,
    answer: &str,
) -> Span<'s> {
    let history = json!([{ "role": "user", "content": question }]);
    let outputs = json!({ "role": "assistant", "content": answer });
    let mut span = model(session, &history, outputs, (input, output, 0), "stop");
    span.attributes["honeyhive_config.model"] = json!(model_name);
    span.parent = 0;
    span.name = if model_name == "gpt-4o" {
        "chat gpt-4o"
    } else {
        "chat gpt-4o-mini"
    };
    span
}

/// Returns a model call below a turn, with its conversation, tokens and price.
pub(super) fn model<'s>(
    session: &'s str,
    history: &Value,
    outputs: Value,
    (input, output, cached): (i64, i64, i64),
    finish: &str,
) -> Span<'s> {
    let cost = input as f64 * 1.5e-7 + output as f64 * 6e-7;
    let mut attributes = json!({
        "honeyhive_inputs": { "chat_history": history },
        "honeyhive_outputs": outputs,
        "honeyhive_config": { "model": "gpt-4o-mini", "provider": "openai", "temperature": 0.2 },
        "honeyhive_metadata": {
            "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            "finish_reason": finish, "time_to_first_token_ms": 550, "cost": cost,
        },
    });
    if cached > 0 {
        attributes["honeyhive_metadata"]["cache_read_input_tokens"] = json!(cached);
    }
    Span {
        session,
        id: 0,
        parent: 1,
        name: "chat gpt-4o-mini",
        kind: "model",
        from: 0.0,
        seconds: 0.0,
        attributes: flat(attributes),
    }
}

/// Returns objects and lists below a bucket as dotted keys, their form on the wire.
pub(super) fn flat(attributes: Value) -> Value {
    let mut flattened = serde_json::Map::new();
    for (key, value) in attributes.as_object().into_iter().flatten() {
        flatten(key, value, &mut flattened);
    }
    Value::Object(flattened)
}

fn flatten(key: &str, value: &Value, into: &mut serde_json::Map<String, Value>) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| flatten(&format!("{key}.{name}"), value, into)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| flatten(&format!("{key}.{index}"), value, into)),
        Value::Null => {}
        other => drop(into.insert(key.to_owned(), other.clone())),
    }
}

pub(super) fn attribute(key: &str, value: &Value) -> Value {
    let value = match value {
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::Number(number) if number.is_f64() => json!({ "doubleValue": number }),
        Value::Number(number) => json!({ "intValue": number.to_string() }),
        Value::String(text) => json!({ "stringValue": text }),
        other => json!({ "stringValue": other.to_string() }),
    };
    json!({ "key": key, "value": value })
}
