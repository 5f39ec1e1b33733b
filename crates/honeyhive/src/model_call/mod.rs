//! The record of a call of a language model has its prompt, answer, tokens, the time to the first of them, and the
//! outcome (feature `model-calls`).
//!
//! With an instrumented client (`honeyhive-openai`, `honeyhive-reqwest`) nothing here is called by hand. With any other
//! use [`HoneyHiveTracer::model_call`](crate::HoneyHiveTracer::model_call):
//!
//! ```
//! use honeyhive::{json, testing};
//!
//! let (tracer, captured) = testing::tracer();
//! let session = tracer.create_session("support-chat");
//! session.in_scope(|| {
//!     let call = tracer
//!         .model_call("anthropic", "claude-x")
//!         .messages(json!([{"role": "user", "content": "6 * 7?"}]))
//!         .start();
//!     call.answer("42").tokens(11, 1).finish_reason("stop"); // or `reply(&body)`, or `record_bytes(stream)`
//! });
//!
//! let event = captured.only_session().event("chat claude-x").clone();
//! assert_eq!(event.text("honeyhive_outputs.content").as_deref(), Some("42"));
//! assert_eq!(event.text("honeyhive_metadata.output_tokens").as_deref(), Some("1"));
//! ```
//!
//! # What an event says
//!
//! | Where | What |
//! |---|---|
//! | `inputs.chat_history` | the messages, each with `role`, `content`, `tool_calls`, `tool_call_id`; a picture is `[image, 120 KB]` |
//! | `inputs.input` | texts to embed, the prompt of a picture |
//! | `config` | `model`, `provider`, the settings of the request, the names of the tools |
//! | `outputs` | `role`, `content`, `tool_calls`, `reasoning`, `finish_reason`; of several choices a `chat_history`; of what is no text a mark: `images`, `audio`, `embeddings` |
//! | `metadata` | `input_tokens` (cache included), `output_tokens` (reasoning included), `cache_read_input_tokens`, `cache_write_input_tokens`, `reasoning_tokens`, `time_to_first_token_ms`, `response_model`, `response_id`, `status_code`, `finish_reason`, `cost`, `outcome` |
//! | `error` | what the provider said, the HTTP status, or what broke the stream |
//!
//! `metadata.outcome` is `complete`, `truncated` (the response ended before the answer), `dropped` (the reader was
//! dropped before the answer had ended) or `error`. The matching `gen_ai.…` attributes are there, too.
//!
//! # Never twice
//!
//! A call inside the span of a model call (`EventType::Model`, `#[trace(event_type = "model")]`, a `tracing` span that
//! names a model operation) fills that span instead of starting another, and what the program has said of it stays.

mod attributes;
mod body;
mod builder;
mod call;
mod endpoint;
mod error_text;
mod keys;
mod operation;
mod recorder;
#[cfg(all(test, feature = "testing"))]
mod recorder_tests;
mod shared;

pub use body::RecordedBody;
pub use builder::ModelCallBuilder;
pub use call::ModelCall;
pub use endpoint::Endpoint;
pub use error_text::ErrorText;
pub use operation::Operation;
pub use recorder::{RecordedStream, Recorder};
