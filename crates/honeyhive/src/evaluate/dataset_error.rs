//! [`DatasetError`] says why a dataset cannot be used.

use std::io;

use crate::model::causes::debug_as_text;

/// The error says why a dataset cannot be used. Nothing was run.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The file could not be read.
    #[error("the dataset {path} cannot be read: check the path and its permissions")]
    #[non_exhaustive]
    File {
        /// The file's path.
        path: String,
        /// The system's error.
        source: io::Error,
    },
    /// A row has a wrong form.
    #[error("{place} of the dataset cannot be used: {problem}")]
    #[non_exhaustive]
    Row {
        /// The line or the row, from 1.
        place: String,
        /// The problem with the row.
        problem: String,
    },
    /// Two rows have one id.
    #[error(
        "rows {first} and {second} of the dataset have one id, {id:?}; give each its own, or use `.ids(Ids::ByContent)`"
    )]
    #[non_exhaustive]
    SameId {
        /// The id.
        id: String,
        /// The first row, from 1.
        first: usize,
        /// The second row, from 1.
        second: usize,
    },
    /// HoneyHive has no such dataset.
    #[error("HoneyHive has no dataset {id:?}: look at its id, and at the project of the key")]
    #[non_exhaustive]
    NotFound {
        /// The id.
        id: String,
    },
    /// HoneyHive has the dataset, but not all of its datapoints.
    #[error(
        "HoneyHive has no datapoints {ids:?} of the dataset; `.allow_missing()` runs the others"
    )]
    #[non_exhaustive]
    Missing {
        /// The ids of those that are missing.
        ids: Vec<String>,
    },
    /// The dataset has no rows.
    #[error("the dataset has no rows: a run needs one at least")]
    Empty,
}

debug_as_text!(DatasetError);
