//! A trial is one call of the function, and the results of its evaluators.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::datapoint::{Case, Datapoint, Recorded, Typed};
use super::ended_run::EndedRun;
use super::evaluator::{Evaluator, How, Judgement};
use super::guarded::{self, Broken};
use super::results::{Outcome, TrialReport};
use super::retry::{AttemptError, Retry};
use super::score::Scoring;
use super::settings::RetryIf;
use super::trial_events::{Ending, TrialEvents, outputs_of_session};
use crate::enrichment::Enrichment;
use crate::model::milliseconds::milliseconds;
use crate::session::Session;
use crate::span::Span;

/// `Calling` is a running call of the function.
pub(super) type Calling<O> =
    Pin<Box<dyn Future<Output = Result<O, Box<dyn Error + Send + Sync>>> + Send>>;
/// `Call` is the form that all kinds of functions become.
pub(super) type Call<I, G, O> = dyn Fn(Datapoint<I, G>) -> Calling<O> + Send + Sync;

/// `Work` is the work that all trials share.
pub(super) struct Work<I, G, O> {
    pub(super) events: TrialEvents,
    pub(super) call: Arc<Call<I, G, O>>,
    pub(super) evaluators: Vec<Evaluator<I, G, O>>,
    pub(super) timeout: Option<Duration>,
    pub(super) evaluator_timeout: Option<Duration>,
    pub(super) retries: u32,
    pub(super) retry_if: Option<Arc<RetryIf>>,
    pub(super) evaluator_retries: u32,
    pub(super) keep_outputs: bool,
    /// The old run whose outputs are judged.
    pub(super) rescored: Option<Arc<EndedRun>>,
}

/// A `Job` is a trial that is to run, or to run again.
pub(super) struct Job<I, G> {
    pub(super) row: Arc<Typed<I, G>>,
    pub(super) trial: u32,
    /// The number of calls of the function so far.
    pub(super) attempts: u32,
    recorded: Recorded,
    /// The session, and the time of its first call.
    session: Option<(Session, Instant)>,
}

impl<I, G> Job<I, G> {
    pub(super) fn new(row: Arc<Typed<I, G>>, trial: u32) -> Self {
        Self {
            row,
            trial,
            attempts: 0,
            recorded: Recorded::default(),
            session: None,
        }
    }

    /// Returns the report of a trial that will not run, or not again.
    pub(super) fn left(self) -> TrialReport {
        let mut report = TrialReport::not_run(&self.row.id, self.row.position, self.trial);
        report.attempts = self.attempts;
        if let Some((session, began)) = self.session {
            report.session_id = Some(session.id().to_string());
            let ground_truth = self.row.ground_truth_json.as_ref();
            drop(Ending::of(&session, began, ground_truth));
        }
        report
    }
}

/// `Ended` says how a call of the function ended.
pub(super) enum Ended<I, G> {
    Done(TrialReport),
    /// The trial runs again after a while.
    Again(Job<I, G>, Duration),
}

/// `Given` is a call that has given outputs.
struct Given<O> {
    outputs: O,
    json: Value,
    latency: Duration,
    ended_at: SystemTime,
}

impl<I, G, O> Work<I, G, O>
where
    I: Send + Sync + 'static,
    G: Send + Sync + 'static,
    O: Serialize + Send + Sync + 'static,
{
    /// Calls the function once, and judges its outputs.
    pub(super) async fn attempt(&self, mut job: Job<I, G>) -> Ended<I, G> {
        job.attempts += 1;
        let (session, began) = job.session.clone().unwrap_or_else(|| {
            let session = self.events.begin(&job.row, job.trial);
            (session, Instant::now())
        });
        let ending = Ending::of(&session, began, job.row.ground_truth_json.as_ref());
        let span = self.events.call_span(&session, &job.row);
        let datapoint = Datapoint::new(
            Arc::clone(&job.row),
            job.trial,
            job.attempts,
            session.clone(),
            Arc::clone(&job.recorded),
        );
        let called_at = Instant::now();
        match self.call(&datapoint, &span).await {
            Ok(given) => Ended::Done(self.succeeded(&job, datapoint, given, span, ending).await),
            Err(error) => {
                let text = error.text();
                TrialEvents::fail_call(&span, &text, SystemTime::now());
                match self.wait(&error, job.attempts) {
                    Some(wait) => {
                        ending.leave();
                        job.session = Some((session, began));
                        Ended::Again(job, wait)
                    }
                    None => Ended::Done(self.failed(
                        &job,
                        &error,
                        called_at.elapsed(),
                        &session,
                        ending,
                    )),
                }
            }
        }
    }

    async fn call(
        &self,
        datapoint: &Datapoint<I, G>,
        span: &Span,
    ) -> Result<Given<O>, AttemptError> {
        let call = || span.in_scope(|| (self.call)(datapoint.clone()));
        let called_at = Instant::now();
        let calling = guarded::made(call).map_err(broken)?;
        let result = guarded::run(span.scope(calling), self.timeout)
            .await
            .map_err(broken)?;
        let (took, ended_at) = (called_at.elapsed(), SystemTime::now());
        let old = self.old_trial(datapoint.id(), datapoint.trial());
        let latency = old.and_then(TrialReport::latency).unwrap_or(took);
        let outputs = result.map_err(AttemptError::Failed)?;
        let json = guarded::made(|| serde_json::to_value(&outputs)).map_err(broken)?;
        Ok(Given {
            json: json.map_err(|error| {
                AttemptError::Failed(format!("the outputs are no JSON: {error}").into())
            })?,
            outputs,
            latency,
            ended_at,
        })
    }

    /// Returns the trial in the old run, where outputs of one are judged.
    fn old_trial(&self, datapoint: &str, trial: u32) -> Option<&TrialReport> {
        self.rescored.as_ref()?.trial(datapoint, trial)
    }

    /// Returns the wait before the function is called again; `None` where it is not.
    fn wait(&self, error: &AttemptError, attempts: u32) -> Option<Duration> {
        if attempts > self.retries {
            return None;
        }
        let decided = match &self.retry_if {
            Some(decide) => guarded::made(|| decide(error)).unwrap_or(Retry::No),
            None => Retry::Yes,
        };
        decided.wait(attempts, rand::random())
    }

    async fn succeeded(
        &self,
        job: &Job<I, G>,
        datapoint: Datapoint<I, G>,
        given: Given<O>,
        span: Span,
        ending: Ending,
    ) -> TrialReport {
        let session = datapoint.session().clone();
        let case = Case::new(datapoint, given.outputs, given.latency);
        let said = self.judge(&session, &case).await;
        let judgement = Judgement::of(said, recorded_of(&job.recorded));
        let outputs = outputs_of_session(&given.json);
        let kept = self.keep_outputs.then(|| given.json.clone());
        TrialEvents::end_call(&span, &given.json, &judgement, given.ended_at);
        ending.end(
            Enrichment::new()
                .outputs(outputs)
                .metadata(attempts_of(job.attempts)),
            None,
        );
        let mut report = TrialReport {
            outcome: Outcome::Ok,
            session_id: Some(session.id().to_string()),
            attempts: job.attempts,
            latency_ms: Some(milliseconds(given.latency)),
            metrics: judgement.metrics,
            explanations: judgement.explanations,
            outputs: kept,
            ..TrialReport::not_run(&job.row.id, job.row.position, job.trial)
        };
        self.events.mask(&mut report);
        report
    }

    fn failed(
        &self,
        job: &Job<I, G>,
        error: &AttemptError,
        latency: Duration,
        session: &Session,
        ending: Ending,
    ) -> TrialReport {
        let text = error.text();
        ending.end(
            Enrichment::new().metadata(attempts_of(job.attempts)),
            Some(text.clone()),
        );
        let outcome = match error {
            AttemptError::Failed(_) => Outcome::Failed,
            AttemptError::TimedOut(_) => Outcome::TimedOut,
            AttemptError::Panicked(_) => Outcome::Panicked,
        };
        let old = self.old_trial(&job.row.id, job.trial);
        let mut report = TrialReport {
            outcome: old.map_or(outcome, |old| {
                if old.outcome.is_error() {
                    old.outcome
                } else {
                    outcome
                }
            }),
            session_id: Some(session.id().to_string()),
            error: Some(text),
            attempts: job.attempts,
            latency_ms: old
                .and_then(|old| old.latency_ms)
                .or(Some(milliseconds(latency))),
            ..TrialReport::not_run(&job.row.id, job.row.position, job.trial)
        };
        self.events.mask(&mut report);
        report
    }

    /// Runs all evaluators at the same time.
    async fn judge(&self, session: &Session, case: &Case<I, G, O>) -> Vec<(String, Scoring)> {
        let judging = self.evaluators.iter().map(
            |evaluator| -> Pin<Box<dyn Future<Output = _> + Send + '_>> {
                Box::pin(async move {
                    (
                        evaluator.name.clone(),
                        self.ask(session, evaluator, case).await,
                    )
                })
            },
        );
        guarded::all(judging.collect()).await
    }

    /// Runs one evaluator, again where it fails.
    async fn ask(
        &self,
        session: &Session,
        evaluator: &Evaluator<I, G, O>,
        case: &Case<I, G, O>,
    ) -> Scoring {
        let mut left = self.evaluator_retries;
        loop {
            let scoring = self.ask_once(session, evaluator, case).await;
            if left == 0 || !matches!(scoring, Scoring::Error(_)) {
                return scoring;
            }
            left -= 1;
        }
    }

    async fn ask_once(
        &self,
        session: &Session,
        evaluator: &Evaluator<I, G, O>,
        case: &Case<I, G, O>,
    ) -> Scoring {
        let judged = TrialEvents::within(session, || {
            guarded::made(|| (evaluator.judge)(case.clone()))
        });
        let (span, scoring) = match judged.map(|judged| judged.0) {
            Ok(How::Now(scoring)) => (None, Ok(scoring)),
            Ok(How::Later(judging)) => {
                let span = self.events.evaluator_span(session, &evaluator.name);
                let judged = guarded::run(span.scope(judging), self.evaluator_timeout).await;
                (Some(span), judged)
            }
            Err(error) => (None, Err(error)),
        };
        let scoring = scoring.unwrap_or_else(|error| Scoring::Error(broken(error).text()));
        if let Scoring::Error(error) = &scoring {
            // An evaluator that judges at once has a span only where it fails.
            let span = span.unwrap_or_else(|| self.events.evaluator_span(session, &evaluator.name));
            span.error(error);
        }
        scoring
    }
}

fn broken(broken: Broken) -> AttemptError {
    match broken {
        Broken::Panicked(text) => AttemptError::Panicked(text),
        Broken::TimedOut(limit) => AttemptError::TimedOut(limit),
    }
}

fn recorded_of(recorded: &Recorded) -> std::collections::BTreeMap<String, f64> {
    recorded
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .clone()
}

/// Returns the attempts of a trial, where there was more than one.
fn attempts_of(attempts: u32) -> Map<String, Value> {
    let several = (attempts > 1).then(|| ("attempts".to_owned(), json!(attempts)));
    several.into_iter().collect()
}
