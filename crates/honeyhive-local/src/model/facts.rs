//! Lists show and sum up facts, which are found in the buckets of a session or an event.

use serde_json::Value;

use super::{LocalEvent, LocalSession, Object};

/// A summary in a list is at most this many characters.
const SUMMARY: usize = 200;

/// A count of tokens or a cost beyond this is a mistake, and sums of such would be none.
const SENSIBLE: f64 = 1e12;

/// These fields describe the HTTP request of a session and not its content.
const TRANSPORT: [&str; 5] = ["method", "path", "user_id", "status_code", "url"];

/// A question is looked for in these fields, and an answer in those below; each has the other's as well, behind its
/// own.
const ASKING: [&str; 5] = ["question", "query", "message", "prompt", "input"];
const ANSWERING: [&str; 7] = [
    "answer", "reply", "response", "output", "result", "text", "content",
];

/// `EventFacts` has what is counted and shown of an event.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct EventFacts {
    pub(crate) model: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) tokens: Tokens,
    pub(crate) cost: f64,
    pub(crate) first_token_ms: Option<f64>,
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) run_id: Option<String>,
    pub(crate) datapoint_id: Option<String>,
}

impl EventFacts {
    pub(crate) fn of(event: &LocalEvent) -> Self {
        let metadata = &event.metadata;
        let model = text_at(&event.config, "model");
        Self {
            model: model.or_else(|| text_at(metadata, "model_name")),
            provider: text_at(&event.config, "provider"),
            tokens: Tokens::of(metadata),
            cost: sensible(metadata, "cost").unwrap_or(0.0),
            first_token_ms: number_at(metadata, "time_to_first_token_ms"),
            input: summary(&event.inputs, Side::In),
            output: summary(&event.outputs, Side::Out),
            run_id: text_at(metadata, "run_id"),
            datapoint_id: text_at(metadata, "datapoint_id"),
        }
    }
}

/// `SessionFacts` has what is shown of a session besides the sums of its events.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SessionFacts {
    pub(crate) status: Option<i64>,
    pub(crate) outcome: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) run_id: Option<String>,
    pub(crate) datapoint_id: Option<String>,
}

impl SessionFacts {
    pub(crate) fn of(session: &LocalSession) -> Self {
        let metadata = &session.metadata;
        let user = &session.user_properties;
        let error = session.error.clone();
        Self {
            status: session.outputs.get("status_code").and_then(Value::as_i64),
            outcome: text_at(metadata, "outcome"),
            error: error.or_else(|| text_at(metadata, "error")),
            user_id: ["user_id", "id"]
                .iter()
                .find_map(|key| text_at(user, key))
                .or_else(|| text_at(&session.inputs, "user_id")),
            input: summary(&session.inputs, Side::In),
            output: summary(&session.outputs, Side::Out),
            run_id: text_at(metadata, "run_id"),
            datapoint_id: text_at(metadata, "datapoint_id"),
        }
    }
}

/// `Tokens` has the tokens of a model call. The total is told even where its parts are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tokens {
    pub(crate) input: i64,
    pub(crate) output: i64,
    pub(crate) total: i64,
}

impl Tokens {
    fn of(metadata: &Object) -> Self {
        let count = |key: &str| {
            let whole = metadata.get(key)?.as_i64()?;
            sensible(metadata, key).map(|_| whole)
        };
        let either = |new, old| count(new).or_else(|| count(old)).unwrap_or(0);
        let input = either("input_tokens", "prompt_tokens");
        let output = either("output_tokens", "completion_tokens");
        Self {
            input,
            output,
            total: count("total_tokens").unwrap_or(input + output),
        }
    }
}

/// `Side` says which end of a conversation is looked at.
#[derive(Clone, Copy)]
enum Side {
    In,
    Out,
}

/// Returns the words that a list shows for a bucket: the question or the answer, cut.
fn summary(bucket: &Object, side: Side) -> Option<String> {
    let chat = bucket.get("chat_history").and_then(Value::as_array);
    let said = chat.and_then(|messages| said_in(messages, side));
    let (first, then) = match side {
        Side::In => (&ASKING[..], &ANSWERING[..]),
        Side::Out => (&ANSWERING[..], &ASKING[..]),
    };
    let told = || {
        let mut keys = first.iter().chain(then);
        keys.find_map(|key| text_at(bucket, key))
    };
    said.or_else(told)
        .or_else(|| first_text(bucket))
        .map(|text| cut(&text))
}

/// Returns the last words of the user, or of anybody.
fn said_in(messages: &[Value], side: Side) -> Option<String> {
    let content = |message: &Value| message.get("content")?.as_str().map(str::to_owned);
    let is_user = |message: &&Value| message.get("role").and_then(Value::as_str) == Some("user");
    match side {
        Side::In => messages.iter().rev().find(is_user).and_then(content),
        Side::Out => messages.iter().rev().find_map(content),
    }
}

fn first_text(bucket: &Object) -> Option<String> {
    let content = bucket
        .iter()
        .filter(|(key, _)| !TRANSPORT.contains(&key.as_str()));
    let mut shown = content.filter(|(_, value)| !value.is_null());
    let (_, value) = shown.next()?;
    Some(match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

fn cut(text: &str) -> String {
    let mut characters = text.trim().chars();
    let mut cut: String = characters.by_ref().take(SUMMARY).collect();
    if characters.next().is_some() {
        cut.push('…');
    }
    cut
}

fn text_at(object: &Object, key: &str) -> Option<String> {
    let text = object.get(key)?.as_str()?;
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn sensible(object: &Object, key: &str) -> Option<f64> {
    number_at(object, key).filter(|number| number.abs() <= SENSIBLE)
}

fn number_at(object: &Object, key: &str) -> Option<f64> {
    object.get(key)?.as_f64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Side, summary};

    #[test]
    fn a_bucket_is_summed_up_by_its_question_or_its_answer() {
        for (bucket, asked, answered) in [
            (json!({ "message": "a", "reply": "b" }), "a", "b"),
            (json!({ "answer": "b", "question": "a" }), "a", "b"),
            (json!({ "content": "c" }), "c", "c"),
            (
                json!({ "method": "POST", "rows": [1, 2] }),
                "[1,2]",
                "[1,2]",
            ),
            (json!({ "question": " ", "prompt": "a" }), "a", "a"),
        ] {
            let bucket = bucket.as_object().expect("an object");
            assert_eq!(summary(bucket, Side::In).as_deref(), Some(asked));
            assert_eq!(summary(bucket, Side::Out).as_deref(), Some(answered));
        }
    }
}
