//! Who answers.

mod built_in;
mod completion;
mod delta;
mod openai;

use std::time::Duration;

use futures_util::stream::{BoxStream, Stream, StreamExt, TryStreamExt};
use serde::Serialize;

use crate::config::Config;
use crate::error::{SetupError, UpstreamError};
use crate::message::Message;
use built_in::BuiltIn;
pub use built_in::HUMAN_PACE;
pub(crate) use delta::Delta;
use openai::OpenAi;

/// An answer on its way.
pub(crate) type Deltas = BoxStream<'static, Result<Delta, UpstreamError>>;

/// Who answers: a model endpoint, or a few lines of Rust.
#[derive(Debug)]
pub struct Responder {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    BuiltIn(BuiltIn),
    OpenAi(OpenAi),
}

/// What HoneyHive is told of the model.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct About<'a> {
    pub(crate) provider: &'static str,
    pub(crate) model: &'a str,
}

impl Responder {
    /// The endpoint that the settings name, else the built-in one at a human pace.
    ///
    /// # Errors
    ///
    /// Where the endpoint's settings cannot be used.
    pub fn new(config: &Config) -> Result<Self, SetupError> {
        Ok(match &config.openai {
            Some(openai) => Self {
                kind: Kind::OpenAi(OpenAi::new(openai)?),
            },
            None => Self::built_in(HUMAN_PACE),
        })
    }

    /// The built-in one, which rests this long between two words.
    #[must_use]
    pub const fn built_in(pace: Duration) -> Self {
        Self {
            kind: Kind::BuiltIn(BuiltIn::new(pace)),
        }
    }

    pub(crate) fn about(&self) -> About<'_> {
        match &self.kind {
            Kind::BuiltIn(_) => About {
                provider: "chat-support",
                model: "built-in",
            },
            Kind::OpenAi(openai) => About {
                provider: "openai",
                model: openai.model(),
            },
        }
    }

    /// The answer to the last of the messages, in one piece.
    pub(crate) async fn answer(&self, messages: &[Message]) -> Result<Delta, UpstreamError> {
        match &self.kind {
            Kind::BuiltIn(built_in) => whole(built_in.stream(messages)).await,
            Kind::OpenAi(openai) => openai.answer(messages).await,
        }
    }

    /// The same, as it comes.
    pub(crate) async fn stream(&self, messages: &[Message]) -> Result<Deltas, UpstreamError> {
        match &self.kind {
            Kind::BuiltIn(built_in) => Ok(built_in.stream(messages).boxed()),
            Kind::OpenAi(openai) => openai.stream(messages).await,
        }
    }
}

async fn whole(
    deltas: impl Stream<Item = Result<Delta, UpstreamError>>,
) -> Result<Delta, UpstreamError> {
    let mut answer = Delta::default();
    let mut deltas = std::pin::pin!(deltas);
    while let Some(delta) = deltas.try_next().await? {
        answer.merge(delta);
    }
    Ok(answer)
}
