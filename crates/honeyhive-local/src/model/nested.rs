//! Dotted attribute keys become the nested objects again that they were flattened from.

use serde_json::Value;

use super::{Object, merge};

/// A key with more parts than this keeps its tail in one piece: nesting is walked recursively.
const MAX_DEPTH: usize = 48;

/// Returns the object that flat pairs were made of: `a.b` is `b` in `a`, and 0, 1, 2, … are a list.
///
/// Where a plain value and something below it meet, both stay: `gpt-4` and `gpt-4.1` are two keys.
pub(crate) fn nested<'k>(pairs: impl IntoIterator<Item = (&'k str, Value)>) -> Object {
    let mut pairs: Vec<(&str, Value)> = pairs.into_iter().collect();
    // Shallow keys come first, so that the order of arrival does not matter.
    pairs.sort_by_key(|(path, _)| path.split('.').count());
    let mut object = Object::new();
    for (path, value) in pairs {
        insert(&mut object, path, value);
    }
    restore_lists(&mut object);
    object
}

fn insert(mut object: &mut Object, path: &str, value: Value) {
    let mut rest = path;
    for _ in 1..MAX_DEPTH {
        let Some((part, below)) = rest.split_once('.') else {
            break;
        };
        if object.get(part).is_some_and(|held| !held.is_object()) {
            break;
        }
        let slot = object
            .entry(part)
            .or_insert_with(|| Value::Object(Object::new()));
        let Value::Object(inner) = slot else { return };
        object = inner;
        rest = below;
    }
    put(object, rest, value);
}

fn put(object: &mut Object, key: &str, value: Value) {
    match (object.get_mut(key), value) {
        (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
        (_, value) => {
            object.insert(key.to_owned(), value);
        }
    }
}

/// Turns objects whose keys are 0, 1, 2, … into lists, all the way down.
fn restore_lists(object: &mut Object) {
    for value in object.values_mut() {
        let Value::Object(below) = value else {
            continue;
        };
        restore_lists(below);
        if let Some(items) = as_items(below) {
            *value = Value::Array(items);
        }
    }
}

/// Returns the items of a list. Nulls in a list are no attributes, so some of its numbers may be missing; where more
/// are missing than there, or the first is, the object is no list.
fn as_items(object: &mut Object) -> Option<Vec<Value>> {
    let indices: Option<Vec<usize>> = object.keys().map(|key| index(key)).collect();
    let length = indices?.into_iter().max()?.checked_add(1)?;
    if !object.contains_key("0") || length > 2 * object.len() {
        return None;
    }
    let items = (0..length).map(|index| object.remove(&index.to_string()));
    Some(items.map(Option::unwrap_or_default).collect())
}

/// Returns a whole number without a leading zero.
fn index(key: &str) -> Option<usize> {
    let is_plain = key == "0" || !key.starts_with(['0', '+']);
    key.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::nested;

    fn of(pairs: &[(&str, Value)]) -> Value {
        Value::Object(nested(
            pairs.iter().map(|(key, value)| (*key, value.clone())),
        ))
    }

    #[test]
    fn numbers_become_a_list_whatever_their_order_and_nulls_stay_in_it() {
        for (pairs, expected) in [
            (
                vec![("a.1", json!("y")), ("a.0", json!("x"))],
                json!({ "a": ["x", "y"] }),
            ),
            (
                vec![("a.0", json!(1)), ("a.2", json!(3))],
                json!({ "a": [1, null, 3] }),
            ),
            (
                vec![("a.0.b", json!(1)), ("a.2.b", json!(3))],
                json!({ "a": [{ "b": 1 }, null, { "b": 3 }] }),
            ),
            (vec![("a.1", json!(1))], json!({ "a": { "1": 1 } })),
            (
                vec![("a.0", json!(1)), ("a.10", json!(2))],
                json!({ "a": { "0": 1, "10": 2 } }),
            ),
            (
                vec![("a.0", json!(1)), ("a.18446744073709551615", json!(2))],
                json!({ "a": { "0": 1, "18446744073709551615": 2 } }),
            ),
            (
                vec![("a.0", json!(1)), ("a.01", json!(2))],
                json!({ "a": { "0": 1, "01": 2 } }),
            ),
        ] {
            assert_eq!(of(&pairs), expected);
        }
        let names: Vec<String> = (0..12).rev().map(|number| format!("a.{number}")).collect();
        let pairs: Vec<(&str, Value)> =
            names.iter().map(|name| (name.as_str(), json!(1))).collect();
        assert_eq!(of(&pairs)["a"].as_array().map(Vec::len), Some(12));
    }

    #[test]
    fn a_plain_value_and_one_below_it_both_stay_in_either_order() {
        let models = [
            ("gpt-4", json!(1)),
            ("gpt-4.1", json!(2)),
            ("gpt-4.1.mini", json!(3)),
        ];
        let expected = json!({ "gpt-4": 1, "gpt-4.1": 2, "gpt-4.1.mini": 3 });
        assert_eq!(of(&models), expected);
        let [first, second, third] = models;
        assert_eq!(of(&[third, second, first]), expected);
        let objects = [("a", json!({ "x": 1 })), ("a.y", json!(2))];
        assert_eq!(of(&objects), json!({ "a": { "x": 1, "y": 2 } }));
    }

    #[test]
    fn a_key_of_a_million_parts_is_no_danger() {
        let key = "a.".repeat(1_000_000);
        assert!(of(&[(&key, json!(1))]).is_object());
    }
}
