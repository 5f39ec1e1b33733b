//! A run of an experiment has one form, in which it is handed out.

use serde::{Deserialize, Serialize};

use super::Object;

/// A `LocalRun` is a run of an experiment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LocalRun {
    /// The run's id, made by the client or here.
    pub run_id: String,
    /// The run's name, trimmed.
    pub name: Option<String>,
    /// The purpose, as its maker told it.
    pub description: Option<String>,
    /// The status: `pending`, `running`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// The dataset that it ran on.
    pub dataset_id: Option<String>,
    /// The sessions that the client named at the end.
    pub event_ids: Vec<String>,
    /// The datapoints that the client named.
    pub datapoint_ids: Vec<String>,
    /// The metadata: all that has no other place.
    pub metadata: Object,
    /// The results that the client has reported.
    pub results: Object,
    /// The settings that the run ran with.
    pub configuration: Object,
}
