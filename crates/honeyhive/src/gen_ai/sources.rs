//! The attributes of a span that may hold its inputs and outputs are tried in turn, the surest first.

use opentelemetry::KeyValue;
use opentelemetry::trace::Event;
use serde_json::{Map, Value as Json, json};

use super::around::is_chat;
use super::events::{self, EventMessages};
use super::message::messages;
use super::usage::{FINISH_REASONS, first_reason};
use super::{flat, lenient};
use crate::attributes::{
    GEN_AI_COMPLETION, GEN_AI_INPUT_MESSAGES, GEN_AI_OUTPUT_MESSAGES, GEN_AI_PROMPT,
    GEN_AI_SYSTEM_INSTRUCTIONS, GEN_AI_TOOL_ARGUMENTS, GEN_AI_TOOL_RESULT,
};
use crate::model::object::Object;

/// The lists of messages come as one attribute a leaf: the conventions, OpenInference, then Traceloop as it is and as
/// it was.
pub(super) const FLAT_INPUTS: &[&str] = &[
    GEN_AI_INPUT_MESSAGES,
    "llm.input_messages",
    GEN_AI_PROMPT,
    "llm.prompts",
];
pub(super) const FLAT_OUTPUTS: &[&str] = &[
    GEN_AI_OUTPUT_MESSAGES,
    "llm.output_messages",
    GEN_AI_COMPLETION,
    "llm.completions",
    "llm.choices",
];
/// These attributes have the inputs and the outputs of any step: Langfuse, Traceloop, OpenInference, Vercel.
pub(super) const ANY_INPUTS: &[&str] = &[
    "langfuse.observation.input",
    "langfuse.input",
    "langfuse.trace.input",
    "traceloop.entity.input",
    "input.value",
    "ai.toolCall.args",
];
pub(super) const ANY_OUTPUTS: &[&str] = &[
    "langfuse.observation.output",
    "langfuse.output",
    "langfuse.trace.output",
    "traceloop.entity.output",
    "output.value",
    "ai.toolCall.result",
    "ai.response.object",
];
/// These attributes have the prompt of Vercel's AI SDK, the messages first.
pub(super) const VERCEL_PROMPTS: [&str; 2] = ["ai.prompt.messages", "ai.prompt"];
pub(super) const VERCEL_TEXT: &str = "ai.response.text";
pub(super) const VERCEL_CALLS: &str = "ai.response.toolCalls";

/// Returns whether any of the attributes is there, as on few spans.
pub(super) fn is_told(attributes: &[KeyValue], events: &[Event]) -> bool {
    const BEGINNINGS: [&str; 7] = [
        "gen_ai.",
        "ai.",
        "llm.",
        "langfuse.",
        "traceloop.entity.",
        "input.value",
        "output.value",
    ];
    let is_said = |key: &str| BEGINNINGS.iter().any(|it| key.starts_with(it));
    events.iter().any(|event| event.name.starts_with("gen_ai."))
        || attributes.iter().any(|it| is_said(it.key.as_str()))
}

/// The sources are the messages that a span has in its attributes and events.
pub(super) struct Sources<'s> {
    attributes: Vec<&'s KeyValue>,
    of_events: EventMessages,
    flat: [Option<Json>; 2],
    flat_instructions: Option<Json>,
}

impl<'s> Sources<'s> {
    pub(super) fn of(attributes: &'s [KeyValue], events: &'s [Event]) -> Self {
        let below = |names: &[&str]| names.iter().find_map(|name| list_of(attributes, name));
        Self {
            flat: [below(FLAT_INPUTS), below(FLAT_OUTPUTS)],
            flat_instructions: flat::below(attributes, GEN_AI_SYSTEM_INSTRUCTIONS),
            attributes: attributes.iter().chain(events::details(events)).collect(),
            of_events: events::messages(events),
        }
    }

    pub(super) fn inputs(&self) -> Object {
        let mut inputs = match self.read(GEN_AI_TOOL_ARGUMENTS) {
            Some(Json::Object(arguments)) => arguments,
            Some(other) => Map::from_iter([("arguments".to_owned(), other)]),
            None => Map::new(),
        };
        let history = self.history();
        if !history.is_empty() {
            inputs.insert("chat_history".to_owned(), history.into());
        } else if let Some(prompt) = self.plain(GEN_AI_PROMPT) {
            inputs.insert("prompt".to_owned(), prompt);
        }
        if inputs.is_empty()
            && let Some(any) = self.any(ANY_INPUTS)
        {
            match any {
                chat if is_chat(&chat) => {
                    let history: Vec<_> = messages(&chat, "user");
                    inputs.insert("chat_history".to_owned(), history.into());
                }
                Json::Object(entries) => inputs = entries,
                other => drop(inputs.insert("input".to_owned(), other)),
            }
        }
        inputs
    }

    /// Returns the conversation up to the call, the instructions first.
    fn history(&self) -> Vec<Object> {
        let asked = self.asked();
        let instructions = self.read(GEN_AI_SYSTEM_INSTRUCTIONS);
        let instructions = instructions.or_else(|| self.flat_instructions.clone());
        let mut history =
            instructions.map_or_else(Vec::new, |instructions| messages(&instructions, "system"));
        // Some libraries have the instructions among the messages, too.
        history.retain(|said| !asked.iter().any(|it| is_same_instruction(said, it)));
        history.extend(asked);
        if let (false, Some(Json::String(prompt))) = (history.is_empty(), self.lone_prompt()) {
            history.extend(messages(&prompt.into(), "user"));
        }
        history
    }

    /// Returns the prompt of an agent that has its instructions elsewhere, and no messages.
    fn lone_prompt(&self) -> Option<Json> {
        let is_told = self.plain(GEN_AI_INPUT_MESSAGES).is_some()
            || self.chat(GEN_AI_PROMPT).is_some()
            || self.flat[0].is_some()
            || !self.of_events.inputs.is_empty();
        self.plain(GEN_AI_PROMPT).filter(|_| !is_told)
    }

    fn asked(&self) -> Vec<Object> {
        let asked = self
            .read(GEN_AI_INPUT_MESSAGES)
            .or_else(|| self.chat(GEN_AI_PROMPT))
            .or_else(|| self.flat[0].clone())
            .or_else(|| VERCEL_PROMPTS.iter().find_map(|name| self.read(name)));
        if let Some(asked) = asked {
            return messages(&asked, "user");
        }
        let inputs = self.of_events.inputs.iter();
        inputs
            .flat_map(|message| messages(message, "user"))
            .collect()
    }

    pub(super) fn outputs(&self) -> Object {
        let mut outputs = Map::new();
        if let Some(result) = self.result() {
            outputs.insert("result".to_owned(), result);
        }
        let mut answers = self.answers();
        match answers.len() {
            0 => {
                if let Some(text) = self.plain(GEN_AI_COMPLETION) {
                    outputs.insert("text".to_owned(), text);
                }
            }
            1 => {
                outputs.extend(answers.remove(0));
                self.know_reason(&mut outputs);
            }
            _ => drop(outputs.insert("chat_history".to_owned(), answers.into())),
        }
        if outputs.is_empty()
            && let Some(any) = self.any(ANY_OUTPUTS)
        {
            match any {
                chat if is_chat(&chat) => {
                    let mut answers = messages(&chat, "assistant");
                    match answers.len() {
                        1 => outputs.extend(answers.remove(0)),
                        _ => drop(outputs.insert("chat_history".to_owned(), answers.into())),
                    }
                }
                other => {
                    let name = if other.is_string() { "text" } else { "result" };
                    outputs.insert(name.to_owned(), other);
                }
            }
        }
        outputs
    }

    /// Replaces a reason that is not known, as rig writes of every answer without a tool, by the one that is.
    fn know_reason(&self, answer: &mut Object) {
        if answer.get("finish_reason").and_then(Json::as_str) != Some("unknown") {
            return;
        }
        let mut reasons = self.attributes.iter();
        let reasons = reasons.rfind(|it| it.key.as_str() == FINISH_REASONS);
        match reasons.and_then(|it| first_reason(&it.value)) {
            Some(reason) => answer.insert("finish_reason".to_owned(), reason.into()),
            None => answer.remove("finish_reason"),
        };
    }

    /// Returns the answer of the model.
    fn answers(&self) -> Vec<Object> {
        if let Some(said) = self.read(GEN_AI_OUTPUT_MESSAGES) {
            return messages(&said, "assistant");
        }
        let said = self
            .chat(GEN_AI_COMPLETION)
            .or_else(|| self.flat[1].clone())
            .or_else(|| self.vercel_answer());
        if let Some(said) = said {
            return messages(&said, "assistant");
        }
        let outputs = self.of_events.outputs.iter();
        outputs
            .flat_map(|message| messages(message, "assistant"))
            .collect()
    }

    fn vercel_answer(&self) -> Option<Json> {
        let (text, calls) = (self.plain(VERCEL_TEXT), self.read(VERCEL_CALLS));
        (text.is_some() || calls.is_some()).then(|| json!({"content": text, "tool_calls": calls}))
    }

    /// Returns the result of a tool: text, digit for digit, unless it is an object or a list.
    fn result(&self) -> Option<Json> {
        match self.plain(GEN_AI_TOOL_RESULT)? {
            Json::String(text) => Some(match lenient::read(&text) {
                Some(read @ (Json::Object(_) | Json::Array(_))) => read,
                _ => text.into(),
            }),
            other => Some(other),
        }
    }

    /// Returns the last value of a name, as it is.
    fn plain(&self, key: &str) -> Option<Json> {
        let mut attributes = self.attributes.iter();
        let attribute = attributes.rfind(|it| it.key.as_str() == key)?;
        Some(flat::json(&attribute.value))
    }

    /// Returns the attribute as JSON, if it is JSON.
    fn read(&self, key: &str) -> Option<Json> {
        self.plain(key).map(read)
    }

    /// Returns the attribute if it is JSON of messages: any other text stays a text.
    fn chat(&self, key: &str) -> Option<Json> {
        self.read(key).filter(is_chat)
    }

    fn any(&self, keys: &[&str]) -> Option<Json> {
        let mut found = keys.iter().filter_map(|key| Some((key, self.plain(key)?)));
        found.next().map(|(key, value)| match value {
            Json::String(text) if self.is_said_to_be_text(key) => text.into(),
            // A plain text stays a text, even if it looks like a number.
            Json::String(text) => match lenient::read(&text) {
                Some(read @ (Json::Object(_) | Json::Array(_))) => read,
                _ => text.into(),
            },
            other => other,
        })
    }

    /// Returns whether another attribute declares this one to be text, as in OpenInference.
    fn is_said_to_be_text(&self, key: &str) -> bool {
        let beside = key.strip_suffix(".value");
        let mime_type = beside.and_then(|key| self.plain(&format!("{key}.mime_type")));
        mime_type.as_ref().and_then(Json::as_str) == Some("text/plain")
    }
}

/// Returns a list that came as one attribute a leaf, or, by names that have nothing else, as one attribute.
fn list_of(attributes: &[KeyValue], name: &str) -> Option<Json> {
    let whole = || {
        let mut attributes = attributes.iter().filter(|_| name.starts_with("llm."));
        let attribute = attributes.rfind(|it| it.key.as_str() == name)?;
        Some(flat::undotted(read(flat::json(&attribute.value))))
    };
    flat::below(attributes, name).or_else(whole)
}

fn is_same_instruction(said: &Object, asked: &Object) -> bool {
    let role = asked.get("role").and_then(Json::as_str);
    matches!(role, Some("system" | "developer")) && said.get("content") == asked.get("content")
}

/// Returns the JSON in a text, which may have been serialised twice.
fn read(value: Json) -> Json {
    match value {
        Json::String(text) => match lenient::read(&text) {
            Some(Json::String(inner)) => match lenient::read(&inner) {
                Some(read @ (Json::Object(_) | Json::Array(_))) => read,
                _ => inner.into(),
            },
            // A number in a text stays the text.
            Some(read @ (Json::Object(_) | Json::Array(_))) => read,
            _ => text.into(),
        },
        other => other,
    }
}
