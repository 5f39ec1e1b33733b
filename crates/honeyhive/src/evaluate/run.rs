//! A run goes from its beginning to its end here.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use super::clock::after;
use super::datapoint::Typed;
use super::dataset::{Dataset, Prepared, PreparedRow};
use super::dataset_error::DatasetError;
use super::engine::{Control, Driven, drive};
use super::error::EvaluateError;
use super::evaluator::{Evaluator, problem_of_names};
use super::hive::{Hive, SOURCE, Sessions};
use super::ids;
use super::journal::{Header, Journal, JournalContents};
use super::life::{Life, RunFacts};
use super::rate::Pace;
use super::report::{Delivery, ExperimentReport, Facts, RunStatus};
use super::results::{Outcome, TrialReport};
use super::settings::{CancelOn, JournalPlace, Settings};
use super::stored;
use super::told::Told;
use super::trial::{Call, Job, Work};
use crate::client::Client;
use crate::error::FlushError;
use crate::model::id::SessionId;
use crate::secret::KeyKind;
use crate::tracer::HoneyHiveTracer;

/// A `Plan` has the parts of a run: the function, its dataset, its evaluators and its settings.
pub(super) struct Plan<I, G, O> {
    pub(super) call: Arc<Call<I, G, O>>,
    pub(super) dataset: Option<Dataset>,
    pub(super) evaluators: Vec<Evaluator<I, G, O>>,
    /// The signals, any of which cancels the run.
    pub(super) cancel_on: Vec<CancelOn>,
    /// The old run whose outputs are judged, instead of calling the function.
    pub(super) told: Option<Arc<Told>>,
    pub(super) settings: Settings,
}

/// The update of a run is waited for at least so long.
const LEAST: Duration = Duration::from_millis(900);

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
        told,
        mut settings,
    } = plan;
    let names: Vec<&str> = evaluators
        .iter()
        .map(|evaluator| evaluator.name.as_str())
        .collect();
    if told.is_some() && settings.resume.is_some() {
        return Err(EvaluateError::config(
            "what is rescored cannot be gone on with: take `.resume(..)` away, and it begins anew",
        ));
    }
    let dataset = checked(&settings, dataset, &names)?;
    let tracer = tracer_of(&settings)?;
    expect_ingestion_key(&settings, &tracer)?;
    let client = client_of(&settings, &tracer);
    let mut prepared = stored::prepared(dataset, &client).await?;
    if let Some(told) = &told {
        told.expect_dataset(&prepared.id)?;
    }
    let ids: Vec<String> = prepared.rows.iter().map(|row| row.id.clone()).collect();
    let rows = typed::<I, G>(std::mem::take(&mut prepared.rows))?;
    let resumed = settings
        .resume
        .take()
        .map(|path| Resumed::read(path, &settings, &prepared, &names))
        .transpose()?;
    let run_id = run_id_of(&settings, resumed.as_ref())?;
    let facts = RunFacts::of(&settings, &prepared, ids, &names, run_id).await;
    let is_multiple = settings.trials > 1 || rows.iter().any(|row| row.trials > Some(1));
    let known = Known {
        resumed: resumed.as_ref(),
        told: told.as_deref(),
    };
    let (jobs, finished) = jobs_of(rows, settings.trials, &known);

    let dropped_before = tracer.stats().dropped.total();
    let _underway = tracer.begin_run();
    let sessions = Sessions::default();
    let mut life = Life::begin(client, facts, sessions.clone(), settings.offline).await?;
    let journal = journal_of(&settings, resumed, &life.facts)?;
    let work = Work {
        hive: Hive {
            rules: tracer.for_runs().map(|known| Arc::clone(&known.rules)),
            tracer: tracer.clone(),
            run_id: life.facts.run_id.as_str().into(),
            run_name: life.facts.name.clone(),
            dataset_id: prepared.id.as_str().into(),
            function: settings.function.clone(),
            is_multiple,
            sessions,
        },
        call,
        evaluators,
        timeout: settings.timeout,
        evaluator_timeout: settings.evaluator_timeout,
        retries: settings.retries,
        retry_if: settings.retry_if.take(),
        evaluator_retries: settings.evaluator_retries,
        keep_outputs: settings.keep_outputs,
        told,
    };
    for trial in &finished {
        if let Some(session) = trial.session_id() {
            work.hive
                .sessions
                .add(trial.position, trial.trial, session.to_owned());
        }
    }
    let control = Control {
        max_workers: settings.max_workers,
        pace: settings.rate_limit.map(Pace::new),
        max_errors: settings.max_errors,
        stop_when: std::mem::take(&mut settings.stop_when),
        on_progress: std::mem::take(&mut settings.on_progress),
        cancel_on,
        journal,
    };
    let driven = drive(Arc::new(work), jobs, finished, control).await;
    let status = status_of(&driven);
    let mut delivery = delivered(&tracer, &mut life, &driven, status, &settings).await;
    delivery
        .problems
        .extend(dropped_since(dropped_before, &tracer));
    let facts = Facts {
        run_id: life.facts.run_id.clone(),
        name: life.facts.name.clone(),
        function: settings.function,
        dataset_id: prepared.id,
        status,
        aggregate: settings.aggregate,
        level: settings.level,
        delivery,
    };
    Ok(ExperimentReport::new(facts, driven.trials, life.client()))
}

/// Checks the settings, so that an unusable one is an error before anything is sent.
fn checked(
    settings: &Settings,
    dataset: Option<Dataset>,
    names: &[&str],
) -> Result<Dataset, EvaluateError> {
    let problem = if settings.problem.is_some() {
        settings.problem.clone()
    } else if settings.max_workers == 0 {
        Some("`.max_workers(0)` would run nothing".to_owned())
    } else if settings.trials == 0 {
        Some("`.trials(0)` would run nothing".to_owned())
    } else if settings.function.trim().is_empty() {
        Some("the function has a blank name: give it one with `.function_name(..)`".to_owned())
    } else if settings
        .name
        .as_ref()
        .is_some_and(|name| name.trim().is_empty())
    {
        Some("the run has a blank name".to_owned())
    } else {
        problem_of_names(names)
    };
    match (problem, dataset) {
        (Some(problem), _) => Err(EvaluateError::Config(problem)),
        (None, None) => Err(EvaluateError::config(
            "there is no dataset: give one with `.dataset(..)`",
        )),
        (None, Some(dataset)) => Ok(dataset),
    }
}

fn tracer_of(settings: &Settings) -> Result<HoneyHiveTracer, EvaluateError> {
    if settings.offline {
        return Ok(HoneyHiveTracer::builder()
            .isolated()
            .test_mode(true)
            .build()?);
    }
    match &settings.tracer {
        Some(tracer) if tracer.is_disabled() => Err(EvaluateError::config(
            "the tracer records nothing, for want of settings; `.offline()` runs without one",
        )),
        Some(tracer) => Ok(tracer.clone()),
        None => Ok(HoneyHiveTracer::builder().source(SOURCE).build()?),
    }
}

/// Refuses a project without an ingestion key: a project's newer routes take two keys, and neither replaces the other;
/// the client checks its own.
fn expect_ingestion_key(
    settings: &Settings,
    tracer: &HoneyHiveTracer,
) -> Result<(), EvaluateError> {
    let writes_with = tracer.for_runs().and_then(|known| known.writes_with);
    match writes_with {
        Some(KeyKind::Ingestion) | None => Ok(()),
        Some(_) if settings.offline || settings.project_id.is_none() => Ok(()),
        Some(_) => Err(EvaluateError::config(
            "a run with a project id writes its sessions and spans with an ingestion key, and there is none: set \
             HH_INGESTION_API_KEY",
        )),
    }
}

fn client_of(settings: &Settings, tracer: &HoneyHiveTracer) -> Client {
    let client = tracer.client();
    match &settings.project_id {
        Some(project) => client.in_project(project),
        None => client,
    }
}

/// Returns the rows in the types of the function.
fn typed<I: DeserializeOwned, G: DeserializeOwned>(
    rows: Vec<PreparedRow>,
) -> Result<Vec<Arc<Typed<I, G>>>, DatasetError> {
    let typed = |row: PreparedRow| {
        let inputs = I::deserialize(&row.inputs).map_err(|error| row.misfit("inputs", &error))?;
        let ground_truth = row.ground_truth.as_ref().map(G::deserialize).transpose();
        Ok(Arc::new(Typed {
            id: row.id.as_str().into(),
            position: row.position,
            inputs,
            ground_truth: ground_truth.map_err(|error| row.misfit("ground truth", &error))?,
            inputs_json: row.inputs,
            ground_truth_json: row.ground_truth,
            trials: row.trials,
        }))
    };
    rows.into_iter().map(typed).collect()
}

/// `Resumed` is a journal that the run continues.
struct Resumed {
    path: PathBuf,
    told: JournalContents,
}

impl Resumed {
    fn read(
        path: PathBuf,
        settings: &Settings,
        prepared: &Prepared,
        names: &[&str],
    ) -> Result<Self, EvaluateError> {
        let told = JournalContents::read(&path)?;
        told.expect(&header(settings, &prepared.id, names, "", ""))?;
        Ok(Self { path, told })
    }
}

fn header(
    settings: &Settings,
    dataset_id: &str,
    names: &[&str],
    run_id: &str,
    name: &str,
) -> Header {
    Header {
        run_id: run_id.to_owned(),
        name: name.to_owned(),
        dataset_id: dataset_id.to_owned(),
        function: settings.function.clone(),
        evaluators: names.iter().map(|name| (*name).to_owned()).collect(),
        trials: settings.trials,
    }
}

/// Returns the run's id, and the text that it was made from where that is no UUID.
fn run_id_of(
    settings: &Settings,
    resumed: Option<&Resumed>,
) -> Result<(String, Option<String>), EvaluateError> {
    if let Some(resumed) = resumed {
        return Ok((resumed.told.header.run_id.clone(), None));
    }
    match settings.run_id.as_deref() {
        None => Ok((SessionId::new().to_string(), None)),
        Some(key) => match ids::of_run(key) {
            Some((id, key)) => Ok((id.to_string(), key)),
            None => Err(EvaluateError::config(format!(
                "the run id {key:?} says nothing"
            ))),
        },
    }
}

/// `Known` holds trials that are known before they begin, from a resumed journal or from recorded outputs.
struct Known<'k> {
    resumed: Option<&'k Resumed>,
    told: Option<&'k Told>,
}

impl Known<'_> {
    /// Returns the report of a trial that does not begin.
    fn report<I, G>(&self, row: &Typed<I, G>, trial: u32) -> Option<TrialReport> {
        let finished = self.resumed.map(|resumed| &resumed.told.finished);
        if let Some(report) = finished.and_then(|it| it.get(&(row.id.to_string(), trial))) {
            return Some(report.clone());
        }
        let is_told = self
            .told
            .is_none_or(|told| told.trial(&row.id, trial).is_some());
        (!is_told).then(|| TrialReport::not_run(&row.id, row.position, trial))
    }
}

/// Returns the trials to run, and those that an earlier process has run. A row is kept as long as a trial of it may
/// run, and no longer.
fn jobs_of<I, G>(
    rows: Vec<Arc<Typed<I, G>>>,
    trials: u32,
    known: &Known<'_>,
) -> (Vec<Job<I, G>>, Vec<TrialReport>) {
    let (mut jobs, mut finished) = (Vec::new(), Vec::new());
    for row in rows {
        for trial in 0..row.trials.unwrap_or(trials) {
            match known.report(&row, trial) {
                Some(report) => finished.push(report),
                None => jobs.push(Job::new(Arc::clone(&row), trial)),
            }
        }
    }
    (jobs, finished)
}

fn journal_of(
    settings: &Settings,
    resumed: Option<Resumed>,
    facts: &RunFacts,
) -> Result<Option<Journal>, EvaluateError> {
    if let Some(resumed) = resumed {
        return Ok(Some(resumed.told.reopen(&resumed.path)?));
    }
    let create = |place: &JournalPlace| {
        let path = match place {
            JournalPlace::File(path) => path.clone(),
            JournalPlace::Folder(folder) => folder.join(format!("{}.jsonl", facts.run_id)),
        };
        let names: Vec<&str> = facts.evaluators.iter().map(String::as_str).collect();
        let header = header(
            settings,
            &facts.dataset_id,
            &names,
            &facts.run_id,
            &facts.name,
        );
        Journal::create(&path, &header)
    };
    Ok(settings.journal.as_ref().map(create).transpose()?)
}

fn status_of(driven: &Driven) -> RunStatus {
    let has_success = driven
        .trials
        .iter()
        .any(|trial| trial.outcome == Outcome::Ok);
    match driven.stopped {
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
    life: &mut Life,
    driven: &Driven,
    status: RunStatus,
    settings: &Settings,
) -> Delivery {
    let mut delivery = Delivery {
        is_offline: settings.offline || tracer.about().is_some_and(|about| about.is_local),
        problems: Vec::new(),
    };
    if let Some(problem) = &driven.journal_problem {
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
    match timeout(left, life.end(status)).await {
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
