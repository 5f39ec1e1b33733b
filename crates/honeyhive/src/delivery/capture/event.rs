//! [`CapturedEvent`] shows a span in test mode.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanId, Status};
use opentelemetry::{KeyValue, Value as AttributeValue};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Map, Value};

use super::fields::Fields;
use crate::attributes::{ERROR, EVENT_TYPE};
use crate::enrichment::Enrichment;
use crate::model::object::Bucket;
use crate::model::unflatten::unflatten;
use crate::span::attributes_of;

/// A captured event is a span as HoneyHive would show it.
///
/// ```
/// let (tracer, captured) = honeyhive::testing::tracer();
/// drop(tracer.tool("add").inputs(honeyhive::json!({"left": 40})).start());
///
/// let session = captured.only_session();
/// let event = session.event("add");
/// assert_eq!(event.event_type, "tool");
/// assert_eq!(event.inputs["left"], 40);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct CapturedEvent {
    /// The name is that of the span.
    pub name: String,
    /// The type is `model`, `chain` or `tool`.
    pub event_type: String,
    /// The event has these inputs.
    pub inputs: Map<String, Value>,
    /// The event has these outputs.
    pub outputs: Map<String, Value>,
    /// The metadata holds facts about the event.
    pub metadata: Map<String, Value>,
    /// The metrics hold numbers about the event.
    pub metrics: Map<String, Value>,
    /// The feedback holds what people said.
    pub feedback: Map<String, Value>,
    /// The config holds the settings of the step.
    pub config: Map<String, Value>,
    /// The user properties tell whom the event belongs to.
    pub user_properties: Map<String, Value>,
    /// The span's attributes are as they go over the wire.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// The error is the `honeyhive_error` attribute, else the status message.
    pub error: Option<String>,
    /// The event takes this long.
    pub duration: Duration,
    pub(super) span: SpanId,
    pub(super) parent: SpanId,
    pub(super) start: SystemTime,
}

/// Shows the name, the type and the contents that are not empty.
impl fmt::Debug for CapturedEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("CapturedEvent");
        shown.field("name", &self.name);
        shown.field("event_type", &self.event_type);
        if let Some(error) = &self.error {
            shown.field("error", error);
        }
        for bucket in Bucket::ALL {
            let object = bucket_in(&self.attributes, bucket);
            if !object.is_empty() {
                shown.field(bucket.name(), &format_args!("{}", Value::Object(object)));
            }
        }
        shown.finish_non_exhaustive()
    }
}

/// Reads a bucket of a span from its attributes.
fn bucket_in(attributes: &BTreeMap<String, AttributeValue>, bucket: Bucket) -> Map<String, Value> {
    let prefix = bucket.attribute_prefix();
    let entries = attributes.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix(prefix)?.strip_prefix('.')?;
        Some((key, json_of(value)))
    });
    unflatten(entries)
}

fn json_of(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Bool(flag) => (*flag).into(),
        AttributeValue::I64(number) => (*number).into(),
        AttributeValue::F64(number) => (*number).into(),
        other => other.as_str().into_owned().into(),
    }
}

impl CapturedEvent {
    /// Reads the buckets from the attributes.
    pub(super) fn fill(&mut self) {
        let of = |bucket| bucket_in(&self.attributes, bucket);
        self.inputs = of(Bucket::Inputs);
        self.outputs = of(Bucket::Outputs);
        self.metadata = of(Bucket::Metadata);
        self.metrics = of(Bucket::Metrics);
        self.feedback = of(Bucket::Feedback);
        self.config = of(Bucket::Config);
        self.user_properties = of(Bucket::UserProperties);
    }

    /// Returns an attribute as text: `event.text("honeyhive_inputs.message")`.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        self.attributes
            .get(key)
            .map(|value| value.as_str().into_owned())
    }
}

impl CapturedEvent {
    /// Applies an update by the event's id. New outputs replace those that the event had.
    pub(super) fn update(&mut self, mut update: Fields) {
        let mut enrichment = Enrichment::new();
        for bucket in Bucket::ALL {
            *enrichment.bucket_mut(bucket) = update.bucket(bucket);
        }
        if !enrichment.bucket_mut(Bucket::Outputs).is_empty() {
            let prefix = Bucket::Outputs.attribute_prefix();
            self.attributes.retain(|key, _| !key.starts_with(prefix));
        }
        attributes_of(enrichment, &mut |KeyValue { key, value, .. }| {
            self.attributes.insert(key.to_string(), value);
        });
    }

    pub(super) fn of(span: SpanData) -> Self {
        let attributes: BTreeMap<String, AttributeValue> = span
            .attributes
            .into_iter()
            .map(|KeyValue { key, value, .. }| (key.to_string(), value))
            .collect();
        let status = match span.status {
            Status::Error { description } => Some(description.into_owned()),
            _ => None,
        };
        let text = |key: &str| attributes.get(key).map(|value| value.as_str().into_owned());
        Self {
            name: span.name.into_owned(),
            event_type: text(EVENT_TYPE).unwrap_or_default(),
            inputs: Map::new(),
            outputs: Map::new(),
            metadata: Map::new(),
            metrics: Map::new(),
            feedback: Map::new(),
            config: Map::new(),
            user_properties: Map::new(),
            error: text(ERROR).or(status),
            attributes,
            span: span.span_context.span_id(),
            parent: span.parent_span_id,
            duration: span
                .end_time
                .duration_since(span.start_time)
                .unwrap_or_default(),
            start: span.start_time,
        }
    }
}
