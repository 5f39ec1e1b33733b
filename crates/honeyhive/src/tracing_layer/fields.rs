//! The fields of a span and the contents of an event have places: the rules that `tracing_layer` documents.

use std::fmt::Debug;

use opentelemetry::trace::SpanKind;
use opentelemetry::{Key, KeyValue, Value};
use tracing::field::{Field, Visit};

use crate::attributes::gen_ai_content;
use crate::model::causes::{shown, with_causes};
use crate::model::flatten::key_below;
use crate::model::json::octets;
use crate::model::limits::{self, EVENT_BYTES, VALUE_BYTES};
use crate::model::no_value::is_no_error;
use crate::model::number;
use crate::model::object::Bucket;

/// The fields are those of a span, from its creation or later.
#[derive(Debug)]
pub(super) struct Said {
    /// Fields whose names have no meaning of their own go to this bucket.
    bucket: Bucket,
    pub(super) name: Option<String>,
    pub(super) kind: Option<SpanKind>,
    pub(super) error: Option<String>,
    /// The span failed, whether or not a text says how.
    pub(super) has_failed: bool,
    pub(super) attributes: Vec<KeyValue>,
}

impl Said {
    /// Makes room for so many attributes.
    pub(super) fn new(bucket: Bucket, attributes: usize) -> Self {
        Self {
            bucket,
            name: None,
            kind: None,
            error: None,
            has_failed: false,
            attributes: Vec::with_capacity(attributes),
        }
    }

    fn take(&mut self, field: &Field, value: Value) {
        match field.name() {
            "otel.name" => self.name = Some(text(&value)),
            "otel.kind" => self.kind = kind(&text(&value)),
            "otel.status_code" => {
                self.has_failed |= text(&value).eq_ignore_ascii_case("error");
            }
            "otel.status_description" | "otel.status_message" | "error" => {
                if let Some(error) = error(&value) {
                    self.error = Some(error);
                }
            }
            name => self
                .attributes
                .push(KeyValue::new(placed(name, self.bucket), value)),
        }
    }
}

/// Returns the text of an `error` field, if it names an error: `error = false` names none.
fn error(value: &Value) -> Option<String> {
    match value {
        nothing if is_no_error(nothing) => None,
        Value::Bool(_) => Some("error".to_owned()),
        other => Some(text(other)),
    }
}

/// Returns the part of a text that is kept. The JSON of the conventions is worthless when cut, so it is cut after it
/// has been read.
fn kept(field: &Field, text: &str) -> Value {
    let limit = if gen_ai_content(field.name()) {
        EVENT_BYTES
    } else {
        VALUE_BYTES
    };
    if limits::is_over(text, limit) {
        limits::cut(text, limit).into()
    } else {
        text.to_owned().into()
    }
}

fn text(value: &Value) -> String {
    value.as_str().into_owned()
}

fn kind(name: &str) -> Option<SpanKind> {
    [
        ("internal", SpanKind::Internal),
        ("server", SpanKind::Server),
        ("client", SpanKind::Client),
        ("producer", SpanKind::Producer),
        ("consumer", SpanKind::Consumer),
    ]
    .into_iter()
    .find_map(|(known, kind)| name.eq_ignore_ascii_case(known).then_some(kind))
}

/// Returns the attribute of a field; `otherwise` is the bucket of a plain name.
fn placed(field: &'static str, otherwise: Bucket) -> Key {
    if field.starts_with("honeyhive_") {
        return Key::from_static_str(field);
    }
    let Some((first, rest)) = field.split_once('.') else {
        return key_below(otherwise.attribute_prefix(), field);
    };
    let bucket = Bucket::ALL
        .into_iter()
        .find(|bucket| bucket.name() == first);
    match bucket {
        Some(bucket) => key_below(bucket.attribute_prefix(), rest),
        None => Key::from_static_str(field),
    }
}

/// The fields are those of an event.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) text: Option<String>,
    /// The value of `#[instrument(ret)]` comes in an event of its own.
    pub(super) returned: Option<Value>,
    pub(super) error: Option<String>,
    pub(super) attributes: Vec<KeyValue>,
}

impl Message {
    fn take(&mut self, field: &Field, value: Value) {
        match field.name() {
            "message" => self.text = Some(text(&value)),
            "return" => self.returned = Some(value),
            name => {
                if name == "error" {
                    self.error = error(&value);
                }
                self.attributes.push(KeyValue::new(name, value));
            }
        }
    }
}

/// The macro takes every kind of value that `tracing` knows, as the one that OpenTelemetry has for it. A number that it
/// has no room for is text.
macro_rules! visit {
    ($who:ty) => {
        impl Visit for $who {
            fn record_bool(&mut self, field: &Field, value: bool) {
                self.take(field, value.into());
            }

            fn record_i64(&mut self, field: &Field, value: i64) {
                self.take(field, value.into());
            }

            fn record_u64(&mut self, field: &Field, value: u64) {
                let number = i64::try_from(value).map(Value::from);
                self.take(field, number.unwrap_or_else(|_| value.to_string().into()));
            }

            fn record_f64(&mut self, field: &Field, value: f64) {
                self.take(field, number::meant(value).into());
            }

            fn record_str(&mut self, field: &Field, value: &str) {
                self.take(field, kept(field, value));
            }

            fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
                self.take(field, with_causes(value).into());
            }

            fn record_bytes(&mut self, field: &Field, value: &[u8]) {
                self.take(field, octets(value).into());
            }

            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                self.take(field, shown(value).into());
            }
        }
    };
}

visit!(Said);
visit!(Message);
