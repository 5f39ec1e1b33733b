//! [`Changes`] are the updates of one session, redacted and merged; they make the bodies that carry them.

use std::time::{SystemTime, UNIX_EPOCH};

use super::outputs::Outputs;
use super::plan::Origin;
use super::redactor::{Redactor, StartContent};
use crate::enrichment::Enrichment;
use crate::model::id::SessionId;
use crate::model::milliseconds::milliseconds;
use crate::model::object::{Bucket, Object, merge};
use crate::outbox::{SessionEnd, StartRecord, Update};
use crate::wire::{StartSession, UpdateEvent};

/// The updates of one session are merged: the last write wins, key by key. What it holds has been through the
/// redaction.
#[derive(Debug, Default)]
pub(super) struct Changes {
    enrichment: Enrichment,
    end_time: Option<f64>,
    duration: Option<f64>,
}

impl Changes {
    /// Merges several updates, in their order, and redacts them.
    pub(super) fn of_all(updates: Vec<Update>, redactor: &Redactor) -> Self {
        let each = updates.into_iter().map(|update| match update {
            Update::Enrich(enrichment) => Self::of(*enrichment, redactor),
            Update::End(end) => Self::of_end(end, redactor),
        });
        each.reduce(Self::merged).unwrap_or_default()
    }

    fn of(mut enrichment: Enrichment, redactor: &Redactor) -> Self {
        redactor.enrichment(&mut enrichment);
        Self {
            enrichment,
            ..Self::default()
        }
    }

    fn of_end(end: SessionEnd, redactor: &Redactor) -> Self {
        let mut enrichment = Enrichment::new();
        let mut put = |bucket, key: &str, value: serde_json::Value| {
            enrichment.insert(bucket, key, value);
        };
        if let Some(status) = end.status_code {
            put(Bucket::Outputs, "status_code", status.into());
        }
        if let Some(status) = end.grpc_status {
            put(Bucket::Outputs, "grpc_status", status.into());
        }
        put(Bucket::Metadata, "outcome", end.outcome.name().into());
        put(
            Bucket::Metadata,
            "latency_ms",
            milliseconds(end.duration).into(),
        );
        if let Some(time) = end.time_to_first_byte {
            put(
                Bucket::Metadata,
                "time_to_first_byte_ms",
                milliseconds(time).into(),
            );
        }
        if let Some(bytes) = end.response_bytes {
            put(Bucket::Metadata, "response_bytes", bytes.into());
        }
        if let Some(error) = end.error {
            enrichment = enrichment.error(error);
        }
        redactor.facts(&mut enrichment);
        Self {
            enrichment,
            end_time: Some(unix_milliseconds(end.ended_at)),
            // A later turn of a conversation knows its own length, not the session's.
            duration: end.whole_session.then(|| milliseconds(end.duration)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.enrichment.is_empty() && self.end_time.is_none() && self.duration.is_none()
    }

    fn merged(mut self, newer: Self) -> Self {
        self.enrichment.merge(newer.enrichment);
        Self {
            enrichment: self.enrichment,
            end_time: newer.end_time.or(self.end_time),
            duration: newer.duration.or(self.duration),
        }
    }

    /// Returns the body of an update. What it has no place for goes to the metadata: inputs as `inputs`, an error as
    /// `error`.
    pub(super) fn into_update(self) -> UpdateEvent {
        let mut all = self.enrichment;
        let mut metadata = all.take(Bucket::Metadata);
        let inputs = all.take(Bucket::Inputs);
        if !inputs.is_empty() {
            let mut wrapped = Object::new();
            wrapped.insert("inputs".to_owned(), inputs.into());
            merge(&mut metadata, wrapped);
        }
        if let Some(error) = all.take_error() {
            metadata.insert("error".to_owned(), error.into());
        }
        UpdateEvent {
            metadata,
            feedback: all.take(Bucket::Feedback),
            metrics: all.take(Bucket::Metrics),
            outputs: all.take(Bucket::Outputs),
            config: all.take(Bucket::Config),
            user_properties: all.take(Bucket::UserProperties),
            duration: all.take_duration().map(milliseconds).or(self.duration),
            end_time: self.end_time,
        }
    }

    /// Adds the outputs of earlier updates: an update replaces all outputs in HoneyHive.
    pub(super) fn with_earlier_outputs(&mut self, id: SessionId, outputs: &mut Outputs) {
        let new = self.enrichment.take(Bucket::Outputs);
        *self.enrichment.bucket_mut(Bucket::Outputs) = outputs.with_earlier(id, new);
    }

    /// Splits off the parts that the start of a session has no place for.
    pub(super) fn split_for_start(mut self) -> (Self, Self) {
        let mut rest = Enrichment::new();
        for bucket in [Bucket::Metrics, Bucket::Feedback] {
            *rest.bucket_mut(bucket) = self.enrichment.take(bucket);
        }
        let rest = Self {
            enrichment: rest,
            ..Self::default()
        };
        (self, rest)
    }

    /// Returns the body of a start, with all parts that it has a place for.
    pub(super) fn into_start(
        self,
        start: &StartRecord,
        content: StartContent,
        origin: &Origin,
    ) -> StartSession {
        let mut changes = self.enrichment;
        let mut inputs = content.inputs;
        merge(&mut inputs, changes.take(Bucket::Inputs));
        let mut metadata = content.metadata;
        merge(&mut metadata, changes.take(Bucket::Metadata));
        let mut user_properties = content.user_properties;
        merge(&mut user_properties, changes.take(Bucket::UserProperties));
        if let Some(error) = changes.take_error() {
            // The error goes to the same place as in an update, so that a search finds short and long sessions alike.
            metadata.insert("error".to_owned(), error.into());
        }
        StartSession {
            session_id: start.id,
            session_name: content.name,
            source: content
                .source
                .unwrap_or_else(|| origin.source.as_ref().to_owned()),
            start_time: unix_milliseconds(start.started_at),
            inputs,
            outputs: changes.take(Bucket::Outputs),
            config: changes.take(Bucket::Config),
            metadata,
            user_properties,
            duration: changes.take_duration().map(milliseconds).or(self.duration),
            end_time: self.end_time,
        }
    }
}

fn unix_milliseconds(time: SystemTime) -> f64 {
    milliseconds(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::outbox::{Bounds, Outbox, Outcome};
    use crate::redaction::{Redaction, Rules};
    use crate::settings::DropPolicy;

    /// Facts are not redacted by default, which is right as long as no rule would mask one.
    #[test]
    fn no_fact_of_an_end_is_a_secret_by_default() {
        let rules = Rules::new(&Redaction::default()).unwrap();
        let outbox = Arc::new(Outbox::new(Bounds::new(1, 1, DropPolicy::Newest, false)));
        let redactor = Redactor::new(rules, outbox);
        let second = Duration::from_secs(1);
        let end = SessionEnd {
            ended_at: SystemTime::now(),
            duration: second,
            outcome: Outcome::Complete,
            status_code: Some(200),
            grpc_status: Some(0),
            time_to_first_byte: Some(second),
            response_bytes: Some(1),
            error: None,
            whole_session: true,
        };
        let facts = Changes::of_end(end, &redactor).enrichment;
        let mut redacted = facts.clone();
        redactor.enrichment(&mut redacted);
        assert!(facts == redacted, "{facts:?}");
    }
}
