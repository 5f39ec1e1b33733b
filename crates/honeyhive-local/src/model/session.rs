//! A session has one form, in which it is kept and handed out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Object;
use super::bucket::{Bucket, Buckets};

/// A `LocalSession` is a session, as the server keeps it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LocalSession {
    /// The session's id: the UUID that was sent, in lower case, or the one made here instead.
    pub session_id: String,
    /// The session's name, where one was given.
    pub name: Option<String>,
    /// The session's source, where one was given.
    pub source: Option<String>,
    /// The project that the client named; HoneyHive goes by the key.
    pub project: Option<String>,
    /// The input of the session, by name.
    pub inputs: Object,
    /// The output of the session, by name.
    pub outputs: Object,
    /// The metadata: all that has no other place.
    pub metadata: Object,
    /// The metrics, which can be charted.
    pub metrics: Object,
    /// The judgement of people, by name.
    pub feedback: Object,
    /// The settings that the session ran with.
    pub config: Object,
    /// The properties of the user whom the session served.
    pub user_properties: Object,
    /// The error that the session was created with.
    pub error: Option<String>,
    /// The session's start, in Unix milliseconds.
    pub start_time: f64,
    /// The session's end, in Unix milliseconds.
    pub end_time: Option<f64>,
    /// The session's length, in milliseconds.
    pub duration: Option<f64>,
    /// The children that the client named.
    pub children_ids: Vec<String>,
    /// The number of times that the session was posted.
    pub posts: u32,
    /// The number of updates.
    pub updates: u32,
    /// Whether a span made the session, before or instead of a post.
    pub auto_created: bool,
    /// The number of events in the session.
    pub event_count: usize,
    /// The body of the first post; null for a session that only a span made.
    pub raw: Value,
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
