//! A run goes from its beginning to its end here.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use super::clock::after;
use super::dataset::Dataset;
use super::ended_run::EndedRun;
use super::engine::{Control, TrialsOutcome, drive};
use super::error::EvaluateError;
use super::evaluator::Evaluator;
use super::journal::Journal;
use super::ongoing_run::{OngoingRun, RunFacts};
use super::preparation::{Preparation, journal_of};
use super::rate::Pace;
use super::report::{Delivery, ExperimentReport, Facts, RunStatus};
use super::results::Outcome;
use super::settings::{CancelOn, Settings};
use super::trial::{Call, Work};
use super::trial_events::{Sessions, TrialEvents};
use crate::error::FlushError;
use crate::tracer::HoneyHiveTracer;

/// A `Plan` has the parts of a run: the function, its dataset, its evaluators and its settings.
pub(super) struct Plan<I, G, O> {
    pub(super) call: Arc<Call<I, G, O>>,
    pub(super) dataset: Option<Dataset>,
    pub(super) evaluators: Vec<Evaluator<I, G, O>>,
    /// The signals, any of which cancels the run.
    pub(super) cancel_on: Vec<CancelOn>,
    /// The old run whose outputs are judged, instead of calling the function.
    pub(super) rescored: Option<Arc<EndedRun>>,
    pub(super) settings: Settings,
}

/// The update of a run is waited for at least so long.
const LEAST: Duration = Duration::from_millis(900);

/// Runs all trials, and returns their report once HoneyHive has it, or has not taken it in time.
pub(super) async fn run<I, G, O>(plan: Plan<I, G, O>) -> Result<ExperimentReport, EvaluateError>
where
    I: DeserializeOwned + Send + Sync + 'static,
    G: DeserializeOwned + Send + Sync + 'static,
    O: Serialize + Send + Sync + 'static,
{
    let Plan {
        call,
        dataset,
        evaluators,
        cancel_on,
        rescored,
        mut settings,
    } = plan;
    let names: Vec<&str> = evaluators
        .iter()
        .map(|evaluator| evaluator.name.as_str())
        .collect();
    let prepared =
        Preparation::<I, G>::of(&mut settings, dataset, rescored.as_deref(), &names).await?;
    let (jobs, finished, tracer) = (prepared.jobs, prepared.finished, prepared.tracer);

    let dropped_before = tracer.stats().dropped.total();
    let _underway = tracer.begin_run();
    let sessions = Sessions::default();
    let mut run = OngoingRun::begin(
        prepared.client,
        prepared.facts,
        sessions.clone(),
        settings.offline,
    )
    .await?;
    let journal = journal_of(&settings, prepared.resumed, &run.facts)?;
    sessions.add_all(&finished);
    let work = Work {
        events: events_of(
            &tracer,
            &run.facts,
            &settings,
            sessions,
            prepared.is_multiple,
        ),
        call,
        evaluators,
        timeout: settings.timeout,
        evaluator_timeout: settings.evaluator_timeout,
        retries: settings.retries,
        retry_if: settings.retry_if.take(),
        evaluator_retries: settings.evaluator_retries,
        keep_outputs: settings.keep_outputs,
        rescored,
    };
    let control = control_of(&mut settings, cancel_on, journal);
    let outcome = drive(Arc::new(work), jobs, finished, control).await;

    let status = status_of(&outcome);
    let mut delivery = delivered(&tracer, &mut run, &outcome, status, &settings).await;
    let dropped = dropped_since(dropped_before, &tracer);
    delivery.problems.extend(dropped);
    let facts = facts_of(settings, &run.facts, status, delivery);
    Ok(ExperimentReport::new(facts, outcome.trials, run.client()))
}

fn events_of(
    tracer: &HoneyHiveTracer,
    facts: &RunFacts,
    settings: &Settings,
    sessions: Sessions,
    is_multiple: bool,
) -> TrialEvents {
    TrialEvents {
        rules: tracer.for_runs().map(|known| Arc::clone(&known.rules)),
        tracer: tracer.clone(),
        run_id: facts.run_id.as_str().into(),
        run_name: facts.name.clone(),
        dataset_id: facts.dataset_id.as_str().into(),
        function: settings.function.clone(),
        is_multiple,
        sessions,
    }
}

fn control_of(
    settings: &mut Settings,
    cancel_on: Vec<CancelOn>,
    journal: Option<Journal>,
) -> Control {
    Control {
        max_workers: settings.max_workers,
        pace: settings.rate_limit.map(Pace::new),
        max_errors: settings.max_errors,
        stop_when: std::mem::take(&mut settings.stop_when),
        on_progress: std::mem::take(&mut settings.on_progress),
        cancel_on,
        journal,
    }
}

fn facts_of(settings: Settings, run: &RunFacts, status: RunStatus, delivery: Delivery) -> Facts {
    Facts {
        run_id: run.run_id.clone(),
        name: run.name.clone(),
        function: settings.function,
        dataset_id: run.dataset_id.clone(),
        status,
        aggregate: settings.aggregate,
        level: settings.level,
        delivery,
    }
}

fn status_of(outcome: &TrialsOutcome) -> RunStatus {
    let has_success = outcome
        .trials
        .iter()
        .any(|trial| trial.outcome == Outcome::Ok);
    match outcome.stopped {
        Some(status) => status,
        None if has_success => RunStatus::Completed,
        None => RunStatus::Failed,
    }
}

/// Describes the items that the tracer has dropped since `before`.
fn dropped_since(before: u64, tracer: &HoneyHiveTracer) -> Option<String> {
    match tracer.stats().dropped.total().saturating_sub(before) {
        0 => None,
        1 => Some("1 item was dropped; the tracer's `stats()` say why".to_owned()),
        n => Some(format!(
            "{n} items were dropped; the tracer's `stats()` say why"
        )),
    }
}

/// Waits for pending deliveries, and tells HoneyHive how the run ended.
async fn delivered(
    tracer: &HoneyHiveTracer,
    run: &mut OngoingRun,
    outcome: &TrialsOutcome,
    status: RunStatus,
    settings: &Settings,
) -> Delivery {
    let mut delivery = Delivery {
        is_offline: settings.offline || tracer.about().is_some_and(|about| about.is_local),
        problems: Vec::new(),
    };
    if let Some(problem) = &outcome.journal_problem {
        delivery
            .problems
            .push(format!("the journal is not whole: {problem}"));
    }
    let until = after(settings.delivery_timeout);
    match tracer.force_flush(settings.delivery_timeout).await {
        // Dropped items are counted from the beginning of the run, further below.
        Ok(_) | Err(FlushError::Dropped { .. }) => {}
        Err(error) => delivery.problems.push(error.to_string()),
    }
    let left = until.saturating_duration_since(Instant::now()).max(LEAST);
    match timeout(left, run.end(status)).await {
        Ok(Ok(warning)) => delivery.problems.extend(warning),
        Ok(Err(error)) => delivery
            .problems
            .push(format!("the run is not marked as {status}: {error}")),
        Err(_) => delivery.problems.push(format!(
            "the run is not marked as {status}: no answer in time"
        )),
    }
    delivery
}
