//! The attributes of a span are read one by one, and a note is kept of those that have found a place.

use std::cell::RefCell;
use std::collections::HashSet;

use serde_json::Value;

use crate::model::{LocalSpanEvent, Object, nested};

/// `Attributes` has flat attributes, and a note of those that were understood.
pub(super) struct Attributes<'a> {
    flat: &'a Object,
    pub(super) events: &'a [LocalSpanEvent],
    claimed: RefCell<HashSet<String>>,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(flat: &'a Object, events: &'a [LocalSpanEvent]) -> Self {
        Self {
            flat,
            events,
            claimed: RefCell::default(),
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'a String> {
        self.flat.keys()
    }

    pub(super) fn is_claimed(&self, key: &str) -> bool {
        self.claimed.borrow().contains(key)
    }

    /// Returns an attribute, and notes that it has found its place.
    pub(super) fn take(&self, key: &str) -> Option<&'a Value> {
        let value = self.flat.get(key)?;
        self.claimed.borrow_mut().insert(key.to_owned());
        Some(value)
    }

    /// Returns the first of some attributes; the others say the same once more.
    pub(super) fn first(&self, keys: &[&str]) -> Option<&'a Value> {
        let found: Vec<&Value> = keys.iter().filter_map(|key| self.take(key)).collect();
        found.into_iter().next()
    }

    /// Returns an attribute as a text that is not blank.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        let text = self
            .flat
            .get(key)?
            .as_str()
            .filter(|text| !text.trim().is_empty())?;
        self.take(key);
        Some(text)
    }

    /// Returns an attribute that is JSON in a text, or a value as it is.
    pub(super) fn json(&self, key: &str) -> Option<Value> {
        self.take(key).map(parsed)
    }

    /// Returns the attributes below a prefix, as they were before they were flattened.
    pub(super) fn below(&self, prefix: &str) -> Option<Value> {
        let mut keys = Vec::new();
        let pairs: Vec<(&str, Value)> = self
            .flat
            .iter()
            .filter_map(|(key, value)| {
                let path = key.strip_prefix(prefix)?.strip_prefix('.')?;
                keys.push(key.clone());
                Some((path, value.clone()))
            })
            .collect();
        if pairs.is_empty() {
            return None;
        }
        self.claimed.borrow_mut().extend(keys);
        // The wrapping adds a level, so that a list at the top is one, too.
        let named: Vec<(String, Value)> = pairs
            .into_iter()
            .map(|(path, value)| (format!("it.{path}"), value))
            .collect();
        let pairs = named
            .iter()
            .map(|(path, value)| (path.as_str(), value.clone()));
        nested(pairs).remove("it")
    }
}

/// Parses a text that is JSON; returns any other value as it is.
pub(super) fn parsed(value: &Value) -> Value {
    let Some(text) = value.as_str() else {
        return value.clone();
    };
    let is_json = text.trim_start().starts_with(['{', '[', '"']);
    let parsed = is_json.then(|| lenient(text)).flatten();
    parsed.unwrap_or_else(|| value.clone())
}

/// Parses JSON, even with half an emoji in it: an escape that is no character becomes the replacement character.
fn lenient(text: &str) -> Option<Value> {
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&without_lone_surrogates(text)))
        .ok()
}

fn without_lone_surrogates(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let length = match surrogate(escape) {
            None => escape.chars().take(2).map(char::len_utf8).sum(),
            Some(high) if high && surrogate(escape.get(6..).unwrap_or_default()) == Some(false) => {
                12
            }
            Some(_) => {
                mended.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
        };
        mended.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    mended + rest
}

/// Returns whether a text begins with an escaped surrogate, and whether that is a high one.
fn surrogate(text: &str) -> Option<bool> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    match unit {
        0xd800..=0xdbff => Some(true),
        0xdc00..=0xdfff => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parsed;

    #[test]
    fn half_an_emoji_spoils_nothing_else() {
        for (text, expected) in [
            (r#"["\ud83d"]"#, json!(["\u{fffd}"])),
            (r#"["\ud83d\ude00 \\ud83d"]"#, json!(["😀 \\ud83d"])),
            (r#"["\ude00\ud83dx"]"#, json!(["\u{fffd}\u{fffd}x"])),
            ("[1", json!("[1")),
            ("1.10", json!("1.10")),
        ] {
            assert_eq!(parsed(&json!(text)), expected, "{text}");
        }
    }
}
