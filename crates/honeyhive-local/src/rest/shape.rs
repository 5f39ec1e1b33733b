//! A table describes a body: its fields, their kinds, and whether others are taken.

use serde_json::Value;

use super::Invalid;
use crate::model::Object;

/// A name has at most this many characters.
const LONGEST_NAME: usize = 200;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Any,
    Bool,
    Number,
    Text,
    /// The value is a text that is not blank.
    Filled,
    /// The value is a text that is not blank, of 200 characters at most.
    Name,
    /// The value is a text of 200 characters at most.
    Label,
    Object,
    Array,
    Texts,
    Objects,
    OneOf(&'static [&'static str]),
    /// The value is an array of objects or one of them.
    ObjectOrObjects,
}

/// A `Shape` has the fields that a body takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Whether other fields are refused.
    pub(crate) strict: bool,
    pub(crate) required: &'static [&'static str],
    pub(crate) fields: &'static [(&'static str, Kind)],
}

impl Shape {
    /// Returns the known fields of a body, without those that are null; or what is wrong with it, by the field's name.
    pub(crate) fn read(&self, body: &Value) -> Result<Object, Invalid> {
        let Value::Object(body) = body else {
            return Err(Invalid("the body must be a JSON object".to_owned()));
        };
        if self.strict {
            self.refuse_unknown(body)?;
        }
        let mut known = Object::new();
        for (name, kind) in self.fields {
            let Some(value) = body.get(*name).filter(|value| !value.is_null()) else {
                continue;
            };
            kind.check(name, value)?;
            known.insert((*name).to_owned(), value.clone());
        }
        let missing = self
            .required
            .iter()
            .find(|name| !known.contains_key(**name));
        match missing {
            Some(name) => Err(Invalid(format!("`{name}` is missing"))),
            None => Ok(known),
        }
    }

    fn refuse_unknown(&self, body: &Object) -> Result<(), Invalid> {
        let knows = |field: &String| self.fields.iter().any(|(name, _)| name == field);
        let unknown: Vec<String> = body
            .keys()
            .filter(|field| !knows(field))
            .map(|field| format!("`{field}`"))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Invalid(format!("unknown fields: {}", unknown.join(", "))))
    }
}

impl Kind {
    fn check(self, name: &str, value: &Value) -> Result<(), Invalid> {
        if self.holds(value) {
            return Ok(());
        }
        Err(Invalid(format!("`{name}` must be {}", self.words())))
    }

    fn holds(self, value: &Value) -> bool {
        let filled = |text: &str| !text.trim().is_empty();
        let short = |text: &str| text.chars().count() <= LONGEST_NAME;
        let text = value.as_str();
        let all =
            |is: fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(is));
        match self {
            Self::Any => true,
            Self::Bool => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Text => value.is_string(),
            Self::Filled => text.is_some_and(filled),
            Self::Name => text.is_some_and(|text| filled(text) && short(text)),
            Self::Label => text.is_some_and(short),
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Texts => all(Value::is_string),
            Self::Objects => all(Value::is_object),
            Self::OneOf(names) => text.is_some_and(|text| names.contains(&text)),
            Self::ObjectOrObjects => value.is_object() || all(Value::is_object),
        }
    }

    fn words(self) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Text => "a string".to_owned(),
            Self::Filled => "a string that is not blank".to_owned(),
            Self::Name => "a string of 1 to 200 characters".to_owned(),
            Self::Label => "a string of at most 200 characters".to_owned(),
            Self::Object => "an object".to_owned(),
            Self::Array => "an array".to_owned(),
            Self::Texts => "an array of strings".to_owned(),
            Self::Objects => "an array of objects".to_owned(),
            Self::OneOf(names) => format!("one of {}", names.join(", ")),
            Self::ObjectOrObjects => "an object or an array of objects".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, Shape};

    const SHAPE: Shape = Shape {
        strict: true,
        required: &["name"],
        fields: &[
            ("name", Kind::Name),
            ("tags", Kind::Texts),
            ("env", Kind::OneOf(&["dev", "prod"])),
        ],
    };

    #[test]
    fn a_field_that_is_wrong_missing_or_unknown_is_named() {
        for (body, said) in [
            (json!([]), "JSON object"),
            (json!({}), "`name` is missing"),
            (json!({ "name": null }), "`name` is missing"),
            (json!({ "name": " " }), "`name` must be"),
            (json!({ "name": "n".repeat(201) }), "`name` must be"),
            (
                json!({ "name": "n", "tags": ["a", 1] }),
                "`tags` must be an array of strings",
            ),
            (json!({ "name": "n", "env": "test" }), "one of dev, prod"),
            (
                json!({ "name": "n", "other": 1 }),
                "unknown fields: `other`",
            ),
        ] {
            let refused = SHAPE.read(&body).expect_err("it is refused");
            assert!(refused.0.contains(said), "{body}: {}", refused.0);
        }
        let read = SHAPE.read(&json!({ "name": "é".repeat(200), "tags": null }));
        assert_eq!(read.expect("it is taken").len(), 1);
    }
}
