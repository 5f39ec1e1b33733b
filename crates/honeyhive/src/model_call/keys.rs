//! Frequent words of calls, as constants, so that most are not copied.

use std::sync::Arc;

use opentelemetry::StringValue;

/// Returns a word as a value, copied only where it is not one of the frequent ones.
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
        _ => return Arc::<str>::from(word).into(),
    })
}
