//! The texts of model calls are removed for programs that do not send them.

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Status};
use opentelemetry_sdk::trace::SpanData;

use super::sources::{
    ANY_INPUTS, ANY_OUTPUTS, FLAT_INPUTS, FLAT_OUTPUTS, VERCEL_CALLS, VERCEL_TEXT,
};
use crate::attributes::{
    ERROR, EVENT_TYPE, EXCEPTION, EXCEPTION_MESSAGE, GEN_AI_SYSTEM_INSTRUCTIONS,
    GEN_AI_TOOL_ARGUMENTS, GEN_AI_TOOL_RESULT, TRACER_NAME,
};
use crate::event_type::EventType;

/// These other names have such texts, alone or before a dot.
const CONTENT: [&str; 14] = [
    GEN_AI_SYSTEM_INSTRUCTIONS,
    VERCEL_CALLS,
    VERCEL_TEXT,
    "ai.prompt",
    "ai.response.reasoning",
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

/// These attributes name a stored prompt, and are no text of it.
const PROMPT_NAMES: [&str; 2] = ["gen_ai.prompt.name", "gen_ai.prompt.version"];

/// These attributes stay on an event about a message.
const ABOUT_MESSAGES: [&str; 4] = ["role", "index", "finish_reason", "id"];

/// Conventions and libraries describe a model call, an agent or its tool in these namespaces.
const NAMESPACES: [&str; 6] = [
    "gen_ai.",
    "ai.",
    "llm.",
    "openinference.",
    "traceloop.",
    "langfuse.",
];

/// These attributes stay on an error and on its event; providers quote prompts in the text of their errors.
const ABOUT_ERRORS: [&str; 4] = [ERROR_TYPE, "exception.type", "level", "target"];

/// These attributes have the text of an error.
const ERROR_TEXTS: [&str; 4] = [
    EXCEPTION_MESSAGE,
    "exception.stacktrace",
    "error.message",
    "error",
];

const ERROR_TYPE: &str = "error.type";

/// An event whose own name is its text gets this name.
const EVENT: &str = "event";

/// Removes the texts, and everything that could contain them.
pub(crate) fn hide(span: &mut SpanData) {
    if is_foreign_call(span) {
        hide_errors(span);
        span.events.events.iter_mut().for_each(hide_event);
    }
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

/// Returns whether the span is a call of a model, or a library's span around one, so that its errors are not the
/// program's own.
fn is_foreign_call(span: &SpanData) -> bool {
    let tells = |it: &KeyValue| {
        let key = it.key.as_str();
        NAMESPACES.iter().any(|prefix| key.starts_with(prefix))
            || key == EVENT_TYPE && it.value.as_str() == EventType::Model.as_str()
    };
    span.instrumentation_scope.name() != TRACER_NAME && span.attributes.iter().any(tells)
}

/// Removes the text of errors; their type stays.
fn hide_errors(span: &mut SpanData) {
    let of_events = span.events.events.iter().flat_map(|it| &it.attributes);
    let kinds = [ERROR_TYPE, "exception.type"];
    let kind = span
        .attributes
        .iter()
        .chain(of_events)
        .find(|it| kinds.contains(&it.key.as_str()))
        .map_or_else(|| "error".to_owned(), |it| it.value.as_str().into_owned());
    span.attributes
        .retain(|it| !ERROR_TEXTS.contains(&it.key.as_str()));
    for attribute in &mut span.attributes {
        if attribute.key.as_str() == ERROR {
            attribute.value = kind.clone().into();
        }
    }
    if let Status::Error { description } = &mut span.status {
        *description = kind.into();
    }
}

/// Removes the text of an event that is no message, except for its kind: libraries log whole requests.
fn hide_event(event: &mut Event) {
    if event.name.starts_with("gen_ai.") {
        return;
    }
    if event.name != EXCEPTION {
        event.name = EVENT.into();
    }
    event.attributes.retain(|it| {
        let key = it.key.as_str();
        ABOUT_ERRORS.contains(&key) || key.starts_with("gen_ai.")
    });
}

fn is_content(attribute: &KeyValue) -> bool {
    let key = attribute.key.as_str();
    let is_below = |name: &&str| {
        key.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let names = [
        &CONTENT[..],
        FLAT_INPUTS,
        FLAT_OUTPUTS,
        ANY_INPUTS,
        ANY_OUTPUTS,
    ];
    !PROMPT_NAMES.contains(&key) && names.into_iter().flatten().any(is_below)
}
