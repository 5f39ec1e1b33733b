//! Where the fields of a `tracing` span go: the rule that `tracing_layer` documents.

use opentelemetry::trace::{Event, Status};
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::attributes::{CREATED_WITH, ERROR, TRACING_SCOPE};
use crate::enrichment::Bucket;

/// What the layer puts before a span's own fields, in this order.
const OF_THE_LAYER: [&str; 2] = ["level", "target"];

/// Puts the fields of a span that came through the layer where HoneyHive looks for them.
pub(crate) fn place(span: &mut SpanData) {
    if span.instrumentation_scope.name() != TRACING_SCOPE {
        return;
    }
    place_fields(&mut span.attributes);
    place_return_value(span);
    place_error(span);
}

fn place_fields(attributes: &mut Vec<KeyValue>) {
    let divide = attributes
        .iter()
        .position(|attribute| attribute.key.as_str() == CREATED_WITH);
    let divide = divide.unwrap_or(attributes.len());
    for (index, attribute) in attributes.iter_mut().enumerate() {
        let bucket = if OF_THE_LAYER.get(index) == Some(&attribute.key.as_str()) || index > divide {
            Bucket::Metadata
        } else {
            Bucket::Inputs
        };
        if let Some(key) = placed(attribute.key.as_str(), bucket) {
            attribute.key = key;
        }
    }
    if divide < attributes.len() {
        attributes.remove(divide);
    }
}

/// The attribute of a field, where that is another; `otherwise` is the bucket of a plain name.
fn placed(field: &str, otherwise: Bucket) -> Option<Key> {
    if field == "error" {
        return Some(Key::from_static_str(ERROR));
    }
    if field.starts_with("honeyhive_") {
        return None;
    }
    let Some((first, rest)) = field.split_once('.') else {
        return Some(format!("{}.{field}", otherwise.attribute_prefix()).into());
    };
    let bucket = Bucket::ALL
        .into_iter()
        .find(|bucket| bucket.name() == first)?;
    Some(format!("{}.{rest}", bucket.attribute_prefix()).into())
}

/// `#[instrument(ret)]` says it in an event that has nothing else to say.
fn place_return_value(span: &mut SpanData) {
    let is_return = |event: &Event| event.attributes.iter().any(is_return_field);
    let Some(index) = span.events.events.iter().position(is_return) else {
        return;
    };
    let event = span.events.events.remove(index);
    let returned = event.attributes.into_iter().find(is_return_field);
    if let Some(KeyValue { value, .. }) = returned {
        let key = format!("{}.result", Bucket::Outputs.attribute_prefix());
        span.attributes.push(KeyValue::new(key, value));
    }
}

fn is_return_field(attribute: &KeyValue) -> bool {
    attribute.key.as_str() == "return"
}

fn place_error(span: &mut SpanData) {
    let has_error = |attribute: &KeyValue| attribute.key.as_str() == ERROR;
    let error = span.attributes.iter().rfind(|field| has_error(field));
    let error = error.map(|field| field.value.as_str().into_owned());
    match (error, &span.status) {
        (Some(error), Status::Unset | Status::Ok) => span.status = Status::error(error),
        (None, Status::Error { description }) => {
            let said = (!description.is_empty()).then(|| description.to_string());
            let Some(error) = said.or_else(|| last_error(span)) else {
                return;
            };
            span.status = Status::error(error.clone());
            span.attributes.push(KeyValue::new(ERROR, error));
        }
        _ => {}
    }
}

/// The message of the last event of level `ERROR`.
fn last_error(span: &SpanData) -> Option<String> {
    let is_error = |attribute: &KeyValue| {
        attribute.key.as_str() == "level" && attribute.value == Value::from("ERROR")
    };
    let mut events = span.events.iter();
    let event = events.rfind(|event| event.attributes.iter().any(is_error))?;
    Some(event.name.to_string())
}
