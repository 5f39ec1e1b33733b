//! [`EventType`] is the type of a span's event; another library's span gets one by its attributes.

use std::fmt;
use std::str::FromStr;

use opentelemetry::{KeyValue, Value};

use crate::attributes::{
    AGENT_TYPE, EVENT_TYPE, GEN_AI_OPERATION, LANGFUSE_OBSERVATION_TYPE, LANGFUSE_TYPE,
    LLM_REQUEST_TYPE, OPENINFERENCE_KIND, TRACELOOP_KIND,
};
use crate::error::UnknownName;
use crate::log::Once;

/// A span's event has one of these types in HoneyHive.
///
/// ```
/// use honeyhive::EventType;
///
/// assert_eq!("model".parse(), Ok(EventType::Model));
/// assert_eq!(EventType::Chain.to_string(), "chain");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventType {
    /// The event is a call of a language model.
    Model,
    /// The event is a group of others: a turn, an agent, a pipeline.
    Chain,
    /// The event is anything else that does work: a function, an API, a vector search.
    Tool,
}

impl EventType {
    /// Returns the name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Chain => "chain",
            Self::Tool => "tool",
        }
    }

    /// Returns the type of a finished span: the one that its attributes name, else a chain when it has children and a
    /// tool when not. The type is never guessed from names.
    pub(crate) fn of_span(attributes: &[KeyValue], has_children: bool) -> Self {
        warn_of_unknown(attributes);
        Self::said(attributes).unwrap_or(if has_children {
            Self::Chain
        } else {
            Self::Tool
        })
    }

    /// Returns the type that a span's attributes name.
    pub(crate) fn said(attributes: &[KeyValue]) -> Option<Self> {
        SIGNALS
            .iter()
            .find_map(|(key, read)| read(text(attributes, key)?))
    }
}

impl FromStr for EventType {
    type Err = UnknownName;

    /// Takes `model`, `chain` and `tool`, in any case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        from_name(name).ok_or(UnknownName::expected("`model`, `chain` or `tool`"))
    }
}

impl TryFrom<&str> for EventType {
    type Error = UnknownName;

    fn try_from(name: &str) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Warns once per process that a field of `tracing` or an attribute names an unknown type.
fn warn_of_unknown(attributes: &[KeyValue]) {
    static TOLD: Once = Once::new();
    if let Some(said) = text(attributes, EVENT_TYPE).filter(|said| from_name(said).is_none()) {
        let said: String = said.chars().take(40).collect();
        TOLD.warn(format_args!(
            "a span has `{EVENT_TYPE} = {said:?}`, which is no event type, so it goes by what else is known of it: \
             write `model`, `chain` or `tool` (said once for all such cases)"
        ));
    }
}

type Reader = fn(&str) -> Option<EventType>;

/// The signals are tried in this order, the strongest first; honeyhive-local reads the same ones in the same order.
const SIGNALS: [(&str, Reader); 8] = [
    (EVENT_TYPE, from_name),
    (GEN_AI_OPERATION, from_gen_ai),
    (OPENINFERENCE_KIND, from_openinference),
    (TRACELOOP_KIND, from_traceloop),
    (LANGFUSE_OBSERVATION_TYPE, from_langfuse),
    (LANGFUSE_TYPE, from_langfuse),
    (AGENT_TYPE, from_agent_type),
    (LLM_REQUEST_TYPE, from_gen_ai),
];

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    attributes
        .iter()
        .rfind(|attribute| attribute.key.as_str() == key)
        .and_then(|attribute| match &attribute.value {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        })
}

fn from_name(name: &str) -> Option<EventType> {
    match name.to_ascii_lowercase().as_str() {
        "model" => Some(EventType::Model),
        "chain" => Some(EventType::Chain),
        "tool" => Some(EventType::Tool),
        _ => None,
    }
}

/// Returns the type for an operation of the OpenTelemetry GenAI conventions, or for one that rig adds.
fn from_gen_ai(operation: &str) -> Option<EventType> {
    match operation.to_ascii_lowercase().as_str() {
        "chat"
        | "text_completion"
        | "generate_content"
        | "embeddings"
        | "chat_streaming"
        | "interactions"
        | "interactions_streaming"
        | "image_generation"
        | "audio_generation"
        | "transcription" => Some(EventType::Model),
        "invoke_agent" | "create_agent" | "invoke_workflow" | "plan" => Some(EventType::Chain),
        "execute_tool" | "retrieval" | "rerank" => Some(EventType::Tool),
        _ => None,
    }
}

fn from_openinference(kind: &str) -> Option<EventType> {
    match kind.to_ascii_uppercase().as_str() {
        "LLM" => Some(EventType::Model),
        "CHAIN" | "AGENT" => Some(EventType::Chain),
        // An embedding is a model event by the conventions; of OpenInference's the official SDK makes a tool.
        "TOOL" | "RETRIEVER" | "EMBEDDING" | "RERANKER" | "GUARDRAIL" => Some(EventType::Tool),
        _ => None,
    }
}

fn from_traceloop(kind: &str) -> Option<EventType> {
    match kind.to_ascii_lowercase().as_str() {
        "workflow" | "agent" | "task" => Some(EventType::Chain),
        "tool" => Some(EventType::Tool),
        _ => None,
    }
}

fn from_langfuse(kind: &str) -> Option<EventType> {
    Some(if kind.eq_ignore_ascii_case("generation") {
        EventType::Model
    } else {
        EventType::Chain
    })
}

fn from_agent_type(kind: &str) -> Option<EventType> {
    match kind.to_ascii_lowercase().as_str() {
        "llm" => Some(EventType::Model),
        "agent" => Some(EventType::Chain),
        "tool" => Some(EventType::Tool),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)], has_children: bool) -> EventType {
        let attributes: Vec<_> = pairs
            .iter()
            .map(|(key, value)| KeyValue::new(*key, *value))
            .collect();
        EventType::of_span(&attributes, has_children)
    }

    #[test]
    fn an_explicit_type_always_wins_even_tool() {
        let pairs = [(EVENT_TYPE, "tool"), (GEN_AI_OPERATION, "chat")];
        assert_eq!(of(&pairs, true), EventType::Tool);
    }

    #[test]
    fn conventions_are_read_in_order() {
        assert_eq!(of(&[(GEN_AI_OPERATION, "Chat")], false), EventType::Model);
        assert_eq!(
            of(&[(GEN_AI_OPERATION, "chat_streaming")], false),
            EventType::Model
        );
        assert_eq!(
            of(
                &[(GEN_AI_OPERATION, "chat"), (OPENINFERENCE_KIND, "TOOL")],
                false
            ),
            EventType::Model
        );
        assert_eq!(
            of(
                &[
                    (GEN_AI_OPERATION, "unheard_of"),
                    (OPENINFERENCE_KIND, "llm")
                ],
                false
            ),
            EventType::Model
        );
        assert_eq!(of(&[(TRACELOOP_KIND, "workflow")], false), EventType::Chain);
        assert_eq!(
            of(&[(LANGFUSE_TYPE, "GENERATION")], false),
            EventType::Model
        );
    }

    #[test]
    fn a_type_is_read_by_its_name_and_nothing_else_is_one() {
        for kind in [EventType::Model, EventType::Chain, EventType::Tool] {
            assert_eq!(kind.as_str().to_uppercase().parse(), Ok(kind));
        }
        for other in ["", " model", "models", "llm"] {
            let error = other.parse::<EventType>().unwrap_err();
            assert!(error.to_string().contains("`model`, `chain` or `tool`"));
        }
    }

    #[test]
    fn without_a_signal_children_decide_and_names_do_not() {
        assert_eq!(of(&[], true), EventType::Chain);
        assert_eq!(of(&[("some", "gpt-chat-model")], false), EventType::Tool);
    }
}
