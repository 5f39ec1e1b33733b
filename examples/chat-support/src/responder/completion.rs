//! What an OpenAI-compatible endpoint is asked, and what it answers.

use serde::{Deserialize, Serialize};

use super::delta::{Delta, Facts};
use crate::error::UpstreamError;
use crate::message::Message;

/// The body of `POST /chat/completions`.
#[derive(Debug, Serialize)]
pub(super) struct CompletionRequest<'a> {
    model: &'a str,
    messages: &'a [Message],
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Debug, Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl<'a> CompletionRequest<'a> {
    pub(super) const fn whole(model: &'a str, messages: &'a [Message]) -> Self {
        Self {
            model,
            messages,
            stream: false,
            stream_options: None,
        }
    }

    pub(super) const fn streamed(model: &'a str, messages: &'a [Message]) -> Self {
        Self {
            model,
            messages,
            stream: true,
            // Token counts come in a chunk of their own, and only on request.
            stream_options: Some(StreamOptions {
                include_usage: true,
            }),
        }
    }
}

/// A whole answer, or one chunk of a stream.
#[derive(Debug, Deserialize)]
pub(super) struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<ApiError>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    /// `delta` in a stream.
    #[serde(alias = "delta", default)]
    message: Content,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Content {
    content: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct ApiError {
    #[serde(default)]
    message: String,
}

impl Completion {
    pub(super) fn from_json(json: &[u8]) -> Result<Self, UpstreamError> {
        serde_json::from_slice(json).map_err(|error| UpstreamError::Nonsense(error.to_string()))
    }

    /// What went wrong, according to the endpoint.
    pub(super) fn error(&self) -> Option<&str> {
        self.error.as_ref().map(|error| error.message.as_str())
    }

    pub(super) fn into_delta(self) -> Delta {
        let choice = self.choices.into_iter().next();
        let (text, finish_reason) = choice.map_or_else(Default::default, |choice| {
            (choice.message.content, choice.finish_reason)
        });
        Delta {
            text: text.unwrap_or_default(),
            facts: Facts {
                finish_reason,
                input_tokens: self.usage.as_ref().and_then(|usage| usage.prompt_tokens),
                output_tokens: self.usage.and_then(|usage| usage.completion_tokens),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(json: &str) -> Delta {
        Completion::from_json(json.as_bytes()).unwrap().into_delta()
    }

    #[test]
    fn chunks_add_up_to_the_whole_answer() {
        let whole = r#"{"choices": [{"message": {"role": "assistant", "content": "Hi!"}, "finish_reason": "stop"}],
                        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}"#;
        let mut sum = Delta::default();
        for chunk in [
            r#"{"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": null}], "usage": null}"#,
            r#"{"choices": [{"delta": {"content": "Hi"}}]}"#,
            r#"{"choices": [{"delta": {"content": "!"}}]}"#,
            r#"{"choices": [{"delta": {}, "finish_reason": "stop"}]}"#,
            r#"{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}"#,
        ] {
            sum.merge(delta(chunk));
        }
        assert_eq!(sum, delta(whole));
        assert_eq!(sum.text, "Hi!");
        assert_eq!(sum.facts.output_tokens, Some(2));
    }
}
