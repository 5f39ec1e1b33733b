//! The function's own work is the same, whatever made the session.

use honeyhive::{Enrichment, SessionId, json};
use serde::{Deserialize, Serialize};

use crate::tracer;

/// The function gets an `Event`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// The message's text.
    pub message: String,
    /// The session to go on in, from an earlier answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// The function answers with an `Answer`.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The session, for the next event; none where nothing is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The result of the message.
    pub result: Processed,
}

/// `Processed` is the result of a message.
#[derive(Debug, Clone, Serialize)]
pub struct Processed {
    /// The number of words.
    pub words: usize,
}

/// The error says that the message is empty, so nothing can be processed.
#[derive(Debug, thiserror::Error)]
#[error("the message is empty")]
pub struct EmptyMessage;

/// Processes a message, as a span of the current session.
///
/// # Errors
///
/// Where the message is empty; the error is on the span.
#[honeyhive::trace(event_type = "tool")]
pub async fn process_event(event: &Event) -> Result<Processed, EmptyMessage> {
    if let Some(tracer) = tracer() {
        tracer.enrich_span(Enrichment::new().metadata(json!({"bytes": event.message.len()})));
    }
    match event.message.split_whitespace().count() {
        0 => Err(EmptyMessage),
        words => Ok(Processed { words }),
    }
}
