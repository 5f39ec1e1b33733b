//! A conversation consists of messages, replies, and the events of a stream.

use honeyhive::{EventId, SessionId};
use serde::Serialize;

use crate::error::ErrorReply;

/// A `Message` is one of a conversation, as model endpoints and HoneyHive's `chat_history` write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Message {
    pub(crate) role: Role,
    pub(crate) content: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    User,
    Assistant,
}

impl Message {
    pub(crate) fn user(content: impl Into<String>) -> Self {
        Self {
            role: Role::User,
            content: content.into(),
        }
    }

    pub(crate) fn assistant(content: impl Into<String>) -> Self {
        Self {
            role: Role::Assistant,
            content: content.into(),
        }
    }
}

/// A `ChatReply` is the answer to `POST /chat`, and the last event of `POST /chat/stream`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChatReply {
    /// The model's answer.
    pub reply: String,
    /// The session that this turn is in.
    pub session_id: SessionId,
    /// The turn, to be rated.
    pub event_id: EventId,
}

/// A `StreamEvent` is one event of `POST /chat/stream`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// The event has the next piece of the answer.
    Token(String),
    /// The event is the last one, and has the whole answer.
    Done(ChatReply),
    /// The event is the last one: the model endpoint failed half-way.
    Failed(ErrorReply),
}

impl StreamEvent {
    /// Returns the event as `text/event-stream` writes it.
    #[must_use]
    pub fn to_frame(&self) -> String {
        match self {
            Self::Token(token) => format!("data: {}\n\n", serde_json::json!({ "token": token })),
            Self::Done(reply) => format!("event: done\ndata: {}\n\n", json(reply)),
            Self::Failed(error) => format!("event: error\ndata: {}\n\n", json(error)),
        }
    }
}

/// Serialises on one line, as an event's data has to be. Texts and ids always serialise.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_with_line_breaks_stays_one_event() {
        let frame = StreamEvent::Token("a\n\nb".to_owned()).to_frame();
        assert_eq!(frame, "data: {\"token\":\"a\\n\\nb\"}\n\n");
    }
}
