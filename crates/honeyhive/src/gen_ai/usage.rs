//! Token counts, reasons and times of the GenAI conventions are added under the names that HoneyHive reads.

use opentelemetry::{Array, KeyValue, Value};

use crate::attributes::GEN_AI_USAGE_PREFIX;

/// Each answer has ended for one of these reasons.
pub(super) const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";

/// The conventions have an old or new name, for which HoneyHive reads another key.
const NAMES: [(&str, &str, Kind); 10] = [
    (
        "gen_ai.usage.cache_read.input_tokens",
        "honeyhive_metadata.cache_read_input_tokens",
        Kind::Count,
    ),
    (
        "gen_ai.usage.cache_read_input_tokens",
        "honeyhive_metadata.cache_read_input_tokens",
        Kind::Count,
    ),
    (
        "gen_ai.usage.cache_write.input_tokens",
        "honeyhive_metadata.cache_write_input_tokens",
        Kind::Count,
    ),
    (
        "gen_ai.usage.cache_creation.input_tokens",
        "honeyhive_metadata.cache_write_input_tokens",
        Kind::Count,
    ),
    (
        "gen_ai.usage.cache_creation_input_tokens",
        "honeyhive_metadata.cache_write_input_tokens",
        Kind::Count,
    ),
    (
        "gen_ai.usage.reasoning.output_tokens",
        "honeyhive_metadata.reasoning_tokens",
        Kind::Count,
    ),
    (
        "gen_ai.usage.reasoning_tokens",
        "honeyhive_metadata.reasoning_tokens",
        Kind::Count,
    ),
    (
        FINISH_REASONS,
        "honeyhive_metadata.finish_reason",
        Kind::Reason,
    ),
    (
        "gen_ai.response.time_to_first_chunk",
        "honeyhive_metadata.time_to_first_chunk_ms",
        Kind::Seconds,
    ),
    (
        "gen_ai.response.time_to_first_token",
        "honeyhive_metadata.time_to_first_token_ms",
        Kind::Seconds,
    ),
];

#[derive(Debug, Clone, Copy)]
enum Kind {
    Count,
    Reason,
    Seconds,
}

/// Adds the names that HoneyHive reads, where they are missing, and makes numbers of counts.
pub(super) fn place(attributes: &mut Vec<KeyValue>) {
    attributes.iter_mut().for_each(count_tokens);
    let is_told = |it: &KeyValue| it.key.as_str().starts_with("gen_ai.");
    if attributes.iter().any(is_told) {
        add_names(attributes);
    }
}

/// Makes marks of the vectors of embeddings.
pub(crate) fn shorten_vectors(attributes: &mut [KeyValue]) {
    attributes.iter_mut().for_each(shorten_vector);
}

/// Returns whether an attribute is a count of the conventions.
pub(crate) fn is_usage(attribute: &KeyValue) -> bool {
    const PREFIXES: [&str; 3] = [GEN_AI_USAGE_PREFIX, "llm.token_count.", "llm.usage."];
    let key = attribute.key.as_str();
    PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// Returns whether a library has counted tokens, under any of the known names.
pub(crate) fn said_tokens(attributes: &[KeyValue]) -> bool {
    let is_ours = |it: &KeyValue| {
        let name = it.key.as_str().strip_prefix("honeyhive_metadata.");
        name.is_some_and(|name| name.ends_with("_tokens"))
    };
    attributes.iter().any(|it| is_usage(it) || is_ours(it))
}

fn add_names(attributes: &mut Vec<KeyValue>) {
    for (theirs, ours, kind) in NAMES {
        let is_said = attributes.iter().any(|it| it.key.as_str() == ours);
        let found = attributes.iter().rfind(|it| it.key.as_str() == theirs);
        let value = found
            .filter(|_| !is_said)
            .and_then(|it| kind.read(&it.value));
        attributes.extend(value.map(|value| KeyValue::new(ours, value)));
    }
}

impl Kind {
    fn read(self, value: &Value) -> Option<Value> {
        match self {
            Self::Reason => first_reason(value).map(Value::from),
            Self::Count => number(value)
                .filter(|it| *it >= 0.0)
                .map(|it| Value::I64(it as i64)),
            Self::Seconds => number(value).map(|it| Value::F64(it * 1_000.0)),
        }
    }
}

/// Returns the number of an attribute: some libraries write numbers as text.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::I64(number) => Some(*number as f64),
        Value::F64(number) => Some(*number),
        Value::String(text) => text.as_str().trim().parse().ok(),
        _ => None,
    }
}

/// Returns the first of a list, which is often JSON in a text.
pub(super) fn first_reason(value: &Value) -> Option<String> {
    match value {
        Value::Array(Array::String(reasons)) => Some(reasons.first()?.as_str().to_owned()),
        Value::String(text) => match serde_json::from_str(text.as_str()) {
            Ok(serde_json::Value::Array(reasons)) => Some(reasons.first()?.as_str()?.to_owned()),
            Ok(serde_json::Value::String(reason)) => Some(reason),
            _ => Some(text.as_str().to_owned()),
        },
        _ => None,
    }
}

/// Makes a number of a count that came as text, as `tracing-opentelemetry` writes unsigned numbers: HoneyHive adds
/// them up.
fn count_tokens(attribute: &mut KeyValue) {
    if attribute.key.as_str().starts_with(GEN_AI_USAGE_PREFIX)
        && let Value::String(text) = &attribute.value
        && let Ok(tokens) = text.as_str().parse::<i64>()
    {
        attribute.value = tokens.into();
    }
}

/// Makes a mark of an embedding's vector: nobody reads its numbers.
fn shorten_vector(attribute: &mut KeyValue) {
    let size = match &attribute.value {
        Value::Array(Array::F64(numbers)) => numbers.len(),
        _ => return,
    };
    let key = attribute.key.as_str();
    if key.contains("embedding") || key.ends_with(".vector") {
        attribute.value = format!("[vector of {size}]").into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_conventions_stand_where_honeyhive_reads_them() {
        let mut attributes = vec![
            KeyValue::new("gen_ai.usage.cache_creation.input_tokens", "3"),
            KeyValue::new("gen_ai.usage.cache_read.input_tokens", 4_i64),
            KeyValue::new("gen_ai.usage.reasoning_tokens", 5_i64),
            KeyValue::new("gen_ai.response.finish_reasons", "[\"stop\",\"length\"]"),
            KeyValue::new("gen_ai.response.time_to_first_chunk", 0.25),
            KeyValue::new("honeyhive_metadata.cache_read_input_tokens", 9_i64),
        ];
        let before = attributes.len();
        add_names(&mut attributes);
        let added: Vec<_> = attributes[before..]
            .iter()
            .map(|it| format!("{}={}", it.key, it.value))
            .collect();
        assert_eq!(
            added,
            [
                "honeyhive_metadata.cache_write_input_tokens=3",
                "honeyhive_metadata.reasoning_tokens=5",
                "honeyhive_metadata.finish_reason=stop",
                "honeyhive_metadata.time_to_first_chunk_ms=250",
            ]
        );
    }

    #[test]
    fn a_reason_to_finish_is_read_however_it_is_written() {
        let list = Value::Array(Array::String(vec!["stop".into(), "length".into()]));
        for value in [list, "stop".into(), "\"stop\"".into(), "[\"stop\"]".into()] {
            assert_eq!(first_reason(&value).as_deref(), Some("stop"), "{value:?}");
        }
        assert_eq!(first_reason(&"[]".into()), None);
    }

    #[test]
    fn a_vector_is_a_mark_and_other_numbers_stay() {
        let numbers = || Value::Array(Array::F64(vec![0.5; 3]));
        let mut vector = KeyValue::new("embedding.embeddings.0.embedding.vector", numbers());
        shorten_vector(&mut vector);
        assert_eq!(vector.value, Value::from("[vector of 3]"));
        let mut scores = KeyValue::new("scores", numbers());
        shorten_vector(&mut scores);
        assert_eq!(scores.value, numbers());
    }
}
