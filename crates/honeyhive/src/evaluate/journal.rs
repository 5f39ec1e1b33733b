//! The journal has a line for each finished trial, so that a killed run can go on.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::results::{Outcome, TrialReport};

/// The header identifies a run: a run that continues an earlier one must have the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) run_id: String,
    pub(super) name: String,
    pub(super) dataset_id: String,
    pub(super) function: String,
    pub(super) evaluators: Vec<String>,
    pub(super) trials: u32,
}

/// The error says why a run could not go on from its journal.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The file could not be read or written.
    #[error("the journal {path} could not be used: check that it can be read and written")]
    #[non_exhaustive]
    File {
        /// The file's path.
        path: String,
        /// The system's error.
        source: io::Error,
    },
    /// A line is no part of a journal.
    #[error("line {line} of the journal {path} cannot be read; begin a new run, or mend the line")]
    #[non_exhaustive]
    Line {
        /// The file's path.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The problem with the line.
        source: serde_json::Error,
    },
    /// The run kept no outputs, which evaluators could look at.
    #[error(
        "the journal {path} has no outputs: run again without `.keep_outputs(false)`, and rescore that"
    )]
    #[non_exhaustive]
    NoOutputs {
        /// The file's path.
        path: String,
    },
    /// The journal belongs to another run or another dataset.
    #[error("the journal is of another {what} ({was} there, {is} here); begin a new run")]
    #[non_exhaustive]
    Other {
        /// The part that differs.
        what: &'static str,
        /// The journal's value of that part.
        was: String,
        /// The run's value of that part.
        is: String,
    },
}

crate::model::causes::debug_as_text!(ResumeError);

/// Returns the datapoints of a journal that have a trial which failed, or did not run to its end.
///
/// ```no_run
/// use honeyhive::evaluate::{Dataset, failed_datapoints};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let failed = failed_datapoints("target/honeyhive/evals/support/run.jsonl")?;
/// let again = Dataset::from_jsonl("evals/support.jsonl")?.only(failed);
/// # drop(again);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Where the file is no journal.
pub fn failed_datapoints(path: impl AsRef<Path>) -> Result<Vec<String>, ResumeError> {
    let contents = JournalContents::read(path.as_ref())?;
    Ok(contents.failed.into_keys().map(|(id, _)| id).collect())
}

/// A `Journal` is a file that lines are added to.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
}

impl Journal {
    pub(super) fn create(path: &Path, header: &Header) -> Result<Self, ResumeError> {
        let open = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut journal = Self {
                file: File::create(path)?,
            };
            journal.line(header)?;
            Ok(journal)
        };
        open().map_err(|source| file_error(path, source))
    }

    /// Continues a journal where a killed process has stopped: its unfinished line is cut off.
    fn reopen(path: &Path, whole: u64) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(path)?;
        file.set_len(whole)?;
        Ok(Self { file })
    }

    pub(super) fn add(&mut self, trial: &TrialReport) -> io::Result<()> {
        self.line(trial)
    }

    /// Writes one line with one write, so that only the last one can be torn.
    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }
}

/// The contents of a journal are its trials, and the length of its whole lines.
#[derive(Debug)]
pub(super) struct JournalContents {
    pub(super) header: Header,
    /// Trials that need not run again, by datapoint and trial.
    pub(super) finished: BTreeMap<(String, u32), TrialReport>,
    /// Trials that failed.
    pub(super) failed: BTreeMap<(String, u32), TrialReport>,
    /// The length of the lines that are whole.
    whole: u64,
}

impl JournalContents {
    /// Reads a journal. A last line without an end is one that a killed process was writing, and counts as absent.
    pub(super) fn read(path: &Path) -> Result<Self, ResumeError> {
        let text = fs::read(path).map_err(|source| file_error(path, source))?;
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let mut lines = text[..whole].split_inclusive(|byte| *byte == b'\n');
        let header = parsed(path, 1, lines.next().unwrap_or_default())?;
        let (mut finished, mut failed) = (BTreeMap::new(), BTreeMap::new());
        for (index, line) in lines.enumerate() {
            let trial: TrialReport = parsed(path, index + 2, line)?;
            let key = (trial.datapoint_id.clone(), trial.trial);
            if trial.outcome == Outcome::Ok {
                failed.remove(&key);
                finished.insert(key, trial);
            } else {
                finished.remove(&key);
                failed.insert(key, trial);
            }
        }
        Ok(Self {
            header,
            finished,
            failed,
            whole: whole as u64,
        })
    }

    /// Refuses to continue a journal of another run.
    pub(super) fn expect(&self, run: &Header) -> Result<(), ResumeError> {
        let trials = [&self.header, run].map(|header| header.trials.to_string());
        let evaluators = [&self.header, run].map(|header| header.evaluators.join(", "));
        let same = [
            ("dataset", &self.header.dataset_id, &run.dataset_id),
            ("function", &self.header.function, &run.function),
            ("number of trials", &trials[0], &trials[1]),
            ("list of evaluators", &evaluators[0], &evaluators[1]),
        ];
        match same.into_iter().find(|(_, was, is)| was != is) {
            None => Ok(()),
            Some((what, was, is)) => Err(ResumeError::Other {
                what,
                was: was.clone(),
                is: is.clone(),
            }),
        }
    }

    pub(super) fn reopen(&self, path: &Path) -> Result<Journal, ResumeError> {
        Journal::reopen(path, self.whole).map_err(|source| file_error(path, source))
    }
}

fn parsed<T: for<'de> Deserialize<'de>>(
    path: &Path,
    line: usize,
    text: &[u8],
) -> Result<T, ResumeError> {
    serde_json::from_slice(text).map_err(|source| ResumeError::Line {
        path: path.display().to_string(),
        line,
        source,
    })
}

fn file_error(path: &Path, source: io::Error) -> ResumeError {
    ResumeError::File {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests;
