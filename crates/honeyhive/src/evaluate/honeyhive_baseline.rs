//! Runs that HoneyHive has can serve as baselines.

use serde_json::Value;

use super::baseline::Baseline;
use super::evaluator::explanation_of;
use super::score::ScoreValue;
use crate::client::{Client, ClientError, Run, RunEvent, RunFilter, RunStatus};

/// `PAGE` is the number of runs per page, and `PAGES` bounds the search for a run of a branch.
const PAGE: u32 = 100;
const PAGES: u32 = 10;

impl Baseline {
    /// Reads the values of a run from HoneyHive, by the run's id: a run of this SDK or of another, as long as its datapoints
    /// have the same ids. They are the metrics of the function's spans.
    ///
    /// ```
    /// use honeyhive::client::Client;
    /// use honeyhive::evaluate::{Baseline, Case, Datapoint, Dataset, Gate};
    /// # use honeyhive::HoneyHiveTracer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = honeyhive_local::LocalServer::builder().start().await?;
    /// # let tracer = HoneyHiveTracer::builder().api_key("hh_local").server_url(server.url()).build()?;
    /// # let run = || honeyhive::evaluate(async |dp: Datapoint<u32, u32>| Ok::<_, String>(dp.inputs() * 2))
    /// #     .dataset(Dataset::new([(1, Some(2)), (2, Some(4))]))
    /// #     .evaluator("exact_match", |case: Case<u32, u32, u32>| Some(case.outputs() == case.ground_truth()?))
    /// #     .tracer(&tracer);
    /// # let (client, old_run) = (tracer.client(), run().await?.run_id().to_owned());
    /// # #[cfg(any())]
    /// let client = Client::from_env()?; // beside a tracer: `tracer.client()`
    /// let baseline = Baseline::from_run(&client, &old_run).await?;
    /// # let report = run().await?;
    /// report.assert([Gate::no_worse_than(&baseline, "exact_match", 0.02)]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Where HoneyHive has no such run, or does not answer.
    pub async fn from_run(client: &Client, run_id: &str) -> Result<Self, ClientError> {
        let run = client.runs().get(run_id).await?;
        Self::of_stored(client, &run).await
    }

    /// Reads the newest completed run with this name, as [`from_run`](Self::from_run) does; with a branch, the newest
    /// one whose commit was on the branch; `None` where there is none.
    ///
    /// ```
    /// use honeyhive::evaluate::Baseline;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = honeyhive_local::LocalServer::builder().start().await?;
    /// # let client = honeyhive::client::Client::builder().api_key("hh_local").server_url(server.url()).build()?;
    /// let main = Baseline::from_newest_run(&client, "support-bot", Some("main")).await?;
    /// # assert_eq!(main, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Where HoneyHive does not answer.
    pub async fn from_newest_run(
        client: &Client,
        name: &str,
        branch: Option<&str>,
    ) -> Result<Option<Self>, ClientError> {
        // HoneyHive lists the newest runs first.
        let filter = RunFilter::all().name(name).status(RunStatus::Completed);
        for page in 1..=PAGES {
            let found = client
                .runs()
                .list(&filter.clone().limit(PAGE).page(page))
                .await?;
            let is_meant = |run: &&Run| {
                run.name.as_deref() == Some(name)
                    && branch.is_none_or(|it| branch_of(run) == Some(it))
            };
            if let Some(run) = found.runs.iter().find(is_meant) {
                return Self::of_stored(client, run).await.map(Some);
            }
            if !found.pagination.has_next {
                break;
            }
        }
        Ok(None)
    }

    async fn of_stored(client: &Client, run: &Run) -> Result<Self, ClientError> {
        let events = client.runs().metrics(&run.run_id).await?.events;
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let function = text(run.configuration.get("function"));
        let is_functions = |event: &&RunEvent| event.event_name == function;
        let has_function = events.iter().any(|event| is_functions(&event));
        let mut baseline = Self::empty();
        for event in events
            .iter()
            .filter(|event| !has_function || is_functions(event))
        {
            baseline.add_event(event);
        }
        let dataset = run.dataset_id.clone();
        let dataset = dataset.unwrap_or_else(|| text(run.metadata.get("offline_dataset_id")));
        Ok(baseline.of_run(run.name.as_deref().unwrap_or_default(), &function, &dataset))
    }

    fn add_event(&mut self, event: &RunEvent) {
        let Some(datapoint) = event.datapoint_id() else {
            return;
        };
        let explanations: Vec<String> = event
            .metrics
            .keys()
            .map(|name| explanation_of(name))
            .collect();
        for (name, value) in &event.metrics {
            if let Some(value) = ScoreValue::of_json(value)
                && !explanations.contains(name)
            {
                self.add(name, datapoint, value);
            }
        }
    }
}

fn branch_of(run: &Run) -> Option<&str> {
    run.metadata.get("git")?.get("branch")?.as_str()
}
