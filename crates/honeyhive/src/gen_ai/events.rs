//! Messages may come as events of a span, as the conventions had them before they became attributes.

use opentelemetry::KeyValue;
use opentelemetry::trace::Event;
use serde_json::{Map, Value as Json};

use super::{flat, lenient};

/// The messages are the inputs and outputs in a span's events.
#[derive(Debug, Default)]
pub(super) struct EventMessages {
    pub(super) inputs: Vec<Json>,
    pub(super) outputs: Vec<Json>,
}

pub(super) fn messages(events: &[Event]) -> EventMessages {
    let mut messages = EventMessages::default();
    for event in events {
        let Some(name) = event.name.strip_prefix("gen_ai.") else {
            continue;
        };
        match name {
            "choice" => messages
                .outputs
                .push(message(&event.attributes, "assistant")),
            "content.prompt" => messages
                .inputs
                .extend(content(&event.attributes, "gen_ai.prompt")),
            "content.completion" => {
                messages
                    .outputs
                    .extend(content(&event.attributes, "gen_ai.completion"));
            }
            _ => {
                if let Some(role) = name.strip_suffix(".message") {
                    messages.inputs.push(message(&event.attributes, role));
                }
            }
        }
    }
    messages
}

/// Returns the attributes of the event that the conventions have besides a span's.
pub(super) fn details(events: &[Event]) -> impl Iterator<Item = &KeyValue> {
    const NAME: &str = "gen_ai.client.inference.operation.details";
    let events = events.iter().filter(|event| event.name == NAME);
    events.flat_map(|event| &event.attributes)
}

fn content(attributes: &[KeyValue], key: &str) -> Option<Json> {
    let found = attributes.iter().find(|it| it.key.as_str() == key)?;
    Some(flat::json(&found.value))
}

/// Makes a message of the attributes, as JSON where they are no text.
fn message(attributes: &[KeyValue], role: &str) -> Json {
    let mut message = Map::new();
    message.insert("role".to_owned(), role.into());
    for attribute in attributes {
        let name = attribute.key.as_str();
        if name.starts_with("gen_ai.") {
            continue;
        }
        let value = match flat::json(&attribute.value) {
            Json::String(text) if text.starts_with(['{', '[']) => {
                lenient::read(&text).unwrap_or(Json::String(text))
            }
            other => other,
        };
        let name = if name == "id" && role == "tool" {
            "tool_call_id"
        } else {
            name
        };
        message.insert(name.to_owned(), value);
    }
    Json::Object(message)
}
