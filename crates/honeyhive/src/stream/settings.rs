//! The settings of a call become attributes.

use opentelemetry::{KeyValue, Value as Shown};
use serde_json::Value;

use super::json::Json;
use crate::attributes::MAX_ATTRIBUTES;
use crate::model::flatten::{at_most, flatten};

/// A field that is longer is a schema or a text, and neither is a setting.
const MAX_SETTING: usize = 512;

/// Settings have this prefix.
const PREFIX: &str = "honeyhive_config.";

macro_rules! attributes {
    ($($name:literal)*) => {
        /// Returns the attribute that a setting of a call becomes; `None` for a field that is no setting.
        fn attribute_of(name: &str) -> Option<&'static str> {
            Some(match name {
                $($name => concat!("honeyhive_config.", $name),)*
                _ => return None,
            })
        }
    };
}

// The settings of a call have these names in the APIs: most requests of a stream have the first.
attributes! {
    "stream"
    "temperature"
    "top_p"
    "topP"
    "top_k"
    "topK"
    "n"
    "candidateCount"
    "seed"
    "random_seed"
    "max_tokens"
    "max_completion_tokens"
    "max_output_tokens"
    "maxOutputTokens"
    "num_predict"
    "num_ctx"
    "frequency_penalty"
    "frequencyPenalty"
    "presence_penalty"
    "presencePenalty"
    "stop"
    "stop_sequences"
    "stopSequences"
    "reasoning"
    "reasoning_effort"
    "thinking"
    "thinkingConfig"
    "think"
    "prompt"
    "response_format"
    "responseMimeType"
    "tool_choice"
    "parallel_tool_calls"
    "service_tier"
    "previous_response_id"
    "previous_interaction_id"
    "thinking_level"
    "dimensions"
    "encoding_format"
    "size"
    "quality"
    "voice"
    "verbosity"
}

/// Adds a field of a request where it is a setting.
pub(super) fn put_setting(field: Json<'_>, attributes: &mut Vec<KeyValue>) {
    let Some(attribute) = attribute_of(field.name_text()) else {
        return;
    };
    match value_of(field) {
        None => {}
        Some(Value::Bool(is_so)) => attributes.push(KeyValue::new(attribute, is_so)),
        Some(said) => {
            let mut put = at_most(MAX_ATTRIBUTES, |it| attributes.push(it));
            // Attributes past the limit of a span are left out.
            let _ = flatten(attribute.into(), said, &mut put);
        }
    }
}

/// Returns the value of a setting; `None` for a field that is no setting.
fn value_of(value: Json<'_>) -> Option<Value> {
    match (value.text(), value.raw()) {
        (Some(text), _) => Some(text.bounded::<String>(MAX_SETTING).into()),
        (None, "true") => Some(true.into()),
        (None, "false") => Some(false.into()),
        (None, raw) if raw.len() <= MAX_SETTING => serde_json::from_str(raw).ok(),
        (None, _) => None,
    }
}

/// Returns whether an attribute is a setting that stays where content is hidden: a number or a flag, and none of a
/// list.
pub(super) fn is_number_or_flag(attribute: &KeyValue) -> bool {
    let setting = attribute.key.as_str().strip_prefix(PREFIX);
    setting.is_some_and(|it| !it.contains('.'))
        && !matches!(attribute.value, Shown::String(_) | Shown::Array(_))
}

#[cfg(test)]
mod tests {
    use super::super::json::Index;
    use super::*;

    /// Returns the attributes of the settings of a body.
    fn settings_of(body: &str) -> Vec<KeyValue> {
        let mut attributes = Vec::new();
        let mut index = Index::new();
        let root = index.read(body).expect("JSON");
        let fields = root.fields();
        fields.for_each(|(_, it)| put_setting(it, &mut attributes));
        attributes
    }

    fn shown(attributes: &[KeyValue]) -> Vec<String> {
        let attributes = attributes.iter();
        attributes
            .map(|it| format!("{}={}", it.key, it.value))
            .collect()
    }

    #[test]
    fn settings_are_shown_by_their_names_and_other_fields_are_not() {
        let body = r#"{"model":"m","temperature":0.5,"max_tokens":10,"stream":true,"stop":["a"],"user":"ada"}"#;
        assert_eq!(
            shown(&settings_of(body)),
            [
                "honeyhive_config.temperature=0.5",
                "honeyhive_config.max_tokens=10",
                "honeyhive_config.stream=true",
                "honeyhive_config.stop.0=a"
            ]
        );
    }

    #[test]
    fn a_schema_that_is_too_long_is_no_setting_and_a_long_text_is_cut() {
        let long = "x".repeat(2 * MAX_SETTING);
        let body = format!(r#"{{"response_format":{{"schema":"{long}"}},"voice":"{long}","n":2}}"#);
        let [voice, n] = settings_of(&body).try_into().expect("two settings");
        assert_eq!(voice.key.as_str(), "honeyhive_config.voice");
        let text = voice.value.as_str();
        assert!(text.ends_with("… [cut: 1024 bytes in all]"), "{text}");
        assert_eq!(shown(&[n]), ["honeyhive_config.n=2"]);
    }

    #[test]
    fn numbers_and_flags_alone_stay_where_content_is_hidden() {
        let body = r#"{"temperature":0.5,"stream":true,"voice":"secret","stop":["secret"],"thinking":{"budget":7}}"#;
        let expected = [
            "honeyhive_config.temperature=0.5",
            "honeyhive_config.stream=true",
        ];
        let mut seen = settings_of(body);
        assert_eq!(seen.len(), 5);
        seen.push(KeyValue::new("honeyhive_inputs.count", 1));
        seen.retain(is_number_or_flag);
        assert_eq!(shown(&seen), expected);
    }
}
