//! [`Format`] is the API whose words a stream or a body speaks.

use super::json::{Json, Text};
use super::reply::Reply;
use super::{anthropic, chat, gemini, interactions, other, responses, vercel};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Chat,
    Responses,
    Anthropic,
    Gemini,
    Interactions,
    UiMessages,
    Ollama,
    Embeddings,
    Images,
    Speech,
    Transcription,
    Texts,
}

/// The fields of an event are found in one pass.
#[derive(Default)]
struct Seen<'a> {
    kind: Option<Text<'a>>,
    is_response: bool,
    is_chat: bool,
    is_gemini: bool,
    is_done: bool,
    has_message: bool,
    has_vectors: bool,
    has_data: bool,
    has_text: bool,
}

impl Format {
    /// Recognises the format by one event, or by a body. Events from the middle of a stream count, too, since the first
    /// event may be missing.
    pub(super) fn of(event: Json<'_>) -> Option<Self> {
        let mut seen = Seen::default();
        for (name, value) in event.fields() {
            match name {
                b"type" => seen.kind = value.said(),
                // Most streams say so near the beginning of each event.
                b"object" if value.begins("chat.completion") => return Some(Self::Chat),
                b"object" if value.says("interaction") => return Some(Self::Interactions),
                b"object" => seen.is_response = value.says("response"),
                b"event_type" if value.begins("interaction.") || value.begins("step.") => {
                    return Some(Self::Interactions);
                }
                b"choices" => seen.is_chat |= value.is_list(),
                b"x_groq" => seen.is_chat = true,
                b"candidates" => seen.is_gemini |= value.is_list(),
                b"usageMetadata" | b"promptFeedback" => seen.is_gemini = true,
                b"done" => seen.is_done = true,
                b"message" | b"response" => seen.has_message = true,
                b"embedding" | b"embeddings" => seen.has_vectors = true,
                b"data" => seen.has_data = value.is_list(),
                b"text" => seen.has_text = true,
                _ => {}
            }
        }
        let kind = seen.kind.and_then(|it| Self::of_type(it.written(), event));
        if kind.is_some() {
            return kind;
        }
        Some(if seen.is_response {
            Self::Responses
        } else if seen.is_chat {
            Self::Chat
        } else if seen.is_gemini {
            Self::Gemini
        } else if seen.is_done && seen.has_message {
            Self::Ollama
        } else if seen.has_vectors {
            Self::Embeddings
        } else if seen.has_data {
            Self::of_data(event)?
        } else if seen.has_text {
            Self::Texts
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
            _ if kind.starts_with("transcript.text.") => Some(Self::Transcription),
            _ if kind.starts_with("speech.audio.") => Some(Self::Speech),
            _ if kind.starts_with("image_generation.") || kind.starts_with("image_edit.") => {
                Some(Self::Images)
            }
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
            Self::Interactions => interactions::take(reply, event),
            Self::UiMessages => vercel::take(reply, event),
            Self::Ollama => other::take_ollama(reply, event),
            Self::Embeddings => other::take_embeddings(reply, event),
            Self::Images => other::take_images(reply, event),
            Self::Speech => other::take_speech(reply, event),
            Self::Transcription => other::take_transcription(reply, event),
            Self::Texts => other::take_texts(reply, event),
        }
    }
}

/// Takes an error that only the name of its event tells of.
pub(super) fn take_named_error(reply: &mut Reply, event: Json<'_>) {
    let kind = ["type", "code"].iter().find_map(|key| event.text_in(key));
    reply.fail(kind, event.text().or_else(|| event.text_in("message")));
}

/// Takes a body that is an error as a whole, as Mistral writes it; returns whether it was one.
pub(super) fn take_whole_error(reply: &mut Reply, body: Json<'_>) -> bool {
    let is_error = body.is("object", "error");
    if is_error {
        reply.fail(body.text_in("type"), body.text_in("message"));
    }
    is_error
}

/// Takes a lone error, as every provider sends one in the middle of a stream; returns whether there was one.
pub(super) fn take_error(reply: &mut Reply, event: Json<'_>) -> bool {
    let (mut told, mut is_error) = (None, false);
    for (name, value) in event.fields() {
        match name {
            b"error" => told = Some(value),
            b"type" => is_error = value.says("error"),
            _ => {}
        }
    }
    if let Some(error) = told {
        let kind = ["type", "status", "code"]
            .iter()
            .find_map(|key| error.text_in(key));
        // OpenRouter's code is a number.
        let number = || {
            Some(Text::plain(
                error.get("code").filter(|it| it.count().is_some())?.raw(),
            ))
        };
        reply.fail(
            kind.or_else(number),
            error.text().or_else(|| error.text_in("message")),
        );
        return true;
    }
    if !is_error {
        return false;
    }
    let message = ["message", "errorText"]
        .iter()
        .find_map(|key| event.text_in(key));
    reply.fail(event.text_in("code"), message);
    true
}
