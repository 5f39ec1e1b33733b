//! The run is made in HoneyHive before the first function is called, and HoneyHive learns of its end, also where the run is
//! dropped.

use std::future::Future;
use std::ops::Bound;
use std::panic::resume_unwind;
use std::pin::pin;
use std::task::{Context, Waker};

use serde_json::{Map, Value, json};

use super::aggregate::Aggregate;
use super::dataset::Prepared;
use super::git;
use super::report::RunStatus;
use super::settings::Settings;
use super::trial_events::Sessions;
use crate::client::{Client, ClientError, NewRun, RunStatus as ClientStatus, UpdateRun};

#[derive(Debug, Clone)]
pub(super) struct RunFacts {
    pub(super) run_id: String,
    pub(super) name: String,
    pub(super) dataset_id: String,
    pub(super) evaluators: Vec<String>,
    is_stored: bool,
    description: Option<String>,
    metadata: Map<String, Value>,
    configuration: Map<String, Value>,
    datapoint_ids: Vec<String>,
    passes: Vec<(String, Bound<f64>, Bound<f64>)>,
}

impl RunFacts {
    pub(super) async fn of(
        settings: &Settings,
        prepared: &Prepared,
        datapoint_ids: Vec<String>,
        names: &[&str],
        run_id: (String, Option<String>),
    ) -> Self {
        let (run_id, key) = run_id;
        let name = settings.name.as_deref().map(|name| name.trim().to_owned());
        let mut metadata = settings.metadata.clone();
        let mut put = |name: &str, value: Option<Value>| {
            metadata.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("run_key", key.map(Value::from));
        put(
            "offline_dataset_id",
            (!prepared.is_stored).then(|| prepared.id.clone().into()),
        );
        put("dataset_name", prepared.name.clone().map(Value::from));
        put(
            "sdk",
            Some(json!({"language": "rust", "version": env!("CARGO_PKG_VERSION")})),
        );
        let git = if settings.git && !settings.offline {
            tokio::task::spawn_blocking(git::facts).await.ok().flatten()
        } else {
            None
        };
        put("git", git);
        Self {
            name: name.unwrap_or_else(|| format!("experiment-{}", &run_id[..8])),
            run_id,
            dataset_id: prepared.id.clone(),
            evaluators: names.iter().map(|name| (*name).to_owned()).collect(),
            is_stored: prepared.is_stored,
            description: settings.description.clone(),
            metadata,
            configuration: configuration(settings, names),
            datapoint_ids,
            passes: settings.passes.clone(),
        }
    }

    fn new_run(&self) -> NewRun {
        let run = NewRun::named(&self.name)
            .id(&self.run_id)
            .status(ClientStatus::Pending)
            .metadata(&self.metadata)
            .event_ids(Vec::<String>::new())
            .configuration(&self.configuration)
            .datapoint_ids(&self.datapoint_ids);
        let run = if self.is_stored {
            run.dataset_id(&self.dataset_id)
        } else {
            run
        };
        let run = match &self.description {
            Some(description) => run.description(description),
            None => run,
        };
        let passes = self.passes.iter();
        passes.fold(run, |run, (metric, low, high)| {
            run.passing_range(metric, (*low, *high))
        })
    }

    /// The update repeats all metadata, since HoneyHive may add it or replace the former.
    fn update(&self, status: RunStatus, sessions: &Sessions) -> UpdateRun {
        let status = match status {
            RunStatus::Completed => ClientStatus::Completed,
            RunStatus::Failed => ClientStatus::Failed,
            RunStatus::Cancelled => ClientStatus::Cancelled,
        };
        UpdateRun::new()
            .name(&self.name)
            .status(status)
            .metadata(&self.metadata)
            .event_ids(sessions.ids())
            .configuration(&self.configuration)
    }
}

fn configuration(settings: &Settings, names: &[&str]) -> Map<String, Value> {
    let aggregate: &Aggregate = &settings.aggregate;
    let mut configuration = Map::from_iter([
        ("function".to_owned(), json!(settings.function)),
        ("evaluators".to_owned(), json!(names)),
        ("max_workers".to_owned(), json!(settings.max_workers)),
        ("aggregate_function".to_owned(), json!(aggregate.as_str())),
    ]);
    if settings.trials > 1 {
        configuration.insert("trials".to_owned(), json!(settings.trials));
    }
    configuration
}

/// `OngoingRun` is a run that has begun. A drop before its end marks the run as cancelled in HoneyHive.
#[derive(Debug)]
pub(super) struct OngoingRun {
    client: Option<Client>,
    pub(super) facts: RunFacts,
    sessions: Sessions,
    has_ended: bool,
}

impl OngoingRun {
    /// Makes the run. If the caller is dropped meanwhile, the run is made all the same, and marked as cancelled.
    pub(super) async fn begin(
        client: Client,
        facts: RunFacts,
        sessions: Sessions,
        is_offline: bool,
    ) -> Result<Self, ClientError> {
        let mut run = Self {
            client: (!is_offline).then_some(client),
            facts,
            sessions,
            has_ended: false,
        };
        if is_offline {
            return Ok(run);
        }
        // The task runs on when its handle is dropped, and then drops the run that it has made.
        let made = tokio::spawn(async move {
            let made = run.make().await;
            run.has_ended |= made.is_err();
            made.map(|()| run)
        });
        made.await
            .unwrap_or_else(|error| match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(ClientError::Invalid {
                    call: "POST /v1/runs".to_owned(),
                    problem: "the runtime has ended".to_owned(),
                }),
            })
    }

    async fn make(&mut self) -> Result<(), ClientError> {
        if let Some(client) = &self.client {
            let made = client.runs().create(&self.facts.new_run()).await?;
            if !made.run_id.is_empty() {
                self.facts.run_id = made.run_id;
            }
        }
        Ok(())
    }

    /// Returns the client that the run went through; `None` offline.
    pub(super) fn client(&self) -> Option<Client> {
        self.client.clone()
    }

    /// Tells HoneyHive how the run ended. The call runs on when this future is dropped.
    pub(super) async fn end(&mut self, status: RunStatus) -> Result<Option<String>, ClientError> {
        self.has_ended = true;
        let Some(client) = &self.client else {
            return Ok(None);
        };
        let update = self.facts.update(status, &self.sessions);
        Ok(client
            .runs()
            .update(&self.facts.run_id, &update)
            .await?
            .warning)
    }
}

impl Drop for OngoingRun {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let status = if std::thread::panicking() {
            RunStatus::Failed
        } else {
            RunStatus::Cancelled
        };
        // The first poll hands the call over to delivery, which completes it.
        let mut ending = pin!(self.end(status));
        let _ = ending
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
    }
}
