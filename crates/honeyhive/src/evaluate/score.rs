//! An evaluator gives a [`Score`], or any value that converts into one.

use std::collections::BTreeMap;
use std::error::Error;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::causes::with_causes;
use crate::model::number::of_f32;

/// A metric's value is a boolean, a number or a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ScoreValue {
    /// The value is true or false.
    Bool(bool),
    /// The value is a whole number.
    Integer(i64),
    /// The value is a number.
    Number(f64),
    /// The value is a text.
    Text(String),
}

impl ScoreValue {
    /// Returns the number: for a boolean 1 or 0, for a text `None`.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Bool(flag) => Some(f64::from(u8::from(*flag))),
            Self::Integer(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }

    /// Returns a scalar of JSON; `None` for a list, an object or null.
    pub(super) fn of_json(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(Self::Bool(*flag)),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Some(Self::Integer(whole)),
                None => number.as_f64().map(Self::Number),
            },
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn is_finite(&self) -> bool {
        !matches!(self, Self::Number(number) if !number.is_finite())
    }
}

/// Writes the value as a table shows it.
impl std::fmt::Display for ScoreValue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(flag) => write!(formatter, "{flag}"),
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

macro_rules! values_from {
    ($($from:ty: $value:ident => $made:expr;)*) => {$(
        impl From<$from> for ScoreValue {
            fn from($value: $from) -> Self {
                $made
            }
        }

        impl IntoScore for $from {
            fn into_score(self) -> Scoring {
                Score::new(self).into_score()
            }
        }
    )*};
}

values_from! {
    bool: value => Self::Bool(value);
    f64: value => Self::Number(value);
    f32: value => Self::Number(of_f32(value));
    u8: value => Self::Integer(value.into());
    u16: value => Self::Integer(value.into());
    u32: value => Self::Integer(value.into());
    u64: value => i64::try_from(value).map_or(Self::Number(value as f64), Self::Integer);
    usize: value => i64::try_from(value).map_or(Self::Number(value as f64), Self::Integer);
    i8: value => Self::Integer(value.into());
    i16: value => Self::Integer(value.into());
    i32: value => Self::Integer(value.into());
    i64: value => Self::Integer(value);
    &str: value => Self::Text(value.to_owned());
    String: value => Self::Text(value);
}

/// A `Score` has a value, an explanation, and further values.
///
/// ```
/// use honeyhive::evaluate::Score;
///
/// let score = Score::new(0.7)
///     .explanation("two of three facts are there")
///     .extra("tone", "friendly"); // the metric `helpful_tone` of an evaluator `helpful`
/// # drop(score);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    pub(super) value: ScoreValue,
    pub(super) explanation: Option<String>,
    pub(super) extras: BTreeMap<String, ScoreValue>,
}

impl Score {
    /// Returns a score of this value: a boolean, a number or a text.
    #[must_use]
    pub fn new(value: impl Into<ScoreValue>) -> Self {
        Self {
            value: value.into(),
            explanation: None,
            extras: BTreeMap::new(),
        }
    }

    /// Adds an explanation: the metric `<evaluator>_explanation`.
    #[must_use]
    pub fn explanation(mut self, text: impl Into<String>) -> Self {
        self.explanation = Some(text.into());
        self
    }

    /// Adds another value: the metric `<evaluator>_<name>`.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<ScoreValue>) -> Self {
        self.extras.insert(name.into(), value.into());
        self
    }

    /// Returns the first number that is NaN or infinite.
    pub(super) fn not_finite(&self) -> Option<&ScoreValue> {
        std::iter::once(&self.value)
            .chain(self.extras.values())
            .find(|value| !value.is_finite())
    }
}

/// A `Scoring` is the result of an evaluator: a score, a skip, or an error. A skip or an error never counts as a zero.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Scoring {
    /// The evaluator gave a score.
    Score(Score),
    /// The evaluator skipped the datapoint.
    Skipped,
    /// The evaluator failed.
    Error(String),
}

/// An evaluator may return this value: a boolean, a number, a text, `(value, explanation)`, a [`Score`], a [`Scored`]
/// struct, an `Option` (`None` is skipped) or a `Result` (`Err` is the evaluator's error) of those.
#[diagnostic::on_unimplemented(
    message = "an evaluator cannot return `{Self}`",
    note = "return a bool, a number, a text, a `Score`, `Scored(struct)`, or an `Option` or `Result` of those"
)]
pub trait IntoScore {
    /// Converts the value.
    fn into_score(self) -> Scoring;
}

impl IntoScore for Score {
    fn into_score(self) -> Scoring {
        match self.not_finite() {
            Some(value) => Scoring::Error(format!("the score is no number: {value}")),
            None => Scoring::Score(self),
        }
    }
}

impl IntoScore for Scoring {
    fn into_score(self) -> Scoring {
        self
    }
}

impl<T: IntoScore> IntoScore for Option<T> {
    fn into_score(self) -> Scoring {
        self.map_or(Scoring::Skipped, T::into_score)
    }
}

impl<T: IntoScore, E: Into<Box<dyn Error + Send + Sync>>> IntoScore for Result<T, E> {
    fn into_score(self) -> Scoring {
        match self {
            Ok(score) => score.into_score(),
            Err(error) => Scoring::Error(with_causes(&*error.into())),
        }
    }
}

impl<T: Into<ScoreValue>, W: Into<String>> IntoScore for (T, W) {
    fn into_score(self) -> Scoring {
        Score::new(self.0).explanation(self.1).into_score()
    }
}

/// `Scored` makes a score of a struct, as Python's evaluators return a dict: its `score`, its `explanation`, and its
/// other scalars as extras.
///
/// ```
/// use honeyhive::evaluate::{IntoScore, Score, Scored, Scoring};
///
/// #[derive(serde::Serialize)]
/// struct Tone { score: f64, explanation: &'static str, polite: bool }
///
/// let scored = Scored(Tone { score: 0.9, explanation: "says please", polite: true });
/// let score = Score::new(0.9).explanation("says please").extra("polite", true);
/// assert_eq!(scored.into_score(), Scoring::Score(score));
/// ```
#[derive(Debug, Clone)]
pub struct Scored<T>(pub T);

impl<T: Serialize> IntoScore for Scored<T> {
    fn into_score(self) -> Scoring {
        match serde_json::to_value(&self.0) {
            Ok(Value::Object(object)) => of_object(&object),
            Ok(_) => Scoring::Error("a scored struct must be an object with a `score`".to_owned()),
            Err(error) => Scoring::Error(format!("the scored struct is no JSON: {error}")),
        }
    }
}

fn of_object(object: &serde_json::Map<String, Value>) -> Scoring {
    let value = match object.get("score") {
        None => return Scoring::Error("a scored struct has no `score`".to_owned()),
        Some(Value::Null) => return Scoring::Skipped,
        Some(value) => ScoreValue::of_json(value),
    };
    let Some(value) = value else {
        return Scoring::Error(
            "the `score` of a scored struct must be a boolean, a number or a text, or `None` to skip the metric"
                .to_owned(),
        );
    };
    let others = object
        .iter()
        .filter(|(key, _)| !["score", "explanation"].contains(&key.as_str()));
    Scoring::Score(Score {
        value,
        explanation: object
            .get("explanation")
            .and_then(Value::as_str)
            .map(str::to_owned),
        extras: others
            .filter_map(|(key, value)| Some((key.clone(), ScoreValue::of_json(value)?)))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(value: impl Into<ScoreValue>) -> Scoring {
        Scoring::Score(Score::new(value))
    }

    #[test]
    fn an_evaluator_says_what_it_returns_and_nothing_is_ever_zero() {
        assert_eq!(true.into_score(), score(true));
        assert_eq!(3_u32.into_score(), score(3_i64));
        assert_eq!(0.9_f32.into_score(), score(0.9));
        assert_eq!("warm".into_score(), score("warm"));
        assert_eq!(None::<bool>.into_score(), Scoring::Skipped);
        assert_eq!(Some(0.5).into_score(), score(0.5));
        assert_eq!(Ok::<_, String>(Some(false)).into_score(), score(false));
        assert_eq!(
            Err::<f64, _>("no judge").into_score(),
            Scoring::Error("no judge".to_owned())
        );
        let explained = Score::new(1.0).explanation("all there");
        assert_eq!((1.0, "all there").into_score(), Scoring::Score(explained));
    }

    #[test]
    fn a_struct_without_a_usable_score_is_an_error_and_one_with_null_is_skipped() {
        let of = |json| Scored(json).into_score();
        assert_eq!(of(serde_json::json!({"score": null})), Scoring::Skipped);
        assert!(matches!(
            of(serde_json::json!({"polite": true})),
            Scoring::Error(_)
        ));
        assert!(matches!(
            of(serde_json::json!({"score": [1]})),
            Scoring::Error(_)
        ));
        assert!(matches!(of(serde_json::json!(0.5)), Scoring::Error(_)));
    }

    #[test]
    fn no_number_is_an_error() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(matches!(number.into_score(), Scoring::Error(_)), "{number}");
            assert!(matches!(
                Score::new(1.0).extra("x", number).into_score(),
                Scoring::Error(_)
            ));
        }
    }
}
