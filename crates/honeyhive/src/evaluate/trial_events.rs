//! A trial's events in HoneyHive are its session, the span of the function, and those of its evaluators.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::Context;
use serde_json::{Map, Value, json};

use super::datapoint::Typed;
use super::evaluator::{Judgement, explanation_of};
use super::results::{MetricResult, TrialReport};
use super::score::ScoreValue;
use crate::context;
use crate::enrichment::Enrichment;
use crate::outbox::{Experiment, Outcome, SessionEnd};
use crate::redaction::{Place, Rules, Walk};
use crate::session::{NewSession, Session};
use crate::span::Span;
use crate::tracer::HoneyHiveTracer;

/// A run's sessions have this source, in the words of the official SDK.
pub(super) const SOURCE: &str = "evaluation";

/// `TrialEvents` makes the events of all trials of a run.
#[derive(Debug)]
pub(super) struct TrialEvents {
    pub(super) tracer: HoneyHiveTracer,
    pub(super) run_id: Arc<str>,
    pub(super) run_name: String,
    pub(super) dataset_id: Arc<str>,
    pub(super) function: String,
    pub(super) is_multiple: bool,
    /// The sessions that have begun, with their places in the dataset.
    pub(super) sessions: Sessions,
    /// The redaction rules for the report and the journal.
    pub(super) rules: Option<Arc<Rules>>,
}

/// `Sessions` holds the sessions that have begun, by datapoint and trial.
#[derive(Debug, Clone, Default)]
pub(super) struct Sessions(Arc<Mutex<Vec<(usize, u32, String)>>>);

impl Sessions {
    pub(super) fn add(&self, position: usize, trial: u32, id: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((position, trial, id));
    }

    /// Adds the sessions of trials that an earlier process has run.
    pub(super) fn add_all(&self, finished: &[TrialReport]) {
        for trial in finished {
            if let Some(session) = trial.session_id() {
                self.add(trial.position, trial.trial, session.to_owned());
            }
        }
    }

    /// Returns the ids of the sessions, in the order of the dataset.
    pub(super) fn ids(&self) -> Vec<String> {
        let mut all = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        all.sort();
        all.into_iter().map(|(_, _, id)| id).collect()
    }
}

/// Returns a value as an object; any other value stands under a name.
fn as_object(value: &Value, name: &str) -> Value {
    match value {
        Value::Object(_) => value.clone(),
        other => json!({name: other}),
    }
}

impl TrialEvents {
    /// Begins the session of a trial.
    pub(super) fn begin<I, G>(&self, row: &Typed<I, G>, trial: u32) -> Session {
        let ids = [&self.run_id, &self.dataset_id, &row.id].map(|id| Some(Arc::clone(id)));
        let mut new = NewSession::named(self.run_name.clone())
            .source(SOURCE)
            .inputs(as_object(&row.inputs_json, "input"))
            .experiment(Experiment::of(ids));
        if self.is_multiple {
            new = new.metadata(json!({"trial": trial}));
        }
        let session = self.tracer.create_session(new);
        let id = session.id().to_string();
        self.sessions.add(row.position, trial, id);
        session
    }

    /// Runs `f` in the context of a trial's session, without the caller's context.
    pub(super) fn within<T>(session: &Session, f: impl FnOnce() -> T) -> T {
        // The context has nothing of the caller's, but a session that adapters in the process join.
        let _attached = context::attach(session.as_unit_of_work(&Context::new()));
        f()
    }

    /// Begins the span of one call of the function.
    pub(super) fn call_span<I, G>(&self, session: &Session, row: &Typed<I, G>) -> Span {
        let chain = self.tracer.chain(self.function.clone());
        let chain = chain.inputs(as_object(&row.inputs_json, "input"));
        Self::within(session, || chain.start())
    }

    /// Begins the span of an evaluator that is async or has failed, beside that of the function.
    pub(super) fn evaluator_span(&self, session: &Session, name: &str) -> Span {
        let chain = self.tracer.chain(format!("evaluator: {name}"));
        let chain = chain.metadata(json!({"evaluator": name}));
        Self::within(session, || chain.start())
    }

    /// Ends the span of a successful call, at the time when the call ended, with the results of its evaluators.
    pub(super) fn end_call(
        span: &Span,
        outputs: &Value,
        judgement: &Judgement,
        ended_at: SystemTime,
    ) {
        span.outputs(json!({"result": outputs}));
        let metrics = metrics_of(judgement);
        if !metrics.is_empty() {
            span.metrics(metrics);
        }
        span.ends_at(ended_at);
    }

    /// Ends the span of a call that gave no outputs.
    pub(super) fn fail_call(span: &Span, error: &str, ended_at: SystemTime) {
        span.error(error);
        span.ends_at(ended_at);
    }

    /// Ends the session of a trial.
    pub(super) fn end(session: &Session, said: Enrichment, took: Duration, error: Option<String>) {
        session.enrich(said);
        let outcome = if error.is_some() {
            Outcome::Error
        } else {
            Outcome::Complete
        };
        session.end(SessionEnd {
            error,
            whole_session: session.is_whole(),
            ..SessionEnd::of_work(session.start.started_at, took, outcome)
        });
    }

    /// Masks a report by the rules that hold for everything that leaves the process.
    pub(super) fn mask(&self, trial: &mut TrialReport) {
        let Some(rules) = self.rules.as_deref().filter(|rules| !rules.is_empty()) else {
            return;
        };
        let mut walk = Walk::new(rules, Place::Update);
        if let Some(outputs) = &mut trial.outputs {
            let is_object = outputs.is_object();
            let mut object = match as_object(outputs, "value") {
                Value::Object(object) => object,
                _ => Map::new(),
            };
            walk.bucket("outputs", &mut object);
            *outputs = match object.remove("value") {
                Some(value) if !is_object => value,
                value => {
                    object.extend(value.map(|value| ("value".to_owned(), value)));
                    Value::Object(object)
                }
            };
        }
        if let Some(masked) = trial
            .error
            .as_deref()
            .and_then(|error| walk.text("error", error))
        {
            trial.error = Some(masked);
        }
        for (name, explanation) in &mut trial.explanations {
            if let Some(masked) =
                walk.text(&format!("metrics.{}", explanation_of(name)), explanation)
            {
                *explanation = masked;
            }
        }
        for (name, result) in &mut trial.metrics {
            let (MetricResult::Value(ScoreValue::Text(text)) | MetricResult::Error(text)) = result
            else {
                continue;
            };
            if let Some(masked) = walk.text(&format!("metrics.{name}"), text) {
                *text = masked;
            }
        }
    }
}

/// Returns the metrics of a judgement as HoneyHive gets them: values under their names, explanations beside them.
fn metrics_of(judgement: &Judgement) -> Map<String, Value> {
    let values = judgement
        .metrics
        .iter()
        .filter_map(|(name, result)| Some((name.clone(), json!(result.value()?))));
    let explanations = judgement
        .explanations
        .iter()
        .map(|(name, text)| (explanation_of(name), json!(text)));
    values.chain(explanations).collect()
}

/// `Ending` ends the session of a trial as cancelled, if the trial is dropped.
pub(super) struct Ending {
    session: Session,
    began: Instant,
    /// The expected outputs, which are sent with the session's end in one update.
    ground_truth: Option<Value>,
    is_known: bool,
}

impl Ending {
    pub(super) fn of(session: &Session, began: Instant, ground_truth: Option<&Value>) -> Self {
        Self {
            session: session.clone(),
            began,
            ground_truth: ground_truth.cloned(),
            is_known: false,
        }
    }

    /// Leaves the end of the session to another call.
    pub(super) fn leave(mut self) {
        self.is_known = true;
    }

    pub(super) fn end(mut self, said: Enrichment, error: Option<String>) {
        self.end_now(said, error);
    }

    fn end_now(&mut self, said: Enrichment, error: Option<String>) {
        self.is_known = true;
        let said = match self.ground_truth.take() {
            Some(ground_truth) => said.feedback(json!({"ground_truth": ground_truth})),
            None => said,
        };
        TrialEvents::end(&self.session, said, self.began.elapsed(), error);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.is_known {
            let cancelled = "cancelled: the run ended before it".to_owned();
            self.end_now(Enrichment::new(), Some(cancelled));
        }
    }
}

/// Returns the outputs of a function in the form that a session has them.
pub(super) fn outputs_of_session(outputs: &Value) -> Value {
    as_object(outputs, "value")
}
