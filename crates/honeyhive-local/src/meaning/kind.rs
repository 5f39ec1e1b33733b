//! The type of an event is what the span says itself, in any of the conventions.

use serde_json::Value;

use crate::model::Object;

type Reader = fn(&str) -> Option<&'static str>;

/// The signals of a type stand here, the strongest first; the core reads the same ones in the same order.
const SIGNALS: [(&str, Reader); 7] = [
    ("gen_ai.operation.name", from_gen_ai),
    ("openinference.span.kind", from_openinference),
    ("traceloop.span.kind", from_traceloop),
    ("langfuse.observation.type", from_langfuse),
    ("langfuse.type", from_langfuse),
    ("gen_ai.agent.type", from_agent_type),
    ("llm.request.type", from_gen_ai),
];

/// Returns the type that a span has: what HoneyHive's own attribute says, else what a convention does, else `tool`.
pub(crate) fn event_type(attributes: &Object) -> String {
    let text = |key: &str| attributes.get(key).and_then(Value::as_str);
    let own = text("honeyhive_event_type").filter(|kind| !kind.is_empty());
    if let Some(own) = own {
        return own.to_lowercase();
    }
    let mut signals = SIGNALS.iter();
    let said = signals.find_map(|(key, read)| read(&text(key)?.to_ascii_lowercase()));
    said.unwrap_or("tool").to_owned()
}

fn from_gen_ai(operation: &str) -> Option<&'static str> {
    match operation {
        "chat"
        | "text_completion"
        | "completion"
        | "generate_content"
        | "embeddings"
        | "embedding"
        | "chat_streaming"
        | "interactions"
        | "interactions_streaming"
        | "image_generation"
        | "audio_generation"
        | "transcription" => Some("model"),
        "invoke_agent" | "create_agent" | "invoke_workflow" | "plan" => Some("chain"),
        "execute_tool" | "retrieval" | "rerank" => Some("tool"),
        _ => None,
    }
}

fn from_openinference(kind: &str) -> Option<&'static str> {
    match kind {
        "llm" => Some("model"),
        "chain" | "agent" => Some("chain"),
        "tool" | "retriever" | "embedding" | "reranker" | "guardrail" => Some("tool"),
        _ => None,
    }
}

fn from_traceloop(kind: &str) -> Option<&'static str> {
    match kind {
        "workflow" | "agent" | "task" => Some("chain"),
        "tool" => Some("tool"),
        _ => None,
    }
}

fn from_langfuse(kind: &str) -> Option<&'static str> {
    Some(if kind == "generation" {
        "model"
    } else {
        "chain"
    })
}

fn from_agent_type(kind: &str) -> Option<&'static str> {
    match kind {
        "llm" => Some("model"),
        "agent" => Some("chain"),
        "tool" => Some("tool"),
        _ => None,
    }
}
