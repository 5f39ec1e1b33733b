//! [`Event`] reads an event that was recorded.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::event_kind::EventKind;
use super::open::{number, object, or_default, text};

/// An event is a recorded step, as HoneyHive has it. A session is one, too.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Event {
    /// The id names the event; for a session it is the session's id.
    pub event_id: String,
    /// The event belongs to this session.
    #[serde(deserialize_with = "or_default")]
    pub session_id: String,
    /// The id names the event that encloses this one.
    pub parent_id: Option<String>,
    /// The event has this name.
    #[serde(deserialize_with = "or_default")]
    pub event_name: String,
    /// The kind says what the event did.
    #[serde(deserialize_with = "or_default")]
    pub event_type: EventKind,
    /// The source tells where the event comes from, such as `production`.
    pub source: Option<String>,
    /// The event has these inputs.
    #[serde(deserialize_with = "object")]
    pub inputs: Map<String, Value>,
    /// The event has these outputs.
    #[serde(deserialize_with = "object")]
    pub outputs: Map<String, Value>,
    /// The config holds the settings of the step, such as the model's parameters.
    #[serde(deserialize_with = "object")]
    pub config: Map<String, Value>,
    /// The metadata holds facts about the event.
    #[serde(deserialize_with = "object")]
    pub metadata: Map<String, Value>,
    /// The feedback holds what people said, and `ground_truth`.
    #[serde(deserialize_with = "object")]
    pub feedback: Map<String, Value>,
    /// The metrics hold numbers about the event.
    #[serde(deserialize_with = "object")]
    pub metrics: Map<String, Value>,
    /// The user properties tell whom the event belongs to.
    #[serde(deserialize_with = "object")]
    pub user_properties: Map<String, Value>,
    /// The evaluations hold the latest scores of HoneyHive's evaluators, by their names.
    #[serde(deserialize_with = "object")]
    pub evaluations: Map<String, Value>,
    /// The error says why the event failed.
    #[serde(deserialize_with = "text")]
    pub error: Option<String>,
    /// The start is in Unix milliseconds.
    #[serde(deserialize_with = "number")]
    pub start_time: Option<f64>,
    /// The end is in Unix milliseconds.
    #[serde(deserialize_with = "number")]
    pub end_time: Option<f64>,
    /// The duration is in milliseconds.
    #[serde(deserialize_with = "number")]
    pub duration: Option<f64>,
    /// The ids are those of the child events.
    #[serde(deserialize_with = "or_default")]
    pub children_ids: Vec<String>,
}
