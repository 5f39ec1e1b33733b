//! Fields of a JSON body, read as HoneyHive reads them.

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

/// A field that has to be an object; missing and null are none.
pub(super) fn object(body: &Object, key: &str) -> Result<Option<Object>, Invalid> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object.clone())),
        Some(_) => Err(must_be(key, "an object")),
    }
}

/// A field that has to be a number; missing and null are none.
pub(super) fn number(body: &Object, key: &str) -> Result<Option<f64>, Invalid> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_f64()),
        Some(_) => Err(must_be(key, "a number")),
    }
}

/// A field that has to be an array of strings; missing and null are none.
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

/// A field that is worth something only as a non-empty string.
pub(super) fn text(body: &Object, key: &str) -> Option<String> {
    let text = body.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// A time in Unix milliseconds. Anything but a number silently becomes now, as in HoneyHive.
pub(super) fn time(body: &Object, key: &str) -> Option<f64> {
    match body.get(key)? {
        Value::Null => None,
        value => Some(value.as_f64().unwrap_or_else(now)),
    }
}

fn must_be(key: &str, what: &str) -> Invalid {
    Invalid(format!("`{key}` must be {what}"))
}
