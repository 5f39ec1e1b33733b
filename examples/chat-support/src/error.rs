//! A turn can fail, with an HTTP status.

use std::error::Error;

use serde::Serialize;

use crate::request::{LONGEST_CONVERSATION_ID, LONGEST_MESSAGE};

/// The error says why a turn cannot be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The client has caused the error.
    #[error(transparent)]
    BadRequest(#[from] BadRequest),
    /// The model endpoint has caused the error.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl ChatError {
    /// Returns the HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::BadRequest(BadRequest::BodyTooLong | BadRequest::MessageTooLong) => 413,
            Self::BadRequest(_) => 400,
            Self::Upstream(_) => 502,
        }
    }

    /// Returns the body of the answer.
    #[must_use]
    pub fn body(&self) -> ErrorReply {
        ErrorReply {
            error: self.to_string(),
        }
    }
}

/// An `ErrorReply` is the answer to a turn that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorReply {
    /// The error's text.
    pub error: String,
}

/// The error says why a request makes no sense.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadRequest {
    /// The body could not be read.
    #[error("the body could not be read")]
    Unreadable,
    /// The body is too long to be looked at.
    #[error("the body is too long")]
    BodyTooLong,
    /// The body is not what it should be.
    #[error(r#"the body must be JSON such as {{"message": "hello"}}: {0}"#)]
    NotJson(#[source] serde_json::Error),
    /// The message is empty.
    #[error("`message` is missing or empty")]
    NoMessage,
    /// The message is too long.
    #[error("`message` is longer than {LONGEST_MESSAGE} bytes")]
    MessageTooLong,
    /// The conversation id cannot be used.
    #[error(
        "`conversation_id` must have at most {LONGEST_CONVERSATION_ID} bytes and no control characters"
    )]
    ConversationId,
}

/// The error says how the model endpoint has failed. No message holds its key or its address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// The endpoint refused the key. Its message may hold parts of the key, so it is not repeated.
    #[error("the model endpoint did not accept the key (status {0}): check OPENAI_API_KEY")]
    KeyRefused(u16),
    /// The endpoint answered with a status that is no success.
    #[error("the model endpoint answered with status {status}: {message}")]
    Refused {
        /// The status.
        status: u16,
        /// The endpoint's message, shortened.
        message: String,
    },
    /// The endpoint answered with success, and then with an error.
    #[error("the model endpoint reported an error: {0}")]
    Reported(String),
    /// The endpoint took too long.
    #[error("the model endpoint did not answer in time")]
    TimedOut,
    /// The endpoint could not be connected to.
    #[error("the model endpoint cannot be reached: {0}")]
    Unreachable(String),
    /// The connection ended before the answer did.
    #[error("the model endpoint's answer broke off")]
    BrokenOff,
    /// The endpoint's answer could not be understood.
    #[error("the model endpoint's answer makes no sense: {0}")]
    Nonsense(String),
}

impl From<reqwest::Error> for UpstreamError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TimedOut
        } else if error.is_connect() || error.is_request() {
            Self::Unreachable(root_cause(&error.without_url()))
        } else {
            Self::BrokenOff
        }
    }
}

/// Returns the innermost cause, such as "Connection refused": the layers above only say where they were.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.last().unwrap_or(error).to_string()
}

/// The error says why an example cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The model endpoint's address cannot be used. It is not repeated: it may hold a password.
    #[error("OPENAI_BASE_URL must look like https://api.openai.com/v1")]
    BaseUrl,
    /// The model endpoint's key cannot be used. It is not repeated either.
    #[error("OPENAI_API_KEY has characters that no key has")]
    ApiKey,
    /// The model endpoint's client cannot be made.
    #[error("the HTTP client for the model endpoint cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}
