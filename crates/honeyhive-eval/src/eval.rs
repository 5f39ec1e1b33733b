//! An [`Eval`] is a named experiment with the gates that it must pass.

use std::fmt;
use std::future::{Future, IntoFuture as _};
use std::path::PathBuf;
use std::pin::Pin;

use honeyhive::evaluate::{Baseline, Evaluate, EvaluateError, ExperimentReport, Gate};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arguments::{Arguments, Resume};
use crate::files;
use crate::progress::ProgressLine;
use crate::signals::Interrupt;

pub(crate) type Running =
    Pin<Box<dyn Future<Output = Result<ExperimentReport, EvaluateError>> + Send>>;

/// An `Order` tells an eval how to run.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) arguments: Arguments,
    pub(crate) is_offline: bool,
    pub(crate) interrupt: Interrupt,
    /// The datapoints that failed last time, where only those are to run.
    pub(crate) only: Option<Vec<String>>,
    pub(crate) resume: Option<PathBuf>,
}

/// An `Eval` is a named experiment with the gates that it must pass.
///
/// ```
/// use honeyhive::evaluate::{Case, Datapoint, Dataset, Gate};
/// use honeyhive_eval::Eval;
///
/// let eval = Eval::new("double", || {
///     honeyhive::evaluate(async |dp: Datapoint<u32, u32>| Ok::<_, String>(dp.inputs() * 2))
///         .dataset(Dataset::new([(1, Some(2)), (2, Some(4))]))
///         .evaluator("exact_match", |case: Case<u32, u32, u32>| Some(case.outputs() == case.ground_truth()?))
/// })
/// .gate(Gate::mean("exact_match").at_least(0.9))
/// .no_worse_than_baseline("exact_match", 0.02);
/// # drop(eval);
/// ```
#[must_use = "it is given to `honeyhive_eval::run`"]
pub struct Eval {
    pub(crate) name: String,
    pub(crate) is_ignored: bool,
    gates: Vec<Gate>,
    no_worse: Vec<(String, f64)>,
    begin: Box<dyn Fn(&Order) -> Running>,
}

impl fmt::Debug for Eval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Eval")
            .field("name", &self.name)
            .field("gates", &self.gates)
            .finish_non_exhaustive()
    }
}

impl Eval {
    /// Returns an eval with this name. `make` is called when the eval runs.
    pub fn new<I, G, O>(
        name: impl Into<String>,
        make: impl Fn() -> Evaluate<I, G, O> + 'static,
    ) -> Self
    where
        I: DeserializeOwned + Send + Sync + 'static,
        G: DeserializeOwned + Send + Sync + 'static,
        O: Serialize + Send + Sync + 'static,
    {
        let name = name.into();
        let own = name.clone();
        Self {
            name,
            is_ignored: false,
            gates: Vec::new(),
            no_worse: Vec::new(),
            begin: Box::new(move |order| Box::pin(ordered(make(), &own, order).into_future())),
        }
    }

    /// Adds a gate that the eval has to pass.
    pub fn gate(mut self, gate: Gate) -> Self {
        self.gates.push(gate);
        self
    }

    /// Adds a gate for a run with `--baseline`: a metric must not be more than `margin` below the earlier run,
    /// datapoint by datapoint.
    pub fn no_worse_than_baseline(mut self, metric: impl Into<String>, margin: f64) -> Self {
        self.no_worse.push((metric.into(), margin));
        self
    }

    /// Makes the eval run only where `--ignored` or `--include-ignored` asks for it.
    pub const fn ignored(mut self) -> Self {
        self.is_ignored = true;
        self
    }

    pub(crate) fn begin(&self, order: &Order) -> Running {
        (self.begin)(order)
    }

    pub(crate) fn gates(&self, baseline: Option<&Baseline>) -> Vec<Gate> {
        let no_worse = self.no_worse.iter();
        let compared = baseline.into_iter().flat_map(|baseline| {
            let gate =
                |(metric, margin): &(String, f64)| Gate::no_worse_than(baseline, metric, *margin);
            no_worse.clone().map(gate).collect::<Vec<_>>()
        });
        self.gates.iter().cloned().chain(compared).collect()
    }
}

/// Returns the experiment as the arguments want it.
fn ordered<I, G, O>(evaluate: Evaluate<I, G, O>, name: &str, order: &Order) -> Evaluate<I, G, O> {
    let arguments = &order.arguments;
    let mut evaluate = evaluate
        .default_name(name)
        .cancel_on(order.interrupt.clone().wait());
    if let Some(workers) = arguments.max_workers {
        evaluate = evaluate.max_workers(workers);
    }
    if let Some(trials) = arguments.trials {
        evaluate = evaluate.trials(trials);
    }
    if let Some(only) = &order.only {
        evaluate = evaluate.map_dataset(|dataset| dataset.only(only));
    }
    if let Some(limit) = arguments.limit {
        evaluate = evaluate.map_dataset(|dataset| dataset.take(limit));
    }
    if let Some(sample) = arguments.sample {
        evaluate = evaluate.map_dataset(|dataset| dataset.sample(sample, arguments.seed));
    }
    if let Some((metric, most)) = arguments.budget.clone() {
        evaluate = evaluate.stop_when(move |progress| progress.sum(&metric) > most);
    }
    if !arguments.no_progress {
        let line = ProgressLine::new(name);
        evaluate = evaluate.on_progress(move |progress| line.tell(progress));
    }
    if order.is_offline {
        evaluate = evaluate.offline();
    }
    match (&order.resume, &arguments.resume) {
        (Some(journal), _) | (None, Some(Resume::Of(journal))) => evaluate.resume(journal),
        _ => evaluate.journal_in(files::journals(name)),
    }
}
