//! [`Feedback`] is a body, read and checked.

use serde_json::Value;

use super::FeedbackAnswer;
use crate::model::object::Object;

const LONGEST_COMMENT: usize = 4_000;
const LONGEST_TAG: usize = 64;
const MOST_TAGS: usize = 20;

/// A rating has a target and contents.
#[derive(Debug, PartialEq)]
pub(super) struct Feedback {
    pub(super) target: Target,
    pub(super) said: Object,
}

/// The client names the target of a rating.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Session(String),
    Event(String),
}

impl Feedback {
    pub(super) fn read(body: &[u8]) -> Result<Self, FeedbackAnswer> {
        let refused = |message: String| FeedbackAnswer::invalid(&message);
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(refused("the body is no JSON object".to_owned()));
        };
        Self::of(fields).map_err(refused)
    }

    fn of(mut fields: Object) -> Result<Self, String> {
        let target = target(&mut fields)?;
        for (name, value) in &fields {
            check(name, value)?;
        }
        fields.retain(|_, value| !value.is_null());
        if fields.is_empty() {
            return Err("one of `rating`, `comment` and `tags` is needed".to_owned());
        }
        Ok(Self {
            target,
            said: fields,
        })
    }
}

fn target(fields: &mut Object) -> Result<Target, String> {
    let mut text = |name: &str| match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` is a text")),
    };
    match (text("session_id")?, text("event_id")?) {
        (Some(id), None) => Ok(Target::Session(id)),
        (None, Some(id)) => Ok(Target::Event(id)),
        _ => Err("one of `session_id` and `event_id` is needed".to_owned()),
    }
}

fn check(name: &str, value: &Value) -> Result<(), String> {
    let (is_right, expected) = match name {
        "rating" => (is_rating(value), "true, false, a number or a short text"),
        "comment" => (
            is_text(value, LONGEST_COMMENT),
            "a text of at most 4,000 characters",
        ),
        "tags" => (
            are_tags(value),
            "a list of at most 20 texts of at most 64 characters",
        ),
        _ => {
            return Err(
                "a field is none of `session_id`, `event_id`, `rating`, `comment`, `tags`"
                    .to_owned(),
            );
        }
    };
    if is_right || value.is_null() {
        Ok(())
    } else {
        Err(format!("`{name}` is {expected}"))
    }
}

fn is_rating(value: &Value) -> bool {
    value.is_boolean() || value.is_number() || is_text(value, LONGEST_TAG)
}

fn are_tags(value: &Value) -> bool {
    let tags = value.as_array();
    tags.is_some_and(|tags| {
        tags.len() <= MOST_TAGS && tags.iter().all(|tag| is_text(tag, LONGEST_TAG))
    })
}

/// Returns whether a value is a text of at most so many characters, as people count them: `nth` looks no further than
/// the bound.
fn is_text(value: &Value, longest: usize) -> bool {
    let text = value.as_str();
    text.is_some_and(|text| !text.trim().is_empty() && text.chars().nth(longest).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Feedback, String> {
        Feedback::read(body.as_bytes()).map_err(|answer| answer.body().to_owned())
    }

    #[test]
    fn a_body_says_what_is_rated_and_how() {
        let long = "ä".repeat(LONGEST_COMMENT);
        let said = format!(
            r#"{{"session_id": "s", "rating": 4.5, "comment": "{long}", "tags": ["a", "b"]}}"#
        );
        let feedback = read(&said).unwrap();
        assert_eq!(feedback.target, Target::Session("s".to_owned()));
        assert_eq!(feedback.said.len(), 3);
        let feedback =
            read(r#"{"event_id": "e", "session_id": null, "rating": false, "comment": null}"#)
                .unwrap();
        assert_eq!(feedback.target, Target::Event("e".to_owned()));
        assert_eq!(
            Value::from(feedback.said),
            serde_json::json!({"rating": false})
        );
        assert!(read(r#"{"event_id": "e", "rating": "good"}"#).is_ok());
    }

    #[test]
    fn a_body_that_says_something_else_is_refused_with_what_to_change() {
        let long = format!(
            r#"{{"session_id": "s", "comment": "{}"}}"#,
            "a".repeat(4_001)
        );
        let tags = format!(r#"{{"session_id": "s", "tags": {:?}}}"#, ["t"; 21]);
        for (body, expected) in [
            ("", "no JSON object"),
            ("[]", "no JSON object"),
            ("{\"session_id\": \"s\"", "no JSON object"),
            ("\u{feff}{}", "no JSON object"),
            ("{}", "one of `session_id` and `event_id`"),
            (
                r#"{"session_id": "s", "event_id": "e", "rating": 1}"#,
                "one of `session_id` and `event_id`",
            ),
            (
                r#"{"session_id": 7, "rating": 1}"#,
                "`session_id` is a text",
            ),
            (r#"{"session_id": "s"}"#, "one of `rating`"),
            (r#"{"session_id": "s", "rating": null}"#, "one of `rating`"),
            (r#"{"session_id": "s", "rating": {}}"#, "`rating` is"),
            (r#"{"session_id": "s", "rating": " "}"#, "`rating` is"),
            (r#"{"session_id": "s", "comment": ["x"]}"#, "`comment` is"),
            (r#"{"session_id": "s", "tags": "x"}"#, "`tags` is"),
            (r#"{"session_id": "s", "tags": [1]}"#, "`tags` is"),
            (
                r#"{"session_id": "s", "rating": 1, "ground_truth": "x"}"#,
                "a field is none of",
            ),
            (&long, "`comment` is"),
            (&tags, "`tags` is"),
        ] {
            let answer = read(body).unwrap_err();
            assert!(answer.contains(expected), "{body}: {answer}");
        }
    }
}
