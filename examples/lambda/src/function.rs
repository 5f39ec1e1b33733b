//! What the function does, whoever made the session.

use honeyhive::{Enrichment, SessionId, json};
use serde::{Deserialize, Serialize};

use crate::tracer;

/// The event of the function.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// What is said.
    pub message: String,
    /// The session to go on in, from an earlier answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// The answer of the function.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The session, for the next event; none where nothing is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// What came of the message.
    pub result: Processed,
}

/// What came of a message.
#[derive(Debug, Clone, Serialize)]
pub struct Processed {
    /// How many words it has.
    pub words: usize,
}

/// There is nothing to process.
#[derive(Debug, thiserror::Error)]
#[error("the message is empty")]
pub struct EmptyMessage;

/// Processes a message. It is a span of whichever session is current.
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
