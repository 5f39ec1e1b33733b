//! [`Format`]: whose words a stream or a body speaks.

use super::json::Json;
use super::reply::Reply;
use super::{anthropic, chat, gemini, other, responses, vercel};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Chat,
    Responses,
    Anthropic,
    Gemini,
    UiMessages,
    Ollama,
    Embeddings,
    Images,
    Transcription,
}

impl Format {
    /// Tells the format by one event, or by a body. What stands in the middle of every stream counts, too: nobody
    /// promises that the first event comes first.
    pub(super) fn of(event: Json<'_>) -> Option<Self> {
        if let Some(kind) = event.text_in("type") {
            let kind = Self::of_type(kind.written(), event);
            if kind.is_some() {
                return kind;
            }
        }
        let has = |key: &str| event.get(key).is_some();
        let has_list = |key: &str| event.get(key).is_some_and(Json::is_list);
        Some(if event.is("object", "response") {
            Self::Responses
        } else if has_list("choices") || has("x_groq") {
            Self::Chat
        } else if has_list("candidates") || has("usageMetadata") || has("promptFeedback") {
            Self::Gemini
        } else if has("done") && (has("message") || has("response")) {
            Self::Ollama
        } else if has("embedding") || has("embeddings") {
            Self::Embeddings
        } else if has_list("data") {
            Self::of_data(event)?
        } else if has("text") {
            Self::Transcription
        } else {
            return None;
        })
    }

    fn of_type(kind: &str, event: Json<'_>) -> Option<Self> {
        match kind {
            "message_start" | "message_delta" | "message_stop" => Some(Self::Anthropic),
            "message" if event.get("content").is_some() => Some(Self::Anthropic),
            "start" | "start-step" | "finish-step" | "finish" | "abort" => Some(Self::UiMessages),
            _ if kind.starts_with("response.") => Some(Self::Responses),
            _ if kind.starts_with("content_block_") => Some(Self::Anthropic),
            _ if ["text-", "reasoning-", "tool-", "data-", "source-"]
                .iter()
                .any(|prefix| kind.starts_with(prefix)) =>
            {
                Some(Self::UiMessages)
            }
            _ => None,
        }
    }

    fn of_data(event: Json<'_>) -> Option<Self> {
        let first = event.list("data").next()?;
        if first.get("embedding").is_some() {
            return Some(Self::Embeddings);
        }
        let is_image = first.get("b64_json").is_some() || first.get("url").is_some();
        is_image.then_some(Self::Images)
    }

    pub(super) fn take(self, reply: &mut Reply, event: Json<'_>) {
        match self {
            Self::Chat => chat::take(reply, event),
            Self::Responses => responses::take(reply, event),
            Self::Anthropic => anthropic::take(reply, event),
            Self::Gemini => gemini::take(reply, event),
            Self::UiMessages => vercel::take(reply, event),
            Self::Ollama => other::take_ollama(reply, event),
            Self::Embeddings => other::take_embeddings(reply, event),
            Self::Images => other::take_images(reply, event),
            Self::Transcription => other::take_transcription(reply, event),
        }
    }
}

/// Takes an error that stands for itself, as every provider sends one in the middle of a stream; says whether there
/// was one.
pub(super) fn take_error(reply: &mut Reply, event: Json<'_>) -> bool {
    if let Some(error) = event.get("error") {
        let kind = ["type", "status", "code"]
            .iter()
            .find_map(|key| error.text_in(key));
        reply.fail(kind, error.text().or_else(|| error.text_in("message")));
        return true;
    }
    if !event.is("type", "error") {
        return false;
    }
    let message = ["message", "errorText"]
        .iter()
        .find_map(|key| event.text_in(key));
    reply.fail(event.text_in("code"), message);
    true
}
