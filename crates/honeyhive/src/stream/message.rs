//! [`Message`] is one turn of a conversation, with the attributes that show it.

use std::borrow::Cow;

use opentelemetry::{Key, KeyValue, Value as Shown};

use super::json::Text;
use super::message_keys::Field;

/// A role, a name or an id has this many bytes at the most.
pub(super) const MAX_WORD: usize = 512;

/// A message has the form that HoneyHive's chat view reads.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) role: Cow<'static, str>,
    pub(super) content: String,
    pub(super) tool_calls: Vec<Called>,
    pub(super) tool_call_id: Option<String>,
}

/// A model has called this tool.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) arguments: String,
}

impl Message {
    pub(super) fn of(role: &str) -> Self {
        Self {
            role: role_of(role),
            ..Self::default()
        }
    }

    /// Returns the number of attributes that show the message.
    pub(super) fn attributes(&self) -> usize {
        let own = [!self.content.is_empty(), self.tool_call_id.is_some()];
        1 + own.into_iter().filter(|it| *it).count() + 3 * self.tool_calls.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.content.is_empty() && self.tool_calls.is_empty() && self.tool_call_id.is_none()
    }

    /// Adds the attributes that show the message, by its number in the conversation.
    #[inline] // A call would copy the message.
    pub(super) fn put(self, index: usize, attributes: &mut Vec<KeyValue>) {
        let mut put = |key: Key, value: Shown| attributes.push(KeyValue::new(key, value));
        put(Field::Role.of_message(index), self.role.into());
        if !self.content.is_empty() {
            put(Field::Content.of_message(index), self.content.into());
        }
        if let Some(id) = self.tool_call_id {
            put(Field::ToolCallId.of_message(index), id.into());
        }
        for (call, called) in self.tool_calls.into_iter().enumerate() {
            let key =
                |name| format!("honeyhive_inputs.chat_history.{index}.tool_calls.{call}.{name}");
            if let Some(id) = called.id {
                put(key("id").into(), id.into());
            }
            put(key("name").into(), called.name.into());
            put(key("arguments").into(), called.arguments.into());
        }
    }
}

/// Returns the role of a message, whose name most APIs have in common.
fn role_of(role: &str) -> Cow<'static, str> {
    Cow::Borrowed(match role {
        "user" => "user",
        "assistant" | "model" => "assistant",
        "system" => "system",
        "tool" => "tool",
        "developer" => "developer",
        _ => {
            let end = role.len().min(MAX_WORD);
            return role.get(..end).unwrap_or("user").to_owned().into();
        }
    })
}

pub(super) fn word(text: Text<'_>) -> String {
    text.bounded(MAX_WORD)
}
