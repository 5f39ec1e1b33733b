//! What was said to a model and by it, for programs that do not send it.

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;

use super::sources::{ANY_INPUTS, ANY_OUTPUTS, FLAT_INPUTS, FLAT_OUTPUTS};
use crate::attributes::{
    GEN_AI_INPUT_MESSAGES, GEN_AI_OUTPUT_MESSAGES, GEN_AI_SYSTEM_INSTRUCTIONS,
    GEN_AI_TOOL_ARGUMENTS, GEN_AI_TOOL_RESULT,
};

/// Other names that have such texts, alone or before a dot.
const CONTENT: [&str; 12] = [
    GEN_AI_SYSTEM_INSTRUCTIONS,
    GEN_AI_INPUT_MESSAGES,
    GEN_AI_OUTPUT_MESSAGES,
    GEN_AI_TOOL_ARGUMENTS,
    GEN_AI_TOOL_RESULT,
    "gen_ai.tool.definitions",
    "embedding.embeddings",
    "embedding.text",
    "llm.prompt_template",
    "llm.tools",
    "reranker",
    "retrieval.documents",
];

/// The names of a prompt that is kept elsewhere, which are no text of it.
const PROMPT_NAMES: [&str; 2] = ["gen_ai.prompt.name", "gen_ai.prompt.version"];

/// What an event about a message may go on saying.
const ABOUT_MESSAGES: [&str; 4] = ["role", "index", "finish_reason", "id"];

/// Leaves out the texts, and whatever could have them in it.
pub(crate) fn hide(span: &mut SpanData) {
    span.attributes.retain(|it| !is_content(it));
    for event in &mut span.events.events {
        let is_message = event.name.starts_with("gen_ai.");
        event.attributes.retain(|it| {
            let key = it.key.as_str();
            let is_told =
                !is_message || key.starts_with("gen_ai.") || ABOUT_MESSAGES.contains(&key);
            is_told && !is_content(it)
        });
    }
}

fn is_content(attribute: &KeyValue) -> bool {
    let key = attribute.key.as_str();
    let is_below = |name: &&str| {
        key.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let names = [
        &CONTENT[..],
        &FLAT_INPUTS,
        &FLAT_OUTPUTS,
        &ANY_INPUTS,
        &ANY_OUTPUTS,
    ];
    !PROMPT_NAMES.contains(&key) && names.into_iter().flatten().any(is_below)
}
