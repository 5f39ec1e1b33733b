//! [`EvaluateError`] says why a run could not begin.

use super::dataset_error::DatasetError;
use super::journal::ResumeError;
use crate::client::ClientError;
use crate::error::BuildError;
use crate::model::causes::debug_as_text;

/// The error says why a run could not begin. A problem with a datapoint is never such an error: the report has it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A setting cannot be used. Nothing was run or sent.
    #[error("{0}")]
    Config(String),
    /// The dataset cannot be used. Nothing was run.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The tracer could not be built: for example, a key is missing. `.offline()` needs none.
    #[error("the run has no tracer, and nothing was run; `.offline()` needs no key")]
    Tracer(#[from] BuildError),
    /// HoneyHive did not take the run. Nothing was run.
    #[error("HoneyHive did not take the run, and nothing was run; `.offline()` runs without it")]
    Run(#[from] ClientError),
    /// The run cannot go on from its journal, or write one. Nothing was run.
    #[error(transparent)]
    Resume(#[from] ResumeError),
}

debug_as_text!(EvaluateError);

impl EvaluateError {
    pub(super) fn config(problem: impl Into<String>) -> Self {
        Self::Config(problem.into())
    }
}
