//! A run has sessions and events.

use serde_json::Value;

use crate::model::{LocalEvent, LocalSession, Object};

/// A `RunRow` is a session or an event of a run, with the fields that a summary looks at.
#[derive(Debug, Clone)]
pub(crate) struct RunRow {
    pub(crate) event_id: String,
    pub(crate) session_id: String,
    pub(crate) event_name: String,
    /// The event's type; `session` for the session itself.
    pub(crate) event_type: String,
    /// The datapoint of the event, else that of its session.
    pub(crate) datapoint_id: Option<String>,
    pub(crate) metrics: Object,
    pub(crate) failed: bool,
    /// The whole session or event, as HoneyHive answers with it.
    pub(crate) answer: Value,
}

impl RunRow {
    pub(crate) fn of_session(session: &LocalSession, answer: Value) -> Self {
        let name = session.name.clone();
        Self {
            event_id: session.session_id.clone(),
            session_id: session.session_id.clone(),
            event_name: name.unwrap_or_else(|| "unknown".to_owned()),
            event_type: "session".to_owned(),
            datapoint_id: datapoint(&session.metadata),
            metrics: session.metrics.clone(),
            failed: session.error.is_some() || session.metadata.contains_key("error"),
            answer,
        }
    }

    pub(crate) fn of_event(event: &LocalEvent, session: &Self, answer: Value) -> Self {
        Self {
            event_id: event.event_id.clone(),
            session_id: event.session_id.clone(),
            event_name: event.event_name.clone(),
            event_type: event.event_type.clone(),
            datapoint_id: datapoint(&event.metadata).or_else(|| session.datapoint_id.clone()),
            metrics: event.metrics.clone(),
            failed: event.error.is_some(),
            answer,
        }
    }

    /// Returns the name of the datapoint in lists: its id, or the session where it has none.
    pub(crate) fn subject(&self) -> &str {
        self.datapoint_id.as_deref().unwrap_or(&self.session_id)
    }
}

fn datapoint(metadata: &Object) -> Option<String> {
    let id = metadata.get("datapoint_id")?.as_str()?;
    (!id.is_empty()).then(|| id.to_owned())
}
