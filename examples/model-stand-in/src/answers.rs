//! The answers of every API have the same contents: the answer to a question, tokens, vectors.

use serde_json::{Value, json};

/// Returns the tokens of each call.
pub(crate) fn usage() -> Value {
    json!({
        "prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 3, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    })
}

/// Returns the pieces of the answer. Where a tool has answered, its answer is repeated.
pub(crate) fn pieces(body: &Value) -> Vec<String> {
    let last = body["messages"].as_array().and_then(|it| it.last());
    if let Some(message) = last.filter(|_| body["model"] == "judge") {
        return vec![judged(&text_of(&message["content"]))];
    }
    match last {
        Some(message) if message["role"] == "tool" => {
            vec!["The tool says: ".to_owned(), text_of(&message["content"])]
        }
        _ => ["Zwölf ", "Bäume 🌳", " & more", "."]
            .map(str::to_owned)
            .to_vec(),
    }
}

/// Judges `{"said": …, "right": …}`: returns the share of the right words that were said.
fn judged(question: &str) -> String {
    let question: Value = serde_json::from_str(question).unwrap_or_default();
    let said = question["said"].as_str().unwrap_or_default();
    let right: Vec<&str> = question["right"]
        .as_str()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let hits = right.iter().filter(|word| said.contains(**word)).count();
    let score = hits as f64 / right.len().max(1) as f64;
    json!({"score": score, "why": format!("{hits} of {} words are there", right.len())}).to_string()
}

fn text_of(content: &Value) -> String {
    content
        .as_str()
        .map_or_else(|| content.to_string(), str::to_owned)
}

/// Returns the tool that is called: the first that the request offers, else one of ours.
pub(crate) fn tool(body: &Value) -> (String, String) {
    let function = &body["tools"][0]["function"];
    match function["name"].as_str() {
        Some(name) => (name.to_owned(), arguments(&function["parameters"])),
        None => ("weather".to_owned(), r#"{"city":"Paris"}"#.to_owned()),
    }
}

/// Returns a value for each property that the tool asks for.
fn arguments(schema: &Value) -> String {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let given: serde_json::Map<_, _> = properties
        .map(|(name, property)| {
            let value = match property["type"].as_str() {
                Some("integer" | "number") => json!(2),
                Some("boolean") => json!(true),
                _ => json!("Paris"),
            };
            (name.clone(), value)
        })
        .collect();
    Value::Object(given).to_string()
}

/// Returns whether the model wants a tool called: it was given some, or its name says so, and none has answered yet.
pub(crate) fn wants_tool(body: &Value) -> bool {
    let has_tools = body["tools"].as_array().is_some_and(|it| !it.is_empty());
    let named = body["model"]
        .as_str()
        .is_some_and(|it| it.contains("tools"));
    let answered = body["messages"]
        .as_array()
        .is_some_and(|messages| messages.iter().any(|message| message["role"] == "tool"));
    (has_tools || named) && !answered
}

/// Returns a vector of three numbers for each text.
pub(crate) fn embeddings(body: &Value) -> Value {
    let texts = body["input"].as_array().map_or(1, Vec::len);
    let vectors: Vec<_> = (0..texts)
        .map(|index| json!({"object": "embedding", "index": index, "embedding": [0.5, 0.25, 1.0]}))
        .collect();
    json!({"object": "list", "data": vectors, "model": body["model"],
        "usage": {"prompt_tokens": 4, "total_tokens": 4}})
}

/// The transcription as subtitles is no JSON.
pub(crate) const HEARD_AS_SRT: &str = "1\n00:00:00,000 --> 00:00:01,500\nHow many trees?\n\n";

/// Returns the transcription of a recording.
pub(crate) fn heard() -> Value {
    json!({"text": "How many trees?",
        "usage": {"type": "tokens", "input_tokens": 20, "output_tokens": 4, "total_tokens": 24}})
}
