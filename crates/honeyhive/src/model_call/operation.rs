//! [`Operation`] names what a model is asked for.

use std::fmt;

/// The operation that a model is asked for has a name of OpenTelemetry's GenAI conventions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Operation {
    /// The model answers a conversation.
    #[default]
    Chat,
    /// The model continues a text.
    TextCompletion,
    /// The model turns texts into vectors.
    Embeddings,
    /// The model makes pictures.
    ImageGeneration,
    /// The model speaks a text.
    AudioGeneration,
    /// The model writes speech down.
    Transcription,
}

impl Operation {
    /// Returns the name on the wire.
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
