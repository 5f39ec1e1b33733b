//! A responder answers messages.

mod built_in;
mod openai;

use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt, TryStreamExt};
use honeyhive::HoneyHiveTracer;
use serde::Serialize;

use crate::config::Config;
use crate::error::{SetupError, UpstreamError};
use crate::message::Message;
use built_in::BuiltIn;
pub use built_in::HUMAN_PACE;
use openai::OpenAi;

/// `Deltas` are the pieces of an answer on its way.
pub(crate) type Deltas = BoxStream<'static, Result<String, UpstreamError>>;

/// A `Responder` is a model endpoint, or a few lines of Rust.
#[derive(Debug)]
pub struct Responder {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    BuiltIn(BuiltIn),
    OpenAi(Box<OpenAi>),
}

/// `About` has the facts about the model that HoneyHive gets.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct About<'a> {
    pub(crate) provider: &'static str,
    pub(crate) model: &'a str,
}

impl Responder {
    /// Returns the endpoint that the settings name, else the built-in one at a human pace.
    ///
    /// # Errors
    ///
    /// Where the endpoint's settings cannot be used.
    pub fn new(config: &Config) -> Result<Self, SetupError> {
        Ok(match &config.openai {
            Some(openai) => Self {
                kind: Kind::OpenAi(Box::new(OpenAi::new(openai)?)),
            },
            None => Self::built_in(HUMAN_PACE),
        })
    }

    /// Returns the built-in responder, which rests this long between two words.
    #[must_use]
    pub const fn built_in(pace: Duration) -> Self {
        Self {
            kind: Kind::BuiltIn(BuiltIn::new(pace)),
        }
    }

    /// Lets HoneyHive see the calls of a model endpoint as they are.
    pub(crate) fn traced_by(self, tracer: &HoneyHiveTracer) -> Self {
        let kind = match self.kind {
            Kind::OpenAi(openai) => Kind::OpenAi(Box::new(openai.traced_by(tracer))),
            built_in @ Kind::BuiltIn(_) => built_in,
        };
        Self { kind }
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

    /// Returns the answer to the last of the messages, in one piece.
    pub(crate) async fn answer(&self, messages: &[Message]) -> Result<String, UpstreamError> {
        match &self.kind {
            Kind::BuiltIn(built_in) => built_in.stream(messages).try_collect().await,
            Kind::OpenAi(openai) => openai.answer(messages).await,
        }
    }

    /// Returns the answer in pieces, as it comes.
    pub(crate) async fn stream(&self, messages: &[Message]) -> Result<Deltas, UpstreamError> {
        match &self.kind {
            Kind::BuiltIn(built_in) => Ok(built_in.stream(messages).boxed()),
            Kind::OpenAi(openai) => openai.stream(messages).await,
        }
    }
}
