//! A client's request is checked.

use serde::Deserialize;

use crate::error::BadRequest;

pub(crate) const LONGEST_MESSAGE: usize = 16 * 1024;
pub(crate) const LONGEST_CONVERSATION_ID: usize = 256;

/// A `ChatRequest` is the checked body of `POST /chat` and `POST /chat/stream`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChatRequest {
    #[serde(default)]
    pub(crate) message: String,
    pub(crate) conversation_id: Option<String>,
}

impl ChatRequest {
    /// A longer body is not worth reading: JSON may write each byte of a message as six.
    pub const LONGEST_BODY: usize = 7 * LONGEST_MESSAGE;

    /// Reads a body, whatever its content type says.
    ///
    /// # Errors
    ///
    /// Where it is no JSON, or its message or conversation id is not usable.
    pub fn from_json(body: &[u8]) -> Result<Self, BadRequest> {
        let mut request: Self = serde_json::from_slice(body).map_err(BadRequest::NotJson)?;
        request.conversation_id = request.conversation_id.filter(|id| !id.is_empty());
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), BadRequest> {
        if self.message.trim().is_empty() {
            return Err(BadRequest::NoMessage);
        }
        if self.message.len() > LONGEST_MESSAGE {
            return Err(BadRequest::MessageTooLong);
        }
        match &self.conversation_id {
            Some(id) if !is_usable(id) => Err(BadRequest::ConversationId),
            _ => Ok(()),
        }
    }
}

fn is_usable(conversation_id: &str) -> bool {
    conversation_id.len() <= LONGEST_CONVERSATION_ID
        && !conversation_id.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &serde_json::Value) -> Result<ChatRequest, BadRequest> {
        ChatRequest::from_json(body.to_string().as_bytes())
    }

    #[test]
    fn an_empty_conversation_id_is_none() {
        let request = read(&json!({"message": "hi", "conversation_id": ""})).unwrap();
        assert_eq!(request.conversation_id, None);
    }

    #[test]
    fn the_longest_message_passes_and_one_byte_more_does_not() {
        let longest = "x".repeat(LONGEST_MESSAGE);
        assert!(read(&json!({"message": longest})).is_ok());
        let refused = read(&json!({"message": format!("{longest}x")}));
        assert!(matches!(refused, Err(BadRequest::MessageTooLong)));
    }

    #[test]
    fn a_message_of_control_characters_fits_into_the_longest_body() {
        let body = json!({"message": "\u{1}".repeat(LONGEST_MESSAGE)}).to_string();
        assert!(body.len() < ChatRequest::LONGEST_BODY);
    }

    #[test]
    fn a_conversation_id_may_be_anything_short_and_printable() {
        for (id, usable) in [
            ("Urlaub in München", true),
            (&*"x".repeat(256), true),
            (&*"x".repeat(257), false),
            ("line\nbreak", false),
        ] {
            let read = read(&json!({"message": "hi", "conversation_id": id}));
            assert_eq!(read.is_ok(), usable, "{id:?}");
        }
    }
}
