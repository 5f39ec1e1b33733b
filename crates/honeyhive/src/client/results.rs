//! Results of runs: summaries, the events with their metrics, comparisons.

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::ClientError;
use super::event_kind::EventKind;
use super::open::{number, open_enum, or_default};
use super::runs::{Run, Runs};

open_enum! {
    /// The function that makes one value of a metric's values.
    Aggregate {
        /// Their mean (the default).
        Average = "average",
        /// The smallest.
        Min = "min",
        /// The largest.
        Max = "max",
        /// The median.
        Median = "median",
        /// The 90th percentile.
        P90 = "p90",
        /// The 95th percentile.
        P95 = "p95",
        /// The 99th percentile.
        P99 = "p99",
        /// Their sum.
        Sum = "sum",
        /// Their number.
        Count = "count",
    }
}

#[expect(clippy::derivable_impls, reason = "the variants are made by a macro")]
impl Default for Aggregate {
    fn default() -> Self {
        Self::Average
    }
}

open_enum! {
    /// The kind of a metric: a program, a model, a person, or other metrics make it.
    MetricKind {
        /// A program at HoneyHive.
        Python = "PYTHON",
        /// A language model at HoneyHive.
        Llm = "LLM",
        /// A person.
        Human = "HUMAN",
        /// A formula over other metrics.
        Composite = "COMPOSITE",
        /// The program that sent the event.
        ClientSide = "CLIENT_SIDE",
    }
}

/// The summary of a run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunSummary {
    /// The run's status.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// Whether every datapoint has passed.
    #[serde(deserialize_with = "or_default")]
    pub success: bool,
    /// The reason for which there is no summary.
    pub error: Option<String>,
    /// The ids of the datapoints that have passed.
    #[serde(deserialize_with = "or_default")]
    pub passed: Vec<String>,
    /// The ids of the datapoints that have failed.
    #[serde(deserialize_with = "or_default")]
    pub failed: Vec<String>,
    /// The run's metrics.
    #[serde(deserialize_with = "or_default")]
    pub metrics: MetricResults,
    /// The run's sessions, one per datapoint.
    #[serde(deserialize_with = "or_default")]
    pub datapoints: Vec<DatapointResult>,
    /// The events in the run.
    #[serde(deserialize_with = "or_default")]
    pub event_details: Vec<EventDetail>,
    /// The run.
    #[serde(rename = "run_object", deserialize_with = "or_default")]
    pub run: Run,
}

/// The metrics of a run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricResults {
    /// The function that made one value of many.
    pub aggregation_function: Option<String>,
    /// Each metric of each event.
    #[serde(deserialize_with = "or_default")]
    pub details: Vec<MetricSummary>,
}

/// A metric of the events of one name.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricSummary {
    /// The metric's name.
    #[serde(deserialize_with = "or_default")]
    pub metric_name: String,
    /// The kind of the metric.
    pub metric_type: Option<MetricKind>,
    /// The name of the events with the metric.
    pub event_name: Option<String>,
    /// The kind of the events.
    pub event_type: Option<EventKind>,
    /// The aggregated value.
    #[serde(deserialize_with = "number")]
    pub aggregate: Option<f64>,
    /// The values.
    #[serde(deserialize_with = "or_default")]
    pub values: Vec<Value>,
    /// The values that pass.
    pub passing_range: Option<Value>,
    /// The datapoints that passed and those that did not.
    #[serde(deserialize_with = "or_default")]
    pub datapoints: PassedDatapoints,
}

/// The ids of datapoints that passed, and of those that did not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PassedDatapoints {
    /// Datapoints that passed.
    #[serde(deserialize_with = "or_default")]
    pub passed: Vec<String>,
    /// Datapoints that did not pass.
    #[serde(deserialize_with = "or_default")]
    pub failed: Vec<String>,
}

/// A session of a run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DatapointResult {
    /// The session.
    #[serde(deserialize_with = "or_default")]
    pub session_id: String,
    /// The session's datapoint.
    pub datapoint_id: Option<String>,
    /// Whether the datapoint passed.
    pub passed: Option<bool>,
    /// The datapoint's metrics.
    #[serde(deserialize_with = "or_default")]
    pub metrics: Vec<Value>,
}

/// Events of one name and type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventDetail {
    /// The name of the events.
    #[serde(deserialize_with = "or_default")]
    pub event_name: String,
    /// The kind of the events.
    pub event_type: Option<EventKind>,
}

/// The events of a run, with their metrics.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunEvents {
    /// The events.
    #[serde(deserialize_with = "or_default")]
    pub events: Vec<RunEvent>,
    /// The number of events.
    #[serde(rename = "totalEvents")]
    pub total: u64,
}

/// An event of a run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunEvent {
    /// The event's name.
    #[serde(deserialize_with = "or_default")]
    pub event_name: String,
    /// The kind of the event.
    pub event_type: Option<EventKind>,
    /// The event's session.
    #[serde(deserialize_with = "or_default")]
    pub session_id: String,
    /// Facts about the event: the `datapoint_id` among them.
    #[serde(deserialize_with = "or_default")]
    pub metadata: Map<String, Value>,
    /// Numbers, flags and texts, by their names.
    #[serde(deserialize_with = "or_default")]
    pub metrics: Map<String, Value>,
}

impl RunEvent {
    /// The event's datapoint.
    #[must_use]
    pub fn datapoint_id(&self) -> Option<&str> {
        self.metadata.get("datapoint_id")?.as_str()
    }
}

/// A comparison of two runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Comparison {
    /// The metrics of both runs.
    #[serde(deserialize_with = "or_default")]
    pub metrics: Vec<ComparedMetric>,
    /// The ids of the datapoints that both have.
    #[serde(rename = "commonDatapoints", deserialize_with = "or_default")]
    pub common_datapoints: Vec<String>,
    /// The presence of each event in the two runs.
    #[serde(deserialize_with = "or_default")]
    pub event_details: Vec<EventPresence>,
    /// The old run.
    #[serde(deserialize_with = "or_default")]
    pub old_run: Run,
    /// The new run.
    #[serde(deserialize_with = "or_default")]
    pub new_run: Run,
}

/// A metric in two runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ComparedMetric {
    /// The metric's name.
    #[serde(deserialize_with = "or_default")]
    pub metric_name: String,
    /// The kind of the metric.
    pub metric_type: Option<MetricKind>,
    /// The name of the events with the metric, where HoneyHive gives it.
    pub event_name: Option<String>,
    /// The value in the old run.
    #[serde(deserialize_with = "number")]
    pub old_aggregate: Option<f64>,
    /// The value in the new run.
    #[serde(deserialize_with = "number")]
    pub new_aggregate: Option<f64>,
    /// The new one less the old one.
    #[serde(deserialize_with = "number")]
    pub difference: Option<f64>,
    /// The difference, in per cent of the old value.
    #[serde(deserialize_with = "number")]
    pub percentage_change: Option<f64>,
}

/// The presence of events of one name in two runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventPresence {
    /// The name of the events.
    #[serde(deserialize_with = "or_default")]
    pub event_name: String,
    /// The kind of the events.
    pub event_type: Option<EventKind>,
    /// The runs that have such events.
    pub presence: Option<Presence>,
}

open_enum! {
    /// The one of two runs, or both.
    Presence {
        /// The old run only.
        Old = "old",
        /// The new run only.
        New = "new",
        /// Both runs.
        Both = "both",
    }
}

/// The events of two runs, in pairs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ComparedEvents {
    /// The pairs.
    #[serde(deserialize_with = "or_default")]
    pub events: Vec<ComparedEvent>,
    /// The number of pairs on all pages.
    #[serde(rename = "totalEvents")]
    pub total: u64,
}

/// An event of one datapoint in two runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ComparedEvent {
    /// The datapoint.
    #[serde(deserialize_with = "or_default")]
    pub datapoint_id: String,
    /// The event in the run that was named first.
    #[serde(rename = "event_1", deserialize_with = "or_default")]
    pub first: Map<String, Value>,
    /// The event in the other.
    #[serde(rename = "event_2", deserialize_with = "or_default")]
    pub second: Map<String, Value>,
}

/// The filter of pairs of events; without any condition all of them, 1,000 at a time.
#[derive(Debug, Clone, Default)]
#[must_use = "it is used by `Runs::compared_events`"]
pub struct PairFilter(Vec<(&'static str, String)>);

impl PairFilter {
    /// Selects all pairs.
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects events with this name.
    pub fn event_name(self, name: impl Into<String>) -> Self {
        self.with("event_name", name.into())
    }

    /// Selects events of this kind.
    #[expect(clippy::needless_pass_by_value, reason = "as the other setters")]
    pub fn event_type(self, kind: EventKind) -> Self {
        self.with("event_type", kind.to_string())
    }

    /// The number of the page, from 1 on (default 1).
    pub fn page(self, page: u32) -> Self {
        self.with("page", page.to_string())
    }

    /// The number of pairs per page (default and most 1,000).
    pub fn limit(self, limit: u32) -> Self {
        self.with("limit", limit.to_string())
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.0.push((name, value));
        self
    }
}

impl Runs<'_> {
    /// Returns the summary of a run by HoneyHive. The results of HoneyHive's own evaluators come some time after the
    /// run.
    pub async fn summary(&self, id: &str, aggregate: Aggregate) -> Result<RunSummary, ClientError> {
        let by = |route| {
            let call = self.call(Method::GET, &[id, route]);
            call.query("aggregate_function", aggregate.as_str())
        };
        match by("summary").whole("run_object").await {
            Err(error) if is_no_route(&error) => by("result").whole("run_object").await,
            answer => answer,
        }
    }

    /// Returns the events of a run with their metrics, by which an old run can be compared.
    pub async fn metrics(&self, id: &str) -> Result<RunEvents, ClientError> {
        let call = self.call(Method::GET, &[id, "metrics"]);
        call.whole("totalEvents").await
    }

    /// Compares two runs, on the datapoints that they share.
    pub async fn compare(
        &self,
        new: &str,
        old: &str,
        aggregate: Aggregate,
    ) -> Result<Comparison, ClientError> {
        let by = |route| {
            let call = self.call(Method::GET, &[new, route, old]);
            call.query("aggregate_function", aggregate.as_str())
        };
        match by("compare").whole("commonDatapoints").await {
            Err(error) if is_no_route(&error) => by("compare-with").whole("commonDatapoints").await,
            answer => answer,
        }
    }

    /// Returns the events of two runs, in pairs by their datapoints.
    pub async fn compared_events(
        &self,
        new: &str,
        old: &str,
        filter: &PairFilter,
    ) -> Result<ComparedEvents, ClientError> {
        let pairs = filter.0.iter();
        let call = self.call(Method::GET, &[new, "compare", old, "events"]);
        let call = pairs.fold(call, |call, (name, value)| call.query(name, value));
        call.whole("totalEvents").await
    }
}

/// Older deployments have another route.
const fn is_no_route(error: &ClientError) -> bool {
    matches!(error.status(), Some(404 | 405))
}
