//! Updates to one session, merged, and the bodies that carry them.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::ledger::Tally;
use super::outputs::Outputs;
use super::redactor::{Redactor, StartContent};
use crate::enrichment::Enrichment;
use crate::model::id::SessionId;
use crate::model::limits::STEPS;
use crate::model::object::{Bucket, Object};
use crate::outbox::{Inputs, SessionEnd, StartRecord};
use crate::wire::{StartSession, UpdateEvent};

/// Updates to one session, merged: the last write wins, key by key. What it holds has been through the redaction.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    enrichment: Enrichment,
    pub(super) end_time: Option<f64>,
    duration: Option<f64>,
    failed: bool,
    took: Duration,
}

impl Changes {
    /// What may leave of it.
    pub(crate) fn of(mut enrichment: Enrichment, redactor: &Redactor) -> Self {
        let failed = enrichment.error_text().is_some();
        redactor.enrichment(&mut enrichment);
        Self {
            failed,
            ..Self::of_clean(enrichment)
        }
    }

    fn of_clean(enrichment: Enrichment) -> Self {
        Self {
            enrichment,
            ..Self::default()
        }
    }

    /// What a start has to say, for a session that is created by its spans.
    pub(crate) fn of_start(start: &StartRecord, redactor: &Redactor) -> Self {
        let mut began_with = start.began_with();
        // The request's span carries those of a request.
        if !matches!(start.inputs, Inputs::Request(_)) {
            *began_with.bucket_mut(Bucket::Inputs) = start.inputs.to_object();
        }
        Self::of(began_with, redactor)
    }

    pub(crate) fn of_end(end: SessionEnd, redactor: &Redactor) -> Self {
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
        let failed = enrichment.error_text().is_some();
        redactor.enrichment(&mut enrichment);
        Self {
            enrichment,
            failed,
            took: end.duration,
            end_time: Some(unix_milliseconds(end.ended_at)),
            // A later turn of a conversation knows its own length, not the session's.
            duration: end.whole_session.then(|| milliseconds(end.duration)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.enrichment.is_empty() && self.end_time.is_none() && self.duration.is_none()
    }

    /// Something went wrong.
    pub(super) const fn failed(&self) -> bool {
        self.failed
    }

    /// How long the request or the unit of work was that has ended.
    pub(super) const fn took(&self) -> Duration {
        self.took
    }

    pub(super) const fn is_end(&self) -> bool {
        self.end_time.is_some()
    }

    pub(super) fn merge(&mut self, newer: Self) {
        self.enrichment.merge(newer.enrichment);
        self.end_time = newer.end_time.or(self.end_time);
        self.duration = newer.duration.or(self.duration);
        self.failed |= newer.failed;
        self.took = self.took.max(newer.took);
    }

    /// The body of an update. What it has no place for goes to the metadata: inputs as `inputs`, an
    /// error as `error`.
    fn to_update(&self) -> UpdateEvent {
        let mut all = self.enrichment.clone();
        let mut metadata = all.take(Bucket::Metadata);
        let inputs = all.take(Bucket::Inputs);
        if !inputs.is_empty() {
            let mut wrapped = Object::new();
            wrapped.insert("inputs".to_owned(), inputs.into());
            crate::model::object::merge(&mut metadata, wrapped);
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

    /// Adds the outputs that were said before: an update replaces all that HoneyHive has.
    pub(super) fn with_earlier_outputs(&mut self, id: SessionId, outputs: &mut Outputs) {
        let new = self.enrichment.take(Bucket::Outputs);
        *self.enrichment.bucket_mut(Bucket::Outputs) = outputs.with_earlier(id, new);
    }

    /// Splits off what the start of a session has no place for.
    pub(super) fn split_for_start(mut self) -> (Self, Self) {
        let mut rest = Enrichment::new();
        for bucket in [Bucket::Metrics, Bucket::Feedback] {
            *rest.bucket_mut(bucket) = self.enrichment.take(bucket);
        }
        (self, Self::of_clean(rest))
    }
}

/// A start on its way.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub(crate) record: Arc<StartRecord>,
    /// Made once, so that what is tried again says the same.
    content: Option<Box<StartContent>>,
}

impl Beginning {
    pub(crate) const fn new(record: Arc<StartRecord>) -> Self {
        Self {
            record,
            content: None,
        }
    }

    /// Gets what may leave of it ready.
    pub(super) fn prepare(&mut self, redactor: &Redactor) {
        let record = &self.record;
        self.content
            .get_or_insert_with(|| Box::new(redactor.start(record)));
    }
}

impl Deref for Beginning {
    type Target = StartRecord;

    fn deref(&self) -> &StartRecord {
        &self.record
    }
}

/// What a session's body takes from the tracer.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) source: String,
    pub(crate) project: Option<String>,
}

/// One call, ready to be made. It carries its items until they have an outcome.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: SessionId,
    pub(crate) start: Option<Beginning>,
    pub(crate) changes: Changes,
    pub(crate) tally: Tally,
    pub(crate) attempts: u32,
    /// How many other calls had got through when this first failed.
    pub(crate) successes_before: Option<u64>,
    /// How long a text may be, where HoneyHive found the call too large.
    pub(crate) cut_to: Option<usize>,
    /// A start that HoneyHive may have processed, whatever came of later tries: it is repeated as it was.
    pub(crate) is_frozen: bool,
}

/// The body of a call.
#[derive(Debug)]
pub(crate) enum Call {
    Start(Box<StartSession>),
    Update(SessionId, Box<UpdateEvent>),
}

impl Call {
    fn cut(&mut self, limit: usize) -> bool {
        match self {
            Self::Start(body) => body.cut(limit),
            Self::Update(_, body) => body.cut(limit),
        }
    }
}

impl Operation {
    pub(crate) fn call(&self, origin: &Origin) -> Call {
        let mut call = self.whole_call(origin);
        if let Some(limit) = self.cut_to {
            call.cut(limit);
        }
        call
    }

    /// What its texts can be cut to, so that the call is smaller than it was. `None` where nothing is long.
    pub(crate) fn next_cut(&self, origin: &Origin) -> Option<usize> {
        let mut call = self.call(origin);
        STEPS.into_iter().find(|limit| call.cut(*limit))
    }

    fn whole_call(&self, origin: &Origin) -> Call {
        match self
            .start
            .as_ref()
            .and_then(|start| Some((start, start.content.as_deref()?)))
        {
            Some((start, content)) => {
                Call::Start(Box::new(self.start_body(start, content, origin)))
            }
            None => Call::Update(self.id, Box::new(self.changes.to_update())),
        }
    }

    fn start_body(
        &self,
        start: &StartRecord,
        content: &StartContent,
        origin: &Origin,
    ) -> StartSession {
        let mut changes = self.changes.enrichment.clone();
        let mut inputs = content.inputs.clone();
        crate::model::object::merge(&mut inputs, changes.take(Bucket::Inputs));
        let mut metadata = content.metadata.clone();
        crate::model::object::merge(&mut metadata, changes.take(Bucket::Metadata));
        let mut user_properties = content.user_properties.clone();
        crate::model::object::merge(&mut user_properties, changes.take(Bucket::UserProperties));
        if let Some(error) = changes.take_error() {
            // The same place as in an update, so that a search finds short and long sessions alike.
            metadata.insert("error".to_owned(), error.into());
        }
        StartSession {
            session_id: self.id,
            session_name: content.name.clone(),
            source: content
                .source
                .clone()
                .unwrap_or_else(|| origin.source.clone()),
            start_time: unix_milliseconds(start.started_at),
            inputs,
            outputs: changes.take(Bucket::Outputs),
            config: changes.take(Bucket::Config),
            metadata,
            user_properties,
            duration: changes
                .take_duration()
                .map(milliseconds)
                .or(self.changes.duration),
            end_time: self.changes.end_time,
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    // Microseconds are as fine as anybody reads.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn unix_milliseconds(time: SystemTime) -> f64 {
    milliseconds(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
