//! [`Operation`].

use std::fmt;

/// What a model is asked to do, by the names of OpenTelemetry's GenAI conventions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Operation {
    /// To answer a conversation.
    #[default]
    Chat,
    /// To go on with a text.
    TextCompletion,
    /// To turn texts into vectors.
    Embeddings,
    /// To make pictures.
    ImageGeneration,
    /// To speak a text.
    AudioGeneration,
    /// To write down what was said.
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
