//! Other crates pass some values to their own serializer as a struct with a private name. No type of Rust begins with a
//! `$`, so a name with one is private.
//!
//! `serde_json` has two, each of which some crate in the tree may turn on for everybody: numbers as they were written
//! (`arbitrary_precision`), and JSON as it was written (`raw_value`). `toml` has one for dates.

use serde_json::{Map, Number, Value};

const NUMBER: &str = "$serde_json::private::Number";
const RAW: &str = "$serde_json::private::RawValue";

/// A struct of a private name stands for a value.
pub(super) enum Private {
    /// The value is taken as it is.
    Plain(Value),
    /// The JSON is yet to be read.
    Raw(String),
}

pub(super) fn is_private(type_name: &str) -> bool {
    type_name.starts_with('$')
}

/// Reads the value; `None` where its type only has the same name.
pub(super) fn read(type_name: &str, entries: &mut Map<String, Value>) -> Option<Private> {
    let mut values = std::mem::take(entries).into_iter();
    match (values.next(), values.next()) {
        (Some((_, Value::String(text))), None) => Some(match type_name {
            NUMBER => Private::Plain(number(text)),
            RAW => Private::Raw(text),
            _ => Private::Plain(text.into()),
        }),
        (Some((_, value)), None) => Some(Private::Plain(value)),
        (first, second) => {
            entries.extend(first.into_iter().chain(second).chain(values));
            None
        }
    }
}

/// Returns a number as it was written; one that 64 bits cannot hold stays a text.
fn number(text: String) -> Value {
    if let Ok(number) = text.parse::<i64>() {
        return number.into();
    }
    if let Ok(number) = text.parse::<u64>() {
        return number.into();
    }
    let is_whole = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    let number = text.parse().ok().filter(|_| !is_whole);
    number
        .and_then(Number::from_f64)
        .map_or_else(|| text.into(), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_numbers_again_where_64_bits_hold_them() {
        for (text, expected) in [
            ("42", json!(42)),
            ("-1", json!(-1)),
            ("18446744073709551615", json!(u64::MAX)),
            ("0.9", json!(0.9)),
            ("1e3", json!(1000.0)),
            ("123456789012345678901", json!("123456789012345678901")),
            ("1e999", json!("1e999")),
        ] {
            let found = number(text.to_owned());
            assert_eq!(found.to_string(), expected.to_string(), "{text}");
        }
    }
}
