//! A metric is tried as far as one can tell without running a program or a model.

use serde_json::Value;

use crate::model::Object;

/// The outcome of a trial has a value, or says why there is none.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) result: Option<Value>,
    pub(crate) explanation: Option<String>,
}

/// Tries a metric on an event. Programs and models are not run here; a criterion that compares two values of the
/// event, such as `event["outputs"]["answer"] == event["feedback"]["ground_truth"]`, is.
pub(crate) fn trial(metric: &Object, event: &Value) -> Outcome {
    let kind = metric.get("type").and_then(Value::as_str);
    let criteria = metric.get("criteria").and_then(Value::as_str);
    let criteria = criteria.unwrap_or_default();
    if criteria.contains("ground_truth") && event["feedback"]["ground_truth"].is_null() {
        return refused("the event has no ground truth: `feedback.ground_truth` is missing");
    }
    if kind == Some("LLM") {
        return refused("honeyhive-local asks no models: try this metric against HoneyHive");
    }
    match compared(criteria, event) {
        Some(result) => Outcome {
            result: Some(result),
            explanation: None,
        },
        None => refused(
            "honeyhive-local runs no programs, only comparisons of two values of the event: try this metric \
             against HoneyHive",
        ),
    }
}

fn refused(why: &str) -> Outcome {
    Outcome {
        result: None,
        explanation: Some(why.to_owned()),
    }
}

/// The operators of a comparison, the longer before those that they begin with.
const OPERATORS: [&str; 7] = ["==", "!=", ">=", "<=", ">", "<", " in "];

/// Evaluates the last `return` of a criterion, or all of it, as a comparison or one value.
fn compared(criteria: &str, event: &Value) -> Option<Value> {
    let line = criteria
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())?;
    let line = line.trim();
    let line = line.strip_prefix("return ").unwrap_or(line).trim();
    let found = OPERATORS.iter().find_map(|operator| {
        let (left, right) = line.split_once(operator)?;
        Some((*operator, left, right))
    });
    let Some((operator, left, right)) = found else {
        return value(line, event);
    };
    let (left, right) = (value(left, event)?, value(right, event)?);
    let ordered = left.as_f64().zip(right.as_f64());
    let result = match operator {
        "==" => left == right,
        "!=" => left != right,
        ">=" => ordered.is_some_and(|(left, right)| left >= right),
        "<=" => ordered.is_some_and(|(left, right)| left <= right),
        ">" => ordered.is_some_and(|(left, right)| left > right),
        "<" => ordered.is_some_and(|(left, right)| left < right),
        _ => contains(&right, &left),
    };
    Some(result.into())
}

fn contains(whole: &Value, part: &Value) -> bool {
    match whole {
        Value::Array(items) => items.contains(part),
        Value::Object(object) => part.as_str().is_some_and(|key| object.contains_key(key)),
        Value::String(text) => part.as_str().is_some_and(|part| text.contains(part)),
        _ => false,
    }
}

/// Returns the value of a literal, of a path into the event, or of `len(…)` of one.
fn value(text: &str, event: &Value) -> Option<Value> {
    let text = text.trim();
    if let Some(inner) = text
        .strip_prefix("len(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return Some(match value(inner, event)? {
            Value::String(text) => text.chars().count().into(),
            Value::Array(items) => items.len().into(),
            Value::Object(object) => object.len().into(),
            _ => return None,
        });
    }
    let Some(mut rest) = text.strip_prefix("event") else {
        let literal = match text {
            "True" => "true".to_owned(),
            "False" => "false".to_owned(),
            "None" => "null".to_owned(),
            other => other.replace('\'', "\""),
        };
        return serde_json::from_str(&literal).ok();
    };
    let mut found = event;
    while !rest.is_empty() {
        let (part, after) = rest.strip_prefix('[')?.split_once(']')?;
        let part = part.trim().trim_matches(['"', '\'']);
        found = match found {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            object => object.get(part)?,
        };
        rest = after.trim_start();
    }
    Some(found.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::trial;

    #[test]
    fn a_comparison_is_told_and_a_program_is_not_run() {
        let event = json!({
            "outputs": { "answer": "Paris", "scores": [0.5, 1] },
            "feedback": { "ground_truth": "Paris" },
        });
        for (criteria, expected) in [
            (
                "event[\"outputs\"][\"answer\"] == event[\"feedback\"][\"ground_truth\"]",
                json!(true),
            ),
            (
                "def m(event):\n    return len(event['outputs']['answer']) > 5\n",
                json!(false),
            ),
            ("'ari' in event['outputs']['answer']", json!(true)),
            ("event['outputs']['scores'][1]", json!(1)),
            ("import os\nos.system('x')", Value::Null),
            ("event['outputs']['none'] == 1", Value::Null),
        ] {
            let metric = json!({ "type": "PYTHON", "criteria": criteria });
            let outcome = trial(metric.as_object().expect("an object"), &event);
            assert_eq!(outcome.result.unwrap_or_default(), expected, "{criteria}");
            assert_eq!(outcome.explanation.is_some(), expected.is_null());
        }
    }
}
