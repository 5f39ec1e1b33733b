//! [`rescore`] runs evaluators over the outputs of a run that has ended.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::builder::Evaluate;
use super::datapoint::Datapoint;
use super::ended_run::EndedRun;
use super::journal::ResumeError;
use super::trial::Calling;

/// Runs evaluators over the outputs of a run that has ended, by its journal: the function is not called again.
///
/// The new run has the same function's name and datapoints, so it can be compared with the old one; its metadata say
/// `rescored_run`. Give it the same dataset, whose inputs and ground truth the evaluators see. Latencies are those of
/// the old run, a trial that failed there fails here, and one that did not run does not. The journal has what
/// redaction has left of outputs.
///
/// ```
/// use honeyhive::evaluate::{Case, Datapoint, Dataset, rescore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("hh-rescore-{}", std::process::id()));
/// # let path = folder.join("run.jsonl");
/// let dataset = Dataset::new([("a refund?", Some("five days")), ("the moon?", None)]);
/// # honeyhive::evaluate(async |dp: Datapoint<String, String>| Ok::<_, String>(format!("{}!", dp.inputs())))
/// #     .dataset(dataset.clone()).journal(&path).offline().block()?;
/// let report = rescore(&path)?
///     .dataset(dataset)
///     .evaluator("length", |case: Case<String, String, String>| case.outputs().len())
///     .offline()
///     .block()?;
/// assert_eq!(report.metric("length").map(|metric| metric.n), Some(2));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Where the file is no journal, or the run kept no outputs. Awaiting it fails where the dataset is another.
pub fn rescore<I, G, O>(journal: impl AsRef<Path>) -> Result<Evaluate<I, G, O>, ResumeError>
where
    I: DeserializeOwned + Send + Sync + 'static,
    G: DeserializeOwned + Send + Sync + 'static,
    O: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let run = Arc::new(EndedRun::read(journal.as_ref())?);
    let known = Arc::clone(&run);
    let call = move |dp: Datapoint<I, G>| -> Calling<O> {
        let outputs = outputs_of(&known, dp.id(), dp.trial());
        Box::pin(async move { outputs })
    };
    let header = &run.header;
    let name = format!("{}, rescored", header.name);
    let evaluate = Evaluate::new(header.function.clone(), Arc::new(call))
        .default_name(name)
        .trials(header.trials)
        .metadata(json!({"rescored_run": header.run_id}));
    Ok(evaluate.rescoring(run))
}

fn outputs_of<O: DeserializeOwned>(
    run: &EndedRun,
    datapoint: &str,
    trial: u32,
) -> Result<O, Box<dyn Error + Send + Sync>> {
    let known = run
        .trial(datapoint, trial)
        .ok_or("the old run has no such trial")?;
    match known.outputs::<O>() {
        Some(outputs) => outputs
            .map_err(|error| format!("the outputs do not fit the evaluators: {error}").into()),
        None => Err(known.error().unwrap_or("it failed in the old run").into()),
    }
}
