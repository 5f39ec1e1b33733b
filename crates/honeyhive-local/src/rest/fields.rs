//! Fields of a JSON body are read as HoneyHive reads them.

use serde_json::Value;

use super::Invalid;
use crate::model::{Object, now};

/// Refuses a body with fields that are not among `known`, and names them.
pub(super) fn only(body: &Value, known: &[&str]) -> Result<(), Invalid> {
    let fields = body.as_object().into_iter().flat_map(Object::keys);
    let unknown = fields.filter(|field| !known.contains(&field.as_str()));
    let unknown: Vec<String> = unknown.map(|field| format!("`{field}`")).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Invalid(format!("unknown fields: {}", unknown.join(", "))))
}

/// Returns a field that has to be an object; `None` where it is missing or null.
pub(super) fn object(body: &Object, key: &str) -> Result<Option<Object>, Invalid> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object.clone())),
        Some(_) => Err(must_be(key, "an object")),
    }
}

/// Returns a field that has to be a number; `None` where it is missing or null.
pub(super) fn number(body: &Object, key: &str) -> Result<Option<f64>, Invalid> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_f64()),
        Some(_) => Err(must_be(key, "a number")),
    }
}

/// Returns a field that has to be an array of strings; `None` where it is missing or null.
pub(super) fn texts(body: &Object, key: &str) -> Result<Option<Vec<String>>, Invalid> {
    let items = match body.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(must_be(key, "an array of strings")),
    };
    let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
    let texts: Option<Vec<String>> = texts.collect();
    texts
        .map(Some)
        .ok_or_else(|| must_be(key, "an array of strings"))
}

/// Returns a field that is a non-empty string; any other value is as good as none.
pub(super) fn text(body: &Object, key: &str) -> Option<String> {
    let text = body.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// Returns a time in Unix milliseconds. A value that is no number becomes now without a word, as in HoneyHive.
pub(super) fn time(body: &Object, key: &str) -> Option<f64> {
    match body.get(key)? {
        Value::Null => None,
        value => Some(value.as_f64().unwrap_or_else(now)),
    }
}

fn must_be(key: &str, what: &str) -> Invalid {
    Invalid(format!("`{key}` must be {what}"))
}
