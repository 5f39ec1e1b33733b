//! [`EndedRun`] holds the journal of an ended run, for evaluators that judge its outputs.

use std::path::Path;

use super::journal::{Header, JournalContents, ResumeError};
use super::results::TrialReport;

#[derive(Debug)]
pub(super) struct EndedRun {
    pub(super) header: Header,
    contents: JournalContents,
}

impl EndedRun {
    pub(super) fn read(path: &Path) -> Result<Self, ResumeError> {
        let contents = JournalContents::read(path)?;
        if contents
            .finished
            .values()
            .any(|trial| trial.outputs.is_none())
        {
            return Err(ResumeError::NoOutputs {
                path: path.display().to_string(),
            });
        }
        Ok(Self {
            header: contents.header.clone(),
            contents,
        })
    }

    /// Returns a trial, whether it succeeded or not.
    pub(super) fn trial(&self, datapoint: &str, trial: u32) -> Option<&TrialReport> {
        let key = (datapoint.to_owned(), trial);
        let JournalContents {
            finished, failed, ..
        } = &self.contents;
        finished.get(&key).or_else(|| failed.get(&key))
    }

    /// Refuses a dataset that is not that of the run.
    pub(super) fn expect_dataset(&self, id: &str) -> Result<(), ResumeError> {
        let mut here = self.header.clone();
        id.clone_into(&mut here.dataset_id);
        self.contents.expect(&here)
    }
}
