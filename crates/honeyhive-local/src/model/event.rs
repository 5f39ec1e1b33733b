//! An event has one form, in which it is kept and handed out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Object;
use super::bucket::{Bucket, Buckets};
use super::id::canonical_id;

/// An event is what a span becomes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LocalEvent {
    /// The event's id: `honeyhive_event_id`, else derived from the trace and span ids.
    pub event_id: String,
    /// The session that the span named; empty when it named none.
    pub session_id: String,
    /// The event above it in the session, else the session itself; none for an orphan.
    pub parent_id: Option<String>,
    /// `model`, `chain`, `tool` or whatever the span said; `tool` when it said nothing.
    pub event_type: String,
    /// The span's name.
    pub event_name: String,
    /// The event's source, where one was given.
    pub source: Option<String>,
    /// The project that the span named; HoneyHive goes by the key.
    pub project: Option<String>,
    /// The input of the step, by name.
    pub inputs: Object,
    /// The output of the step, by name.
    pub outputs: Object,
    /// The metadata: all that has no other place.
    pub metadata: Object,
    /// The metrics, which can be charted.
    pub metrics: Object,
    /// The judgement of people, by name.
    pub feedback: Object,
    /// The settings that the step ran with.
    pub config: Object,
    /// The properties of the user whom the step served.
    pub user_properties: Object,
    /// `honeyhive_error`, else the message of an error status.
    pub error: Option<String>,
    /// The event's start, in Unix milliseconds.
    pub start_time_ms: f64,
    /// The event's end, in Unix milliseconds.
    pub end_time_ms: f64,
    /// The event's length, in milliseconds.
    pub duration: f64,
    /// The children that an update named.
    pub children_ids: Vec<String>,
    /// The id of the trace: 32 hex digits, lower case.
    pub trace_id: String,
    /// The id of the span: 16 hex digits, lower case.
    pub span_id: String,
    /// The id of the parent span: 16 hex digits, lower case; `None` for the root of a trace.
    pub parent_span_id: Option<String>,
    /// The span's attributes, flat, as they came.
    pub attributes: Object,
    /// The attributes of the resource that the span came from.
    pub resource: Object,
    /// The name of the instrumentation scope that the span came from.
    pub scope_name: String,
    /// The span's kind: `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`.
    pub kind: String,
    /// The span's status.
    pub status: LocalStatus,
    /// The events of the span itself, such as exceptions.
    pub span_events: Vec<LocalSpanEvent>,
    /// The spans that the span points to.
    pub links: Vec<LocalSpanLink>,
    /// The number of times that the same span came again.
    pub duplicates: u32,
    /// The number of updates.
    pub updates: u32,
}

/// `LocalStatus` is the status of a span.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LocalStatus {
    /// The code: `unset`, `ok` or `error`.
    pub code: String,
    /// The reason of an error, as the span told it.
    pub message: String,
}

/// `LocalSpanEvent` is an event of a span, in OpenTelemetry's sense.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LocalSpanEvent {
    /// The event's name.
    pub name: String,
    /// The time, in Unix milliseconds.
    pub time_ms: f64,
    /// The attributes.
    pub attributes: Object,
}

/// `LocalSpanLink` points from one span to another.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LocalSpanLink {
    /// The id of the other trace: 32 hex digits, lower case.
    pub trace_id: String,
    /// The id of the other span: 16 hex digits, lower case.
    pub span_id: String,
    /// The attributes.
    pub attributes: Object,
}

impl LocalEvent {
    /// Returns the event with its ids in the form in which ids are kept.
    pub(crate) fn with_kept_ids(mut self) -> Self {
        let children = &mut self.children_ids;
        let named = [&mut self.event_id, &mut self.session_id];
        for id in named.into_iter().chain(&mut self.parent_id).chain(children) {
            *id = canonical_id(id);
        }
        self
    }

    /// Puts a value where none is yet.
    pub(crate) fn offer(&mut self, bucket: Bucket, key: &str, value: impl FnOnce() -> Value) {
        self.bucket_mut(bucket).entry(key).or_insert_with(value);
    }
}

impl Buckets for LocalEvent {
    fn bucket_mut(&mut self, bucket: Bucket) -> &mut Object {
        match bucket {
            Bucket::Inputs => &mut self.inputs,
            Bucket::Outputs => &mut self.outputs,
            Bucket::Metadata => &mut self.metadata,
            Bucket::Metrics => &mut self.metrics,
            Bucket::Feedback => &mut self.feedback,
            Bucket::Config => &mut self.config,
            Bucket::UserProperties => &mut self.user_properties,
        }
    }
}
