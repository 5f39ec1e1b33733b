//! Flat keys become a tree again, as HoneyHive makes one of the attributes of a span.

use serde_json::{Map, Value};

use super::object::Object;

/// Returns a tree: `a.b` becomes `{"a": {"b": …}}`, and an object that has the keys `0`, `1`, … alone becomes a list.
pub(crate) fn unflatten<'k>(entries: impl IntoIterator<Item = (&'k str, Value)>) -> Object {
    let mut tree = Object::new();
    for (key, value) in entries {
        put(&mut tree, key, value);
    }
    tree.into_iter()
        .map(|(key, value)| (key, with_lists(value)))
        .collect()
}

fn put(tree: &mut Object, key: &str, value: Value) {
    let Some((first, rest)) = key.split_once('.') else {
        tree.insert(key.to_owned(), value);
        return;
    };
    let branch = tree
        .entry(first)
        .or_insert_with(|| Value::Object(Map::new()));
    match branch {
        Value::Object(branch) => put(branch, rest, value),
        // The tree has a leaf there already: both stay.
        _ => drop(tree.insert(key.to_owned(), value)),
    }
}

fn with_lists(value: Value) -> Value {
    let Value::Object(object) = value else {
        return value;
    };
    let is_list = !object.is_empty()
        && (0..object.len()).all(|index| object.contains_key(&index.to_string()));
    let mut object = object;
    if is_list {
        let items = (0..object.len()).map(|index| index.to_string());
        let items: Vec<_> = items.filter_map(|index| object.remove(&index)).collect();
        return items.into_iter().map(with_lists).collect();
    }
    let entries = object.into_iter();
    Value::Object(
        entries
            .map(|(key, value)| (key, with_lists(value)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn flat_keys_are_a_tree_again() {
        for (flat, expected) in [
            (json!({"a": 1}), json!({"a": 1})),
            (
                json!({"a.b": 1, "a.c.d": "x"}),
                json!({"a": {"b": 1, "c": {"d": "x"}}}),
            ),
            (
                json!({"chat.0.role": "user", "chat.1.role": "assistant"}),
                json!({"chat": [{"role": "user"}, {"role": "assistant"}]}),
            ),
            (json!({"a.0": 1, "a.2": 2}), json!({"a": {"0": 1, "2": 2}})),
            (json!({"a": 1, "a.b": 2}), json!({"a": 1, "a.b": 2})),
        ] {
            let entries = flat.as_object().into_iter().flatten();
            let entries = entries.map(|(key, value)| (key.as_str(), value.clone()));
            assert_eq!(Value::Object(unflatten(entries)), expected);
        }
    }

    #[test]
    fn a_list_of_more_than_ten_stays_in_its_order() {
        let keys: Vec<_> = (0..12).map(|index| format!("a.{index}")).collect();
        let entries = keys.iter().enumerate();
        let tree = unflatten(entries.map(|(index, key)| (key.as_str(), Value::from(index))));
        assert_eq!(tree["a"], json!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
    }
}
