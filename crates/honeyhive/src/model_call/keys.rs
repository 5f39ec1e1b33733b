//! Frequent words of calls are constants, so that most are not copied.

use opentelemetry::StringValue;

use crate::stream;

/// Returns a word as a value: a constant where it is frequent, else shared with the calls of the same thread.
pub(super) fn shared(word: &str) -> StringValue {
    StringValue::from(match word {
        "assistant" => "assistant",
        "openai" => "openai",
        "anthropic" => "anthropic",
        "azure.ai.openai" => "azure.ai.openai",
        "azure.ai.inference" => "azure.ai.inference",
        "gcp.gemini" => "gcp.gemini",
        "gcp.vertex_ai" => "gcp.vertex_ai",
        "mistral_ai" => "mistral_ai",
        "groq" => "groq",
        "openrouter" => "openrouter",
        "deepseek" => "deepseek",
        "ollama" => "ollama",
        "stop" => "stop",
        "length" => "length",
        "tool_calls" => "tool_calls",
        "end_turn" => "end_turn",
        "tool_use" => "tool_use",
        "STOP" => "STOP",
        _ => return stream::shared(word).into(),
    })
}
