//! [`Operation`].

use std::fmt;

/// The operation that a model is asked for, by the names of OpenTelemetry's GenAI conventions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Operation {
    /// The answer to a conversation.
    #[default]
    Chat,
    /// The continuation of a text.
    TextCompletion,
    /// Vectors of texts.
    Embeddings,
    /// Pictures.
    ImageGeneration,
    /// Speech of a text.
    AudioGeneration,
    /// The text of speech.
    Transcription,
}

impl Operation {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::TextCompletion => "text_completion",
            Self::Embeddings => "embeddings",
            Self::ImageGeneration => "image_generation",
            Self::AudioGeneration => "audio_generation",
            Self::Transcription => "transcription",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
