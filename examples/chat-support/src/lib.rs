//! The chat examples have this in common, whatever their web framework.
//!
//! ```text
//! ChatRequest ─► Chat ─┬─► Conversations   what was said before, by session
//!                      ├─► Responder       built in, or an OpenAI-compatible endpoint (async-openai)
//!                      └─► Turn            a chain span and a model span around the answer
//! ChatReply or ReplyStream ◄─┘
//! ```
//!
//! An example adds the framework: it reads the body, hands over the request's session, and turns the
//! result into a response. [`Config`] and [`Telemetry`] serve its `main`.

mod chat;
mod config;
mod conversations;
mod error;
mod logging;
mod message;
mod reply_stream;
mod request;
mod responder;
mod turn;

/// The page is a chat with thumbs, in one file.
pub const PAGE: &str = include_str!("page.html");

pub use chat::Chat;
pub use config::{ApiKey, Config, OpenAiConfig};
pub use error::{BadRequest, ChatError, ErrorReply, SetupError, UpstreamError};
pub use example_telemetry::Telemetry;
pub use logging::log_to_stderr;
pub use message::{ChatReply, StreamEvent};
pub use reply_stream::ReplyStream;
pub use request::ChatRequest;
pub use responder::{HUMAN_PACE, Responder};
