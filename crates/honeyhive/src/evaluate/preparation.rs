//! A run is prepared before anything is sent: its settings are checked, and its dataset is read.

use std::path::PathBuf;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::datapoint::Typed;
use super::dataset::{Dataset, PreparedRow};
use super::dataset_error::DatasetError;
use super::ended_run::EndedRun;
use super::error::EvaluateError;
use super::evaluator::problem_of_names;
use super::ids;
use super::journal::{Header, Journal, JournalContents};
use super::ongoing_run::RunFacts;
use super::results::TrialReport;
use super::settings::{JournalPlace, Settings};
use super::stored;
use super::trial::Job;
use super::trial_events::SOURCE;
use crate::client::Client;
use crate::model::id::SessionId;
use crate::secret::KeyKind;
use crate::tracer::HoneyHiveTracer;

/// A `Preparation` has all that a run needs to begin.
pub(super) struct Preparation<I, G> {
    pub(super) tracer: HoneyHiveTracer,
    pub(super) client: Client,
    pub(super) facts: RunFacts,
    pub(super) jobs: Vec<Job<I, G>>,
    /// The trials that an earlier process has run, or that have no recorded outputs.
    pub(super) finished: Vec<TrialReport>,
    /// Some datapoint has several trials.
    pub(super) is_multiple: bool,
    pub(super) resumed: Option<Resumed>,
}

impl<I: DeserializeOwned, G: DeserializeOwned> Preparation<I, G> {
    /// Checks the settings and reads the dataset. `rescored` is the run whose outputs are judged once more.
    pub(super) async fn of(
        settings: &mut Settings,
        dataset: Option<Dataset>,
        rescored: Option<&EndedRun>,
        names: &[&str],
    ) -> Result<Self, EvaluateError> {
        if rescored.is_some() && settings.resume.is_some() {
            return Err(EvaluateError::config(
                "a rescored run cannot be resumed: take `.resume(..)` away, and it begins anew",
            ));
        }
        let dataset = checked(settings, dataset, names)?;
        let tracer = tracer_of(settings)?;
        expect_ingestion_key(settings, &tracer)?;
        let client = client_of(settings, &tracer);
        let mut dataset = stored::prepared(dataset, &client).await?;
        if let Some(rescored) = rescored {
            rescored.expect_dataset(&dataset.id)?;
        }
        let ids: Vec<String> = dataset.rows.iter().map(|row| row.id.clone()).collect();
        let rows = typed::<I, G>(std::mem::take(&mut dataset.rows))?;
        let resumed = Resumed::read(settings, &dataset.id, names)?;
        let run_id = run_id_of(settings, resumed.as_ref())?;
        let facts = RunFacts::of(settings, &dataset, ids, names, run_id).await;
        let is_multiple = settings.trials > 1 || rows.iter().any(|row| row.trials > Some(1));
        let known = Known {
            resumed: resumed.as_ref(),
            rescored,
        };
        let (jobs, finished) = jobs_of(rows, settings.trials, &known);
        Ok(Self {
            tracer,
            client,
            facts,
            jobs,
            finished,
            is_multiple,
            resumed,
        })
    }
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
        Some("`.max_workers(0)` would run nothing: 1 runs one trial at a time".to_owned())
    } else if settings.trials == 0 {
        Some("`.trials(0)` would run nothing: 1 runs each datapoint once".to_owned())
    } else if settings.function.trim().is_empty() {
        Some("the function has a blank name: give it one with `.function_name(..)`".to_owned())
    } else if settings
        .name
        .as_ref()
        .is_some_and(|name| name.trim().is_empty())
    {
        Some(
            "the run has a blank name: give it one with `.name(..)`, or none for the usual one"
                .to_owned(),
        )
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
pub(super) struct Resumed {
    path: PathBuf,
    contents: JournalContents,
}

impl Resumed {
    /// Reads the journal that the settings name.
    fn read(
        settings: &mut Settings,
        dataset_id: &str,
        names: &[&str],
    ) -> Result<Option<Self>, EvaluateError> {
        let Some(path) = settings.resume.take() else {
            return Ok(None);
        };
        let contents = JournalContents::read(&path)?;
        contents.expect(&header(settings, dataset_id, names, "", ""))?;
        Ok(Some(Self { path, contents }))
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
        return Ok((resumed.contents.header.run_id.clone(), None));
    }
    match settings.run_id.as_deref() {
        None => Ok((SessionId::new().to_string(), None)),
        Some(key) => match ids::of_run(key) {
            Some((id, key)) => Ok((id.to_string(), key)),
            None => Err(EvaluateError::config(format!(
                "the run id {key:?} says nothing: give a UUID or a key such as a build's number, or none for a new id"
            ))),
        },
    }
}

/// `Known` holds trials that are known before they begin, from a resumed journal or from recorded outputs.
struct Known<'k> {
    resumed: Option<&'k Resumed>,
    rescored: Option<&'k EndedRun>,
}

impl Known<'_> {
    /// Returns the report of a trial that does not begin.
    fn report<I, G>(&self, row: &Typed<I, G>, trial: u32) -> Option<TrialReport> {
        let finished = self.resumed.map(|resumed| &resumed.contents.finished);
        if let Some(report) = finished.and_then(|it| it.get(&(row.id.to_string(), trial))) {
            return Some(report.clone());
        }
        let has_outputs = self
            .rescored
            .is_none_or(|run| run.trial(&row.id, trial).is_some());
        (!has_outputs).then(|| TrialReport::not_run(&row.id, row.position, trial))
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

/// Opens the journal of the run, where one is kept.
pub(super) fn journal_of(
    settings: &Settings,
    resumed: Option<Resumed>,
    facts: &RunFacts,
) -> Result<Option<Journal>, EvaluateError> {
    if let Some(resumed) = resumed {
        return Ok(Some(resumed.contents.reopen(&resumed.path)?));
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
