//! [`Event`]: what was recorded.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::event_kind::EventKind;
use super::open::{number, object, or_default, text};

/// An event, as HoneyHive has it. A session is one, too.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Event {
    /// The event's id; for a session, the session's id.
    pub event_id: String,
    /// The event's session.
    #[serde(deserialize_with = "or_default")]
    pub session_id: String,
    /// The parent event.
    pub parent_id: Option<String>,
    /// The event's name.
    #[serde(deserialize_with = "or_default")]
    pub event_name: String,
    /// The kind of the event.
    #[serde(deserialize_with = "or_default")]
    pub event_type: EventKind,
    /// The source of the event.
    pub source: Option<String>,
    /// The inputs.
    #[serde(deserialize_with = "object")]
    pub inputs: Map<String, Value>,
    /// The outputs.
    #[serde(deserialize_with = "object")]
    pub outputs: Map<String, Value>,
    /// The settings of the step, such as the model's parameters.
    #[serde(deserialize_with = "object")]
    pub config: Map<String, Value>,
    /// Facts about the event.
    #[serde(deserialize_with = "object")]
    pub metadata: Map<String, Value>,
    /// Feedback of people, `ground_truth` among it.
    #[serde(deserialize_with = "object")]
    pub feedback: Map<String, Value>,
    /// Numbers about the event.
    #[serde(deserialize_with = "object")]
    pub metrics: Map<String, Value>,
    /// The user that the event belongs to.
    #[serde(deserialize_with = "object")]
    pub user_properties: Map<String, Value>,
    /// The latest scores of HoneyHive's evaluators, by their names.
    #[serde(deserialize_with = "object")]
    pub evaluations: Map<String, Value>,
    /// The error, where the event failed.
    #[serde(deserialize_with = "text")]
    pub error: Option<String>,
    /// The event's start, in Unix milliseconds.
    #[serde(deserialize_with = "number")]
    pub start_time: Option<f64>,
    /// The event's end, in Unix milliseconds.
    #[serde(deserialize_with = "number")]
    pub end_time: Option<f64>,
    /// The event's length in milliseconds.
    #[serde(deserialize_with = "number")]
    pub duration: Option<f64>,
    /// The ids of the child events.
    #[serde(deserialize_with = "or_default")]
    pub children_ids: Vec<String>,
}
