//! What the server holds, as it is handed out.

use std::time::SystemTime;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::Object;
use crate::bucket::{Bucket, Buckets};

/// A session.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct LocalSession {
    /// Its id: the UUID that was sent, in lower case, or the one made here instead.
    pub session_id: String,
    /// Its name, where one was given.
    pub name: Option<String>,
    /// Where it came from, where that was said.
    pub source: Option<String>,
    /// The project that the client named; HoneyHive goes by the key.
    pub project: Option<String>,
    /// What went in.
    pub inputs: Object,
    /// What came out.
    pub outputs: Object,
    /// Anything else.
    pub metadata: Object,
    /// Numbers to chart.
    pub metrics: Object,
    /// What people said about it.
    pub feedback: Object,
    /// The settings it ran with.
    pub config: Object,
    /// Whom it served.
    pub user_properties: Object,
    /// The error it was created with.
    pub error: Option<String>,
    /// When it began, in Unix milliseconds.
    pub start_time: f64,
    /// When it ended, in Unix milliseconds.
    pub end_time: Option<f64>,
    /// How long it took, in milliseconds.
    pub duration: Option<f64>,
    /// The children that the client named.
    pub children_ids: Vec<String>,
    /// How many times it was posted.
    pub posts: u32,
    /// How many times it was updated.
    pub updates: u32,
    /// Whether a span made it, before or instead of a post.
    pub auto_created: bool,
    /// How many events it has.
    pub event_count: usize,
    /// The body of the first post; null for a session that only a span made.
    pub raw: Value,
}

/// An event: what a span becomes.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct LocalEvent {
    /// Its id: `honeyhive_event_id`, else derived from the trace and span ids.
    pub event_id: String,
    /// The session that the span named; empty when it named none.
    pub session_id: String,
    /// The event above it in the session, else the session itself; none for an orphan.
    pub parent_id: Option<String>,
    /// `model`, `chain`, `tool` or whatever the span said; `tool` when it said nothing.
    pub event_type: String,
    /// The span's name.
    pub event_name: String,
    /// Where it came from, where that was said.
    pub source: Option<String>,
    /// The project that the span named; HoneyHive goes by the key.
    pub project: Option<String>,
    /// What went in.
    pub inputs: Object,
    /// What came out.
    pub outputs: Object,
    /// Anything else.
    pub metadata: Object,
    /// Numbers to chart.
    pub metrics: Object,
    /// What people said about it.
    pub feedback: Object,
    /// The settings it ran with.
    pub config: Object,
    /// Whom it served.
    pub user_properties: Object,
    /// `honeyhive_error`, else the message of an error status.
    pub error: Option<String>,
    /// When it began, in Unix milliseconds.
    pub start_time_ms: f64,
    /// When it ended, in Unix milliseconds.
    pub end_time_ms: f64,
    /// How long it took, in milliseconds.
    pub duration: f64,
    /// The children that an update named.
    pub children_ids: Vec<String>,
    /// 32 hex digits, lower case.
    pub trace_id: String,
    /// 16 hex digits, lower case.
    pub span_id: String,
    /// 16 hex digits, lower case; none for the root of a trace.
    pub parent_span_id: Option<String>,
    /// The span's attributes, flat, as they came.
    pub attributes: Object,
    /// The attributes of the resource it came from.
    pub resource: Object,
    /// The name of the instrumentation scope it came from.
    pub scope_name: String,
    /// `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`.
    pub kind: String,
    /// The span's status.
    pub status: LocalStatus,
    /// What happened during it.
    pub span_events: Vec<LocalSpanEvent>,
    /// The spans it points to.
    pub links: Vec<LocalSpanLink>,
    /// How many times the same span came again.
    pub duplicates: u32,
    /// How many times it was updated.
    pub updates: u32,
}

/// The status of a span.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct LocalStatus {
    /// `unset`, `ok` or `error`.
    pub code: String,
    /// What was said about it.
    pub message: String,
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct LocalSpanEvent {
    /// What happened.
    pub name: String,
    /// When, in Unix milliseconds.
    pub time_ms: f64,
    /// Its attributes.
    pub attributes: Object,
}

/// A pointer from one span to another.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct LocalSpanLink {
    /// 32 hex digits, lower case.
    pub trace_id: String,
    /// 16 hex digits, lower case.
    pub span_id: String,
    /// Its attributes.
    pub attributes: Object,
}

/// A request that came in. Pages and `/api` are not recorded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// 1 for the first since the start; a clear does not start over.
    pub sequence: u64,
    /// `POST`, `PUT`, …
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The query, without the question mark.
    pub query: Option<String>,
    /// The headers in order, names in lower case; secrets are replaced by `<redacted>`.
    pub headers: Vec<(String, String)>,
    /// Whether the key was right; true where none is set.
    pub authorized: bool,
    /// The body, decompressed; empty when it could not be read.
    pub body: Bytes,
    /// The body as JSON, where it is JSON.
    pub json: Option<Value>,
    /// What was answered; none while nothing was, and for good when a fault answered nothing.
    pub status: Option<u16>,
    /// When it came in.
    pub received_at: SystemTime,
}

impl RecordedRequest {
    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Counts, cheap to ask for while waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct LocalStats {
    /// Sessions held.
    pub sessions: usize,
    /// Events held, without orphans.
    pub events: usize,
    /// Orphans held.
    pub orphans: usize,
    /// Requests since the start or the last clear, dropped ones included.
    pub requests: u64,
    /// Requests that are being answered.
    pub under_way: usize,
    /// The most requests that were being answered at a time, since the start or the last clear.
    pub most_under_way: usize,
    /// Sessions dropped to stay within the limit.
    pub dropped_sessions: u64,
    /// Events and orphans dropped to stay within a limit.
    pub dropped_events: u64,
    /// Requests dropped to stay within a limit.
    pub dropped_requests: u64,
}

impl Buckets for LocalSession {
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
