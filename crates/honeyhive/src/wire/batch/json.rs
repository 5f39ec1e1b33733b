//! A batch may be in JSON.
//!
//! The types of `opentelemetry-proto` do not read every JSON that they write: where some crate turns on
//! `arbitrary_precision` of `serde_json`, their flattened values refuse numbers.

use serde_json::Value;

use crate::model::limits;

/// These lists lead from a batch to its spans.
const LISTS: &[&str] = &["resourceSpans", "scopeSpans", "spans"];

/// These fields hold texts of the program, wherever they are.
const TEXTS: [&str; 4] = ["message", "name", "stringValue", "version"];

pub(super) fn count(batch: &Value) -> usize {
    count_in(batch, LISTS)
}

/// Returns the first `at` spans, and the others.
pub(super) fn split(mut batch: Value, mut at: usize) -> (Value, Value) {
    let others = split_off(&mut batch, LISTS, &mut at);
    (batch, others)
}

/// Cuts every text of a batch; says whether one was too long.
pub(super) fn cut_texts(part: &mut Value, limit: usize) -> bool {
    match part {
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |any, item| any | cut_texts(item, limit)),
        Value::Object(fields) => fields.iter_mut().fold(false, |any, (name, value)| {
            any | match value {
                Value::String(text) if TEXTS.contains(&name.as_str()) => {
                    limits::shorten(text, limit)
                }
                value => cut_texts(value, limit),
            }
        }),
        _ => false,
    }
}

fn count_in(part: &Value, lists: &[&str]) -> usize {
    let Some((list, deeper)) = lists.split_first() else {
        return 1;
    };
    let items = part.get(list).and_then(Value::as_array);
    let items = items.into_iter().flatten();
    items.map(|item| count_in(item, deeper)).sum()
}

/// Leaves the first `at` spans in a part of a batch, and returns the same part with the others.
fn split_off(part: &mut Value, lists: &[&str], at: &mut usize) -> Value {
    let Some((list, deeper)) = lists.split_first() else {
        return Value::Null;
    };
    let mut items = match part.get_mut(list).map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let others = if deeper.is_empty() {
        let others = items.split_off(items.len().min(*at));
        *at -= items.len();
        others
    } else {
        let others = items.iter_mut().map(|item| split_off(item, deeper, at));
        let others: Vec<_> = others.filter(|it| count_in(it, deeper) > 0).collect();
        items.retain(|item| count_in(item, deeper) > 0);
        others
    };
    let mut other = part.clone();
    put(part, list, items);
    put(&mut other, list, others);
    other
}

fn put(part: &mut Value, list: &str, items: Vec<Value>) {
    if let Value::Object(fields) = part {
        fields.insert(list.to_owned(), items.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The spans have numbers, by scope and resource.
    type Spans<'s> = &'s [&'s [&'s [u32]]];

    fn batch(scopes: Spans<'_>) -> Value {
        let scope = |spans: &&[u32]| {
            let spans: Vec<_> = spans.iter().map(|id| json!({"spanId": id})).collect();
            json!({"scope": {"name": "s"}, "spans": spans})
        };
        let resource = |scopes: &&[&[u32]]| {
            let scopes: Vec<_> = scopes.iter().map(scope).collect();
            json!({"resource": {"attributes": []}, "scopeSpans": scopes})
        };
        let resources: Vec<_> = scopes.iter().map(resource).collect();
        json!({"resourceSpans": resources})
    }

    #[test]
    fn a_batch_is_split_between_any_two_spans() {
        let whole: Spans<'_> = &[&[&[1, 2], &[3]], &[&[4]]];
        let table: [(Spans<'_>, Spans<'_>); 3] = [
            (&[&[&[1]]], &[&[&[2], &[3]], &[&[4]]]),
            (&[&[&[1, 2]]], &[&[&[3]], &[&[4]]]),
            (&[&[&[1, 2], &[3]]], &[&[&[4]]]),
        ];
        for (at, (first, second)) in (1..).zip(table) {
            assert_eq!(
                split(batch(whole), at),
                (batch(first), batch(second)),
                "{at}"
            );
            assert_eq!((count(&batch(first)), count(&batch(second))), (at, 4 - at));
        }
    }

    #[test]
    fn nothing_is_split_that_is_no_batch() {
        for strange in [json!(null), json!([1]), json!({"resourceSpans": {"a": 1}})] {
            assert_eq!(count(&strange), 0);
            let (first, second) = split(strange, 1);
            assert_eq!((count(&first), count(&second)), (0, 0));
        }
    }

    #[test]
    fn only_texts_of_the_program_are_cut() {
        let long = "x".repeat(2_000);
        let mut span = json!({
            "traceId": long, "name": long, "startTimeUnixNano": "1",
            "attributes": [{"key": long, "value": {"arrayValue": {"values": [{"stringValue": long}]}}}],
            "status": {"message": long}, "kind": 1,
        });
        assert!(cut_texts(&mut span, 512));
        assert_eq!(
            (&span["traceId"], &span["attributes"][0]["key"]),
            (&json!(long), &json!(long))
        );
        for text in [
            &span["name"],
            &span["status"]["message"],
            &span["attributes"][0]["value"]["arrayValue"]["values"][0]["stringValue"],
        ] {
            assert!(text.as_str().is_some_and(|text| text.len() < 600), "{text}");
        }
        assert!(!cut_texts(&mut span, 512));
    }
}
