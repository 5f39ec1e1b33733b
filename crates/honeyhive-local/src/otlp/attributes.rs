//! Dotted attribute keys back to the nested objects they were flattened from.

use serde_json::Value;

use crate::model::{Object, merge};

/// A key with more parts than this keeps its tail in one piece: nesting is walked recursively.
const MAX_DEPTH: usize = 48;

/// Puts `value` at a dotted `path`. Where a plain value and something below it meet, the object
/// stays, in whichever order they came.
pub(super) fn insert(object: &mut Object, path: &str, value: Value) {
    let mut object = object;
    let mut parts = path.splitn(MAX_DEPTH, '.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return put(object, part, value);
        }
        let slot = object.entry(part).or_insert(Value::Null);
        if !slot.is_object() {
            *slot = Value::Object(Object::new());
        }
        let Value::Object(below) = slot else { return };
        object = below;
    }
}

fn put(object: &mut Object, key: &str, value: Value) {
    match (object.get_mut(key), value) {
        (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
        (Some(Value::Object(_)), _) => {}
        (_, value) => {
            object.insert(key.to_owned(), value);
        }
    }
}

/// Turns objects whose keys are 0, 1, 2, … into arrays, all the way down.
pub(super) fn restore_arrays(object: &mut Object) {
    for value in object.values_mut() {
        let Value::Object(below) = value else {
            continue;
        };
        restore_arrays(below);
        if let Some(items) = as_items(below) {
            *value = Value::Array(items);
        }
    }
}

fn as_items(object: &mut Object) -> Option<Vec<Value>> {
    let keys = (0..object.len()).map(|index| index.to_string());
    let keys: Vec<String> = keys.collect();
    if keys.is_empty() || !keys.iter().all(|key| object.contains_key(key)) {
        return None;
    }
    keys.iter().map(|key| object.remove(key)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Object, insert, restore_arrays};

    fn nested(pairs: &[(&str, Value)]) -> Value {
        let mut object = Object::new();
        for (path, value) in pairs {
            insert(&mut object, path, value.clone());
        }
        restore_arrays(&mut object);
        Value::Object(object)
    }

    #[test]
    fn contiguous_indices_become_an_array_whatever_their_order() {
        let history = nested(&[
            ("history.10", json!("k")),
            ("history.0.role", json!("user")),
            ("sparse.1", json!(1)),
        ]);
        assert_eq!(history["sparse"], json!({"1": 1}));
        assert_eq!(history["history"]["10"], "k");
        let pairs: Vec<(String, Value)> = (0..12)
            .rev()
            .map(|n| (format!("a.{n}"), json!(n)))
            .collect();
        let pairs: Vec<(&str, Value)> =
            pairs.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
        assert_eq!(nested(&pairs)["a"], json!((0..12).collect::<Vec<_>>()));
    }

    #[test]
    fn an_object_wins_over_a_plain_value_in_either_order() {
        let below = ("a.b", json!(2));
        let plain = ("a", json!(1));
        assert_eq!(
            nested(&[plain.clone(), below.clone()]),
            json!({"a": {"b": 2}})
        );
        assert_eq!(nested(&[below, plain]), json!({"a": {"b": 2}}));
    }

    #[test]
    fn a_key_of_a_million_parts_is_no_danger() {
        let key = "a.".repeat(1_000_000);
        assert!(nested(&[(&key, json!(1))]).is_object());
    }
}
