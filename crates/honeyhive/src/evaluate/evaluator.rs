//! Evaluators, sync and async alike, judge the outputs of a function.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::datapoint::Case;
use super::results::MetricResult;
use super::score::{IntoScore, Score, ScoreValue, Scoring};

type Judging = Pin<Box<dyn Future<Output = Scoring> + Send>>;

/// A `Judged` is a judgement that is there already, or is still to come.
pub struct Judged(pub(super) How);

pub(super) enum How {
    Now(Scoring),
    Later(Judging),
}

impl fmt::Debug for Judged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Judged")
    }
}

/// Marker types tell the kinds of [`IntoVerdict`] apart.
#[allow(unreachable_pub, reason = "the compiler names them, and nobody else")]
mod kinds {
    #[derive(Debug)]
    pub enum Now {}
    #[derive(Debug)]
    pub enum Later {}
}

/// `IntoVerdict` is the return type of an evaluator: any [`IntoScore`], or a future of one.
///
/// The parameter tells the two apart; the compiler finds it.
#[diagnostic::on_unimplemented(
    message = "an evaluator cannot return `{Self}`",
    note = "return a bool, a number, a text, a `Score`, `Scored(struct)`, an `Option` or `Result` of those, or a future of one"
)]
pub trait IntoVerdict<Kind> {
    /// Converts the value into a judgement.
    fn into_verdict(self) -> Judged;
}

impl<T: IntoScore> IntoVerdict<kinds::Now> for T {
    fn into_verdict(self) -> Judged {
        Judged(How::Now(self.into_score()))
    }
}

impl<F> IntoVerdict<kinds::Later> for F
where
    F: Future<Output: IntoScore> + Send + 'static,
{
    fn into_verdict(self) -> Judged {
        Judged(How::Later(Box::pin(async move { self.await.into_score() })))
    }
}

type Judge<I, G, O> = dyn Fn(Case<I, G, O>) -> Judged + Send + Sync;

/// An `Evaluator` has a name and a closure.
pub(super) struct Evaluator<I, G, O> {
    pub(super) name: String,
    pub(super) judge: Arc<Judge<I, G, O>>,
}

impl<I, G, O> Evaluator<I, G, O> {
    pub(super) fn new<R, Kind, V>(name: String, judge: R) -> Self
    where
        R: FnOnce(Case<I, G, O>) -> V + Clone + Send + Sync + 'static,
        V: IntoVerdict<Kind>,
    {
        let judge = move |case| judge.clone()(case).into_verdict();
        Self {
            name,
            judge: Arc::new(judge),
        }
    }
}

/// Returns the problem of a list of names, before anything runs.
pub(super) fn problem_of_names(names: &[&str]) -> Option<String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.trim().is_empty() {
            return Some("an evaluator has a blank name: its metric needs one".to_owned());
        }
        if !seen.insert(*name) {
            return Some(format!(
                "two evaluators are called {name:?}; give each its own name"
            ));
        }
    }
    let explained = names
        .iter()
        .find(|name| seen.contains(explanation_of(name).as_str()))?;
    let taken = explanation_of(explained);
    Some(format!(
        "the evaluator {taken:?} has the name that the explanation of {explained:?} has; call it something else"
    ))
}

pub(super) fn explanation_of(name: &str) -> String {
    format!("{name}_explanation")
}

/// A `Judgement` has the metrics of one trial, from all evaluators and from recorded numbers.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Judgement {
    pub(super) metrics: BTreeMap<String, MetricResult>,
    pub(super) explanations: BTreeMap<String, String>,
}

impl Judgement {
    /// Merges metrics; a name that two would have is an error of the evaluator that comes second.
    pub(super) fn of(said: Vec<(String, Scoring)>, recorded: BTreeMap<String, f64>) -> Self {
        let mut judgement = Self::default();
        let reserved: BTreeSet<String> = said
            .iter()
            .flat_map(|(name, _)| [name.clone(), explanation_of(name)])
            .collect();
        for (name, scoring) in said {
            judgement.add(&name, scoring, &reserved);
        }
        for (name, number) in recorded {
            let value = MetricResult::Value(ScoreValue::Number(number));
            judgement.metrics.entry(name).or_insert(value);
        }
        judgement
    }

    fn add(&mut self, name: &str, scoring: Scoring, reserved: &BTreeSet<String>) {
        let result = match scoring {
            Scoring::Skipped => MetricResult::Skipped,
            Scoring::Error(error) => MetricResult::Error(error),
            Scoring::Score(score) => match self.taken_name(name, &score, reserved) {
                Some(taken) => {
                    MetricResult::Error(format!("there are two metrics called {taken:?}"))
                }
                None => self.add_score(name, score),
            },
        };
        self.metrics.insert(name.to_owned(), result);
    }

    fn taken_name(&self, name: &str, score: &Score, reserved: &BTreeSet<String>) -> Option<String> {
        let mut derived = score.extras.keys().map(|extra| format!("{name}_{extra}"));
        derived.find(|derived| reserved.contains(derived) || self.metrics.contains_key(derived))
    }

    fn add_score(&mut self, name: &str, score: Score) -> MetricResult {
        for (extra, value) in score.extras {
            self.metrics
                .insert(format!("{name}_{extra}"), MetricResult::Value(value));
        }
        if let Some(explanation) = score.explanation {
            self.explanations.insert(name.to_owned(), explanation);
        }
        MetricResult::Value(score.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, score: impl IntoScore) -> (String, Scoring) {
        (name.to_owned(), score.into_score())
    }

    fn value(value: impl Into<ScoreValue>) -> MetricResult {
        MetricResult::Value(value.into())
    }

    #[test]
    fn names_are_refused_before_anything_runs() {
        assert_eq!(problem_of_names(&["a", "b", "a_b", "b_explanations"]), None);
        for (names, part) in [
            (&["a", "b", "a"][..], "two evaluators are called \"a\""),
            (&["a", " "], "blank"),
            (&["a_explanation", "a"], "the explanation of \"a\""),
        ] {
            let problem = problem_of_names(names).unwrap();
            assert!(problem.contains(part), "{problem}");
        }
    }

    #[test]
    fn extras_and_explanations_have_the_names_that_python_gives_them() {
        let score = Score::new(0.5).explanation("half").extra("tone", "warm");
        let judgement = Judgement::of(
            vec![said("helpful", score)],
            BTreeMap::from([("cost".to_owned(), 0.1)]),
        );
        let metrics = [
            ("cost", value(0.1)),
            ("helpful", value(0.5)),
            ("helpful_tone", value("warm")),
        ];
        assert_eq!(
            judgement.metrics,
            metrics.map(|(name, value)| (name.to_owned(), value)).into()
        );
        assert_eq!(judgement.explanations["helpful"], "half");
    }

    #[test]
    fn a_name_that_two_have_is_an_error_of_the_evaluator_and_the_others_stay() {
        let a = Score::new(1.0).extra("b", true);
        let judgement = Judgement::of(
            vec![said("a", a), said("a_b", 0.5), said("c", None::<bool>)],
            BTreeMap::new(),
        );
        assert!(
            matches!(&judgement.metrics["a"], MetricResult::Error(error) if error.contains("\"a_b\""))
        );
        assert_eq!(judgement.metrics["a_b"], value(0.5));
        assert_eq!(judgement.metrics["c"], MetricResult::Skipped);
    }
}
