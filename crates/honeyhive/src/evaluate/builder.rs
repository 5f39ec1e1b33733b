//! [`Evaluate`] is a run before it begins.

use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::ops::RangeBounds;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::aggregate::Aggregate;
use super::datapoint::{Case, Datapoint};
use super::dataset::Dataset;
use super::ended_run::EndedRun;
use super::error::EvaluateError;
use super::evaluator::{Evaluator, IntoVerdict};
use super::progress::Progress;
use super::rate::RateLimit;
use super::report::ExperimentReport;
use super::retry::{AttemptError, Retry};
use super::run::{Plan, run};
use super::settings::{ErrorLimit, JournalPlace, Settings};
use super::statistics::Level;
use super::trial::{Call, Calling};
use crate::model::json::to_json_as_it_is;
use crate::tracer::HoneyHiveTracer;

/// Runs a function over a dataset, each datapoint in a session of its own, and judges its outputs.
///
/// The function gets a [`Datapoint`] and returns a `Result`; it may be a closure, a function or an async closure,
/// cloned for each call. Awaiting the builder gives the [`ExperimentReport`].
///
/// ```
/// use honeyhive::evaluate::{Case, Datapoint, Dataset};
/// use honeyhive::json;
/// # use honeyhive::HoneyHiveTracer;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct Question { query: String }
/// #[derive(Deserialize, Serialize)]
/// struct Answer { text: String }
///
/// # async fn ask(query: &str) -> Result<Answer, std::io::Error> { Ok(Answer { text: query.to_uppercase() }) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = honeyhive_local::LocalServer::builder().start().await?;
/// # let tracer = HoneyHiveTracer::builder().api_key("hh_local").server_url(server.url()).build()?;
/// let report = honeyhive::evaluate(async |dp: Datapoint<Question, Answer>| ask(&dp.inputs().query).await)
///     .name("support-bot")
///     .dataset(Dataset::new([(json!({"query": "hi"}), Some(json!({"text": "HI"})))]))
///     .evaluator("exact_match", |case: Case<_, _, Answer>| Some(case.outputs().text == case.ground_truth()?.text))
/// #   .tracer(&tracer)
///     .await?;
/// println!("{report}");
/// # assert_eq!(report.metric("exact_match").and_then(|metric| metric.estimate), Some(1.0));
/// # assert!(report.delivery().is_complete(), "{:?}", report.delivery());
/// # Ok(())
/// # }
/// ```
///
/// Without [`tracer`](Evaluate::tracer) the run has one of its own, from the environment (`HH_API_KEY` and friends). A
/// missing key is an error, unless the run is [`offline`](Evaluate::offline).
///
/// Awaiting it needs a Tokio runtime with time enabled; [`block`](Evaluate::block) brings its own.
///
/// # Errors
///
/// [`EvaluateError`], where the run cannot begin. Errors of a datapoint are in the report.
pub fn evaluate<F, Fut, I, G, O, E>(function: F) -> Evaluate<I, G, O>
where
    F: FnOnce(Datapoint<I, G>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<O, E>> + Send + 'static,
    I: DeserializeOwned + Send + Sync + 'static,
    G: DeserializeOwned + Send + Sync + 'static,
    O: Serialize + Send + Sync + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let name = name_of::<F>();
    let call = move |dp| -> Calling<O> {
        let running = function.clone()(dp);
        Box::pin(async move { running.await.map_err(Into::into) })
    };
    Evaluate::new(name, Arc::new(call))
}

/// Runs a function that is not async over a dataset, as [`evaluate`] does: on the blocking threads of the runtime, with
/// the session current. A timeout ends the wait for the function, not the function itself.
///
/// ```
/// use honeyhive::evaluate::{Datapoint, Dataset, evaluate_sync};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let report = evaluate_sync(|dp: Datapoint<u64>| Ok::<_, String>(dp.inputs() * 2))
///     .dataset(Dataset::new([(21, None::<u64>)]))
///     .offline()
///     .block()?;
/// assert_eq!(report.datapoints()[0].outputs::<u64>().transpose()?, Some(42));
/// # Ok(())
/// # }
/// ```
pub fn evaluate_sync<F, I, G, O, E>(function: F) -> Evaluate<I, G, O>
where
    F: FnOnce(Datapoint<I, G>) -> Result<O, E> + Clone + Send + Sync + 'static,
    I: DeserializeOwned + Send + Sync + 'static,
    G: DeserializeOwned + Send + Sync + 'static,
    O: Serialize + Send + Sync + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let name = name_of::<F>();
    let call = move |dp: Datapoint<I, G>| -> Calling<O> {
        let function = function.clone();
        let cx = crate::context::current();
        Box::pin(async move {
            let running = tokio::task::spawn_blocking(move || {
                let _attached = crate::context::attach(cx);
                function(dp).map_err(Into::into)
            });
            match running.await {
                Ok(result) => result,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(error) => Err(error.into()),
                },
            }
        })
    };
    Evaluate::new(name, Arc::new(call))
}

/// Returns the last part of a function's path; for a closure, `function`.
fn name_of<F>() -> String {
    let path = std::any::type_name::<F>();
    let path = path.split('<').next().unwrap_or(path);
    let last = path.rsplit("::").next().unwrap_or(path);
    let is_name = !last.is_empty() && last.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_name { last } else { "function" }.to_owned()
}

/// An `Evaluate` is a run that has not begun, from [`evaluate`]. Awaiting it runs it.
#[must_use = "a run begins when it is awaited, or by `.block()`"]
pub struct Evaluate<I, G, O>(Plan<I, G, O>);

impl<I, G, O> fmt::Debug for Evaluate<I, G, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Evaluate")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl<I, G, O> Evaluate<I, G, O> {
    pub(super) fn new(function: String, call: Arc<Call<I, G, O>>) -> Self {
        Self(Plan {
            call,
            dataset: None,
            evaluators: Vec::new(),
            cancel_on: Vec::new(),
            rescored: None,
            settings: Settings::of(function),
        })
    }

    /// Takes the outputs of an old run, to be judged.
    pub(super) fn rescoring(mut self, run: Arc<EndedRun>) -> Self {
        self.0.rescored = Some(run);
        self
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.0.settings);
        self
    }

    /// Sets the dataset that the function is run over.
    pub fn dataset(mut self, dataset: Dataset) -> Self {
        self.0.dataset = Some(dataset);
        self
    }

    /// Changes the dataset, for example to a part of it.
    pub fn map_dataset(mut self, change: impl FnOnce(Dataset) -> Dataset) -> Self {
        self.0.dataset = self.0.dataset.map(change);
        self
    }

    /// Adds an evaluator: a closure, a function or an async one. The evaluator returns an [`IntoScore`](super::IntoScore), or a
    /// future of one. An async evaluator has a span, `evaluator: <name>`, and all of them run at the same time. A sync one has a
    /// span only where it fails.
    pub fn evaluator<R, Kind, V>(mut self, name: impl Into<String>, evaluator: R) -> Self
    where
        R: FnOnce(Case<I, G, O>) -> V + Clone + Send + Sync + 'static,
        V: IntoVerdict<Kind>,
    {
        self.0
            .evaluators
            .push(Evaluator::new(name.into(), evaluator));
        self
    }

    /// Sets the run's name (default: `experiment-` and the first eight characters of its id).
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set(|settings| settings.name = Some(name.into()))
    }

    /// Sets the run's name where it has none yet.
    pub fn default_name(self, name: impl Into<String>) -> Self {
        self.set(|settings| {
            settings.name.get_or_insert_with(|| name.into());
        })
    }

    /// Sets a description of the run.
    pub fn description(self, text: impl Into<String>) -> Self {
        self.set(|settings| settings.description = Some(text.into()))
    }

    /// Sets facts about the run: anything that serialises to an object.
    pub fn metadata(self, map: impl Serialize) -> Self {
        self.set(|settings| match to_json_as_it_is(map) {
            Ok(serde_json::Value::Object(object)) => settings.metadata.extend(object),
            _ => {
                settings.problem =
                    Some("`.metadata(..)` takes what serialises to an object".to_owned())
            }
        })
    }

    /// Sets the name of the function's spans (default: that of the function; for a closure, `function`). HoneyHive compares
    /// runs by it, so keep it.
    pub fn function_name(self, name: impl Into<String>) -> Self {
        self.set(|settings| settings.function = name.into())
    }

    /// Sets the run's id (default: a new one). A text that is no UUID, such as the id of a CI job, is mapped, the same
    /// each time.
    pub fn run_id(self, id: impl Into<String>) -> Self {
        self.set(|settings| settings.run_id = Some(id.into()))
    }

    /// Sets the number of calls of the function per datapoint (default 1), each in a session of its own.
    pub fn trials(self, n: u32) -> Self {
        self.set(|settings| settings.trials = n)
    }

    /// Limits how many functions run at once (default 10).
    pub fn max_workers(self, n: usize) -> Self {
        self.set(|settings| settings.max_workers = n)
    }

    /// Limits the rate at which functions begin (default: as fast as workers are free).
    pub fn rate_limit(self, limit: RateLimit) -> Self {
        self.set(|settings| settings.rate_limit = Some(limit))
    }

    /// Limits the time that a call of the function may take (default: no limit).
    pub fn timeout(self, limit: Duration) -> Self {
        self.set(|settings| settings.timeout = Some(limit))
    }

    /// Limits the time that an async evaluator may take (default: no limit).
    pub fn evaluator_timeout(self, limit: Duration) -> Self {
        self.set(|settings| settings.evaluator_timeout = Some(limit))
    }

    /// Sets the number of further calls after the function failed (default 0). All calls of a trial are in one session,
    /// and a trial that waits for its next call holds no worker. Retries raise the scores of a flaky function, so the
    /// report lists the datapoints that needed them.
    pub fn retries(self, n: u32) -> Self {
        self.set(|settings| settings.retries = n)
    }

    /// Decides which failures are worth another call (default: all), with [`retries`](Self::retries). The closure
    /// returns a `bool`, or [`Retry::after`].
    pub fn retry_if<R: Into<Retry>>(
        self,
        decide: impl Fn(&AttemptError) -> R + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.retry_if = Some(Arc::new(move |error| decide(error).into())))
    }

    /// Sets the number of further calls after an evaluator failed (default 0).
    pub fn evaluator_retries(self, n: u32) -> Self {
        self.set(|settings| settings.evaluator_retries = n)
    }

    /// Limits how many trials may fail before the run is [`failed`](super::RunStatus::Failed) and no further trial
    /// begins: a share, or [`ErrorLimit::Count`] (default: all but one).
    pub fn max_errors(self, limit: impl Into<ErrorLimit>) -> Self {
        self.set(|settings| settings.max_errors = Some(limit.into()))
    }

    /// Sets a condition that ends the run, such as a budget. No further trial begins, and the run is
    /// [`cancelled`](super::RunStatus::Cancelled).
    pub fn stop_when(self, decide: impl Fn(&Progress) -> bool + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.stop_when.push(Box::new(decide)))
    }

    /// Calls a function with the progress after each trial.
    pub fn on_progress(self, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.on_progress.push(Box::new(tell)))
    }

    /// Cancels the run when a future resolves, such as `tokio::signal::ctrl_c()`. No further trial begins, and running
    /// ones are dropped after five seconds.
    pub fn cancel_on<F>(mut self, signal: F) -> Self
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.0
            .cancel_on
            .push(Box::pin(async move { drop(signal.await) }));
        self
    }

    /// Sets the range in which a metric passes, for HoneyHive's pages.
    pub fn passes(self, metric: impl Into<String>, range: impl RangeBounds<f64>) -> Self {
        let [low, high] = [range.start_bound().cloned(), range.end_bound().cloned()];
        self.set(|settings| settings.passes.push((metric.into(), low, high)))
    }

    /// Sets the function that makes one value of a metric's values, here and on HoneyHive's pages (default: the
    /// average).
    pub fn aggregate(self, aggregate: Aggregate) -> Self {
        self.set(|settings| settings.aggregate = aggregate)
    }

    /// Sets the confidence level of intervals (default: 95 %).
    pub fn level(self, level: Level) -> Self {
        self.set(|settings| settings.level = level)
    }

    /// Decides whether the report has the function's outputs (default: yes). Without them a large run needs little
    /// memory.
    pub fn keep_outputs(self, keep: bool) -> Self {
        self.set(|settings| settings.keep_outputs = keep)
    }

    /// Decides whether the run names the commit of the work tree (default: yes). It never names an author, nor any
    /// credentials in a remote's URL.
    pub fn git(self, tell: bool) -> Self {
        self.set(|settings| settings.git = tell)
    }

    /// Writes a line for each finished trial, with its outputs, for [`resume`](Self::resume) (default: nothing is
    /// written). Redaction applies to the file.
    pub fn journal(self, path: impl Into<PathBuf>) -> Self {
        self.set(|settings| settings.journal = Some(JournalPlace::File(path.into())))
    }

    /// Writes the journal into this folder, as [`journal`](Self::journal) does, in a file named by the run's id: `<run
    /// id>.jsonl`.
    pub fn journal_in(self, folder: impl Into<PathBuf>) -> Self {
        self.set(|settings| settings.journal = Some(JournalPlace::Folder(folder.into())))
    }

    /// Continues the run of this journal: finished trials are not run again, failed ones are. The same journal is
    /// continued.
    pub fn resume(self, path: impl Into<PathBuf>) -> Self {
        self.set(|settings| settings.resume = Some(path.into()))
    }

    /// Sets the tracer that sessions and spans go through (default: one of the run's own, from the environment).
    pub fn tracer(self, tracer: &HoneyHiveTracer) -> Self {
        self.set(|settings| settings.tracer = Some(tracer.clone()))
    }

    /// Sets the project, for the newer routes that name it: they need the data plane key, and sessions and spans an
    /// ingestion key.
    pub fn project_id(self, id: impl Into<String>) -> Self {
        self.set(|settings| settings.project_id = Some(id.into()))
    }

    /// Runs without HoneyHive: no key is needed and nothing is sent, not even spans that the function makes with a
    /// tracer of its own. The report is the same. Only a session that the function itself creates with such a tracer is
    /// sent.
    pub fn offline(self) -> Self {
        self.set(|settings| settings.offline = true)
    }

    /// Limits how long the end of the run waits for pending deliveries (default 30 s).
    pub fn delivery_timeout(self, limit: Duration) -> Self {
        self.set(|settings| settings.delivery_timeout = limit)
    }
}

impl<I, G, O> IntoFuture for Evaluate<I, G, O>
where
    I: DeserializeOwned + Send + Sync + 'static,
    G: DeserializeOwned + Send + Sync + 'static,
    O: Serialize + Send + Sync + 'static,
{
    type Output = Result<ExperimentReport, EvaluateError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run(self.0))
    }
}

impl<I, G, O> Evaluate<I, G, O>
where
    I: DeserializeOwned + Send + Sync + 'static,
    G: DeserializeOwned + Send + Sync + 'static,
    O: Serialize + Send + Sync + 'static,
{
    /// Runs the evaluation, and blocks this thread until the run has ended. The run has a runtime and a thread of its
    /// own, so it works wherever a thread may be blocked.
    ///
    /// # Errors
    ///
    /// The same as those of awaiting it; also, no thread or runtime can be had.
    pub fn block(self) -> Result<ExperimentReport, EvaluateError> {
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime
                .map_err(|error| EvaluateError::config(format!("there is no runtime: {error}")))?;
            runtime.block_on(self.into_future())
        };
        let thread = std::thread::Builder::new()
            .name("honeyhive-evaluate".to_owned())
            .spawn(work);
        let thread = thread
            .map_err(|error| EvaluateError::config(format!("there is no thread: {error}")))?;
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests;
