//! The results of runs are summaries, the events with their metrics, and comparisons.

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::ClientError;
use super::event_kind::EventKind;
use super::open::{number, open_enum, or_default};
use super::runs::{Run, Runs};

open_enum! {
    /// An aggregate makes one value of a metric's values.
    Aggregate {
        /// The aggregate is their mean (the default).
        Average = "average",
        /// The aggregate is the smallest value.
        Min = "min",
        /// The aggregate is the largest value.
        Max = "max",
        /// The aggregate is the median.
        Median = "median",
        /// The aggregate is the 90th percentile.
        P90 = "p90",
        /// The aggregate is the 95th percentile.
        P95 = "p95",
        /// The aggregate is the 99th percentile.
        P99 = "p99",
        /// The aggregate is their sum.
        Sum = "sum",
        /// The aggregate is their number.
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
    /// The kind of a metric says who measures: a program, a model, a person, or other metrics.
    MetricKind {
        /// A program at HoneyHive measures.
        Python = "PYTHON",
        /// A language model at HoneyHive measures.
        Llm = "LLM",
        /// A person measures.
        Human = "HUMAN",
        /// A formula over other metrics gives the value.
        Composite = "COMPOSITE",
        /// The program that sends the event measures it.
        ClientSide = "CLIENT_SIDE",
    }
}

/// A summary tells how a run went.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunSummary {
    /// The run has this status.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// The flag says whether every datapoint has passed.
    #[serde(deserialize_with = "or_default")]
    pub success: bool,
    /// The error tells why there is no summary.
    pub error: Option<String>,
    /// The datapoints with these ids have passed.
    #[serde(deserialize_with = "or_default")]
    pub passed: Vec<String>,
    /// The datapoints with these ids have failed.
    #[serde(deserialize_with = "or_default")]
    pub failed: Vec<String>,
    /// The run has these metrics.
    #[serde(deserialize_with = "or_default")]
    pub metrics: MetricResults,
    /// The run has one session per datapoint.
    #[serde(deserialize_with = "or_default")]
    pub datapoints: Vec<DatapointResult>,
    /// The details tell which events the run has.
    #[serde(deserialize_with = "or_default")]
    pub event_details: Vec<EventDetail>,
    /// The summary is of this run.
    #[serde(rename = "run_object", deserialize_with = "or_default")]
    pub run: Run,
}

/// The results are the metrics of a run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricResults {
    /// The aggregation function says how values were combined, such as `average`.
    pub aggregation_function: Option<String>,
    /// The details have each metric of each event.
    #[serde(deserialize_with = "or_default")]
    pub details: Vec<MetricSummary>,
}

/// A summary combines one metric over all events of one name.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricSummary {
    /// The metric has this name.
    #[serde(deserialize_with = "or_default")]
    pub metric_name: String,
    /// The metric is of this kind.
    pub metric_type: Option<MetricKind>,
    /// The events with the metric have this name.
    pub event_name: Option<String>,
    /// The events are of this kind.
    pub event_type: Option<EventKind>,
    /// The aggregate is one value made of all.
    #[serde(deserialize_with = "number")]
    pub aggregate: Option<f64>,
    /// The aggregate is made of these values.
    #[serde(deserialize_with = "or_default")]
    pub values: Vec<Value>,
    /// Values in this range pass.
    pub passing_range: Option<Value>,
    /// The datapoints are sorted into those that passed and those that did not.
    #[serde(deserialize_with = "or_default")]
    pub datapoints: PassedDatapoints,
}

/// The ids are those of datapoints that passed, and of those that did not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PassedDatapoints {
    /// The datapoints with these ids have passed.
    #[serde(deserialize_with = "or_default")]
    pub passed: Vec<String>,
    /// The datapoints with these ids have not passed.
    #[serde(deserialize_with = "or_default")]
    pub failed: Vec<String>,
}

/// A session of a run has the result of one datapoint.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DatapointResult {
    /// The session has this id.
    #[serde(deserialize_with = "or_default")]
    pub session_id: String,
    /// The session's datapoint has this id.
    pub datapoint_id: Option<String>,
    /// The flag says whether the datapoint passed.
    pub passed: Option<bool>,
    /// The datapoint has these metrics.
    #[serde(deserialize_with = "or_default")]
    pub metrics: Vec<Value>,
}

/// The detail is of events of one name and type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventDetail {
    /// The events have this name.
    #[serde(deserialize_with = "or_default")]
    pub event_name: String,
    /// The events are of this kind.
    pub event_type: Option<EventKind>,
}

/// The events of a run come with their metrics.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunEvents {
    /// The list has the events of one answer.
    #[serde(deserialize_with = "or_default")]
    pub events: Vec<RunEvent>,
    /// The total is the number of events.
    #[serde(rename = "totalEvents")]
    pub total: u64,
}

/// A `RunEvent` is an event of a run, with its metrics.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunEvent {
    /// The event has this name.
    #[serde(deserialize_with = "or_default")]
    pub event_name: String,
    /// The event is of this kind.
    pub event_type: Option<EventKind>,
    /// The event belongs to this session.
    #[serde(deserialize_with = "or_default")]
    pub session_id: String,
    /// The metadata holds facts about the event, the `datapoint_id` among them.
    #[serde(deserialize_with = "or_default")]
    pub metadata: Map<String, Value>,
    /// The metrics are numbers, flags and texts, by their names.
    #[serde(deserialize_with = "or_default")]
    pub metrics: Map<String, Value>,
}

impl RunEvent {
    /// Returns the event's datapoint.
    #[must_use]
    pub fn datapoint_id(&self) -> Option<&str> {
        self.metadata.get("datapoint_id")?.as_str()
    }
}

/// A comparison shows the metrics of two runs side by side.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Comparison {
    /// The metrics are those of both runs.
    #[serde(deserialize_with = "or_default")]
    pub metrics: Vec<ComparedMetric>,
    /// Both runs have the datapoints with these ids.
    #[serde(rename = "commonDatapoints", deserialize_with = "or_default")]
    pub common_datapoints: Vec<String>,
    /// The details tell which of the runs has each event.
    #[serde(deserialize_with = "or_default")]
    pub event_details: Vec<EventPresence>,
    /// The old run is the one that the new run is compared with.
    #[serde(deserialize_with = "or_default")]
    pub old_run: Run,
    /// The new run is the one that is compared.
    #[serde(deserialize_with = "or_default")]
    pub new_run: Run,
}

/// A compared metric has a value in each of two runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ComparedMetric {
    /// The metric has this name.
    #[serde(deserialize_with = "or_default")]
    pub metric_name: String,
    /// The metric is of this kind.
    pub metric_type: Option<MetricKind>,
    /// The events with the metric have this name, where HoneyHive gives it.
    pub event_name: Option<String>,
    /// The value is that of the old run.
    #[serde(deserialize_with = "number")]
    pub old_aggregate: Option<f64>,
    /// The value is that of the new run.
    #[serde(deserialize_with = "number")]
    pub new_aggregate: Option<f64>,
    /// The difference is the new value less the old one.
    #[serde(deserialize_with = "number")]
    pub difference: Option<f64>,
    /// The change is the difference, in per cent of the old value.
    #[serde(deserialize_with = "number")]
    pub percentage_change: Option<f64>,
}

/// The presence tells which of two runs has events of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventPresence {
    /// The events have this name.
    #[serde(deserialize_with = "or_default")]
    pub event_name: String,
    /// The events are of this kind.
    pub event_type: Option<EventKind>,
    /// The presence names the runs that have such events.
    pub presence: Option<Presence>,
}

open_enum! {
    /// Events are in one of two runs, or in both.
    Presence {
        /// Only the old run has the events.
        Old = "old",
        /// Only the new run has the events.
        New = "new",
        /// Both runs have the events.
        Both = "both",
    }
}

/// The events of two runs come in pairs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ComparedEvents {
    /// The list has the pairs of one page.
    #[serde(deserialize_with = "or_default")]
    pub events: Vec<ComparedEvent>,
    /// The total is the number of pairs on all pages.
    #[serde(rename = "totalEvents")]
    pub total: u64,
}

/// An event of one datapoint is compared in two runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ComparedEvent {
    /// The datapoint has this id.
    #[serde(deserialize_with = "or_default")]
    pub datapoint_id: String,
    /// The first event is of the run that was named first.
    #[serde(rename = "event_1", deserialize_with = "or_default")]
    pub first: Map<String, Value>,
    /// The second event is of the other run.
    #[serde(rename = "event_2", deserialize_with = "or_default")]
    pub second: Map<String, Value>,
}

/// A filter selects pairs of events; without any condition all of them, 1,000 at a time.
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

    /// Sets the number of the page, from 1 on (default 1).
    pub fn page(self, page: u32) -> Self {
        self.with("page", page.to_string())
    }

    /// Sets the number of pairs per page (default and most 1,000).
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

/// Returns true where a deployment does not have the route: older deployments have another.
const fn is_no_route(error: &ClientError) -> bool {
    matches!(error.status(), Some(404 | 405))
}
