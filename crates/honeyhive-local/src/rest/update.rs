//! `PUT /v1/events/{event_id}` may change some parts of a session or an event.

use serde_json::Value;

use super::{Invalid, fields};
use crate::model::{Bucket, Buckets, LocalEvent, LocalSession, Object, merge};

/// These buckets can be updated. `inputs` cannot, nor can `error`: both are ignored without a word.
const UPDATABLE: [Bucket; 6] = [
    Bucket::Metadata,
    Bucket::Feedback,
    Bucket::Metrics,
    Bucket::Outputs,
    Bucket::Config,
    Bucket::UserProperties,
];

/// An `Update` has changes to a session or an event.
#[derive(Debug)]
pub(crate) struct Update {
    buckets: Vec<(Bucket, Object)>,
    duration: Option<f64>,
    end_time: Option<f64>,
    children_ids: Option<Vec<String>>,
}

impl Update {
    pub(crate) fn parse(body: &Value) -> Result<Self, Invalid> {
        let Value::Object(body) = body else {
            return Err(Invalid("an update must be a JSON object".to_owned()));
        };
        let mut buckets = Vec::new();
        for bucket in UPDATABLE {
            let sent = fields::object(body, bucket.name())?;
            buckets.extend(sent.map(|object| (bucket, object)));
        }
        Ok(Self {
            buckets,
            duration: fields::number(body, "duration")?,
            end_time: fields::number(body, "end_time")?,
            // An empty list does nothing, as in HoneyHive.
            children_ids: fields::texts(body, "children_ids")?.filter(|ids| !ids.is_empty()),
        })
    }

    /// Returns the update as the body of a request; it is kept in this form until its target arrives.
    pub(crate) fn to_json(&self) -> Value {
        let mut body = Object::new();
        for (bucket, object) in &self.buckets {
            body.insert(bucket.name().to_owned(), Value::Object(object.clone()));
        }
        let others = [
            ("duration", self.duration.map(Value::from)),
            ("end_time", self.end_time.map(Value::from)),
            ("children_ids", self.children_ids.clone().map(Value::from)),
        ];
        for (key, value) in others {
            body.extend(value.map(|value| (key.to_owned(), value)));
        }
        Value::Object(body)
    }

    pub(crate) fn apply_to_session(self, session: &mut LocalSession) {
        session.updates += 1;
        session.end_time = self.end_time.or(session.end_time);
        // A later end without a duration makes the known one stale.
        session.duration = match self.end_time {
            Some(_) => self.duration,
            None => self.duration.or(session.duration),
        };
        session.settle_duration();
        if let Some(children) = self.children_ids {
            session.children_ids = children;
        }
        merge_all(session, self.buckets);
    }

    pub(crate) fn apply_to_event(self, event: &mut LocalEvent) {
        event.updates += 1;
        event.duration = self.duration.unwrap_or(event.duration);
        event.end_time_ms = self.end_time.unwrap_or(event.end_time_ms);
        if let Some(children) = self.children_ids {
            event.children_ids = children;
        }
        merge_all(event, self.buckets);
    }
}

/// Merges five objects, and replaces the outputs.
fn merge_all(target: &mut impl Buckets, buckets: Vec<(Bucket, Object)>) {
    for (bucket, object) in buckets {
        match bucket {
            Bucket::Outputs => *target.bucket_mut(bucket) = object,
            _ => merge(target.bucket_mut(bucket), object),
        }
    }
}
