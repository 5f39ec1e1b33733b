//! [`Baseline`] holds the values of an earlier run, in a file that is committed.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::results::TrialReport;
use super::score::ScoreValue;
use super::units::Units;
use crate::model::causes::debug_as_text;

debug_as_text!(BaselineError);

/// The file has this version.
const VERSION: u32 = 1;

/// A `Baseline` holds the values of each metric of a run, by datapoint: another run is compared with them.
///
/// The file has neither times nor ids of sessions, and its order is fixed, so a commit shows what has changed.
///
/// ```
/// use honeyhive::evaluate::Baseline;
///
/// # let dir = std::env::temp_dir().join(format!("hh-baseline-{}", std::process::id()));
/// let json = r#"{"version": 1, "metrics": {"exact_match": {"EXT-dp-1": [true]}}}"#;
/// let baseline: Baseline = json.parse()?;
/// baseline.save(dir.join("support/main.json"))?;
/// assert_eq!(Baseline::load(dir.join("support/main.json"))?, baseline);
/// # let _ = std::fs::remove_dir_all(dir);
/// # Ok::<(), honeyhive::evaluate::BaselineError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dataset_id: Option<String>,
    metrics: BTreeMap<String, BTreeMap<String, Vec<ScoreValue>>>,
}

/// The error says why a baseline could not be read or written.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// The file could not be read or written.
    #[error(
        "the baseline {path} could not be used; `--save-baseline` or `Baseline::save` writes one"
    )]
    #[non_exhaustive]
    File {
        /// The file's path.
        path: String,
        /// The system's error.
        source: io::Error,
    },
    /// The text is no baseline.
    #[error("this is no baseline: {0}")]
    Json(#[from] serde_json::Error),
    /// The file is of a version that this library does not know.
    #[error(
        "the baseline is of version {0}, and this library reads version {VERSION}: update it, or save the baseline again"
    )]
    Version(u32),
}

impl Baseline {
    pub(super) fn of_trials(trials: &[TrialReport]) -> Self {
        let of_units =
            |(name, units): (String, Units)| (name, units.of_datapoints.into_iter().collect());
        Self {
            metrics: Units::of_trials(trials).into_iter().map(of_units).collect(),
            ..Self::empty()
        }
    }

    /// Returns a baseline without values.
    pub(super) fn empty() -> Self {
        Self {
            version: VERSION,
            ..Self::default()
        }
    }

    pub(super) fn of_run(self, name: &str, function: &str, dataset_id: &str) -> Self {
        let [name, function, dataset_id] =
            [name, function, dataset_id].map(|text| Some(text.to_owned()));
        Self {
            name,
            function,
            dataset_id,
            ..self
        }
    }

    /// Adds a value of a metric.
    pub(super) fn add(&mut self, metric: &str, datapoint: &str, value: ScoreValue) {
        let of_metric = self.metrics.entry(metric.to_owned()).or_default();
        of_metric
            .entry(datapoint.to_owned())
            .or_default()
            .push(value);
    }

    /// Returns the names of the metrics.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        self.metrics.keys().map(String::as_str)
    }

    pub(super) fn values(&self, metric: &str) -> Option<&BTreeMap<String, Vec<ScoreValue>>> {
        self.metrics.get(metric)
    }

    /// Reads a file that [`save`](Self::save) has written.
    ///
    /// # Errors
    ///
    /// Where there is no such file, or it is no baseline.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, BaselineError> {
        let text = fs::read_to_string(&path).map_err(|source| file_error(path.as_ref(), source))?;
        text.parse()
    }

    /// Writes a file, and the folders to it. A former file is replaced at once, or stays.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), BaselineError> {
        let path = path.as_ref();
        let json = serde_json::to_string_pretty(self)? + "\n";
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let beside = path.with_extension(format!("{}.tmp", std::process::id()));
            fs::write(&beside, json)?;
            fs::rename(beside, path)
        };
        write().map_err(|source| file_error(path, source))
    }
}

fn file_error(path: &Path, source: io::Error) -> BaselineError {
    BaselineError::File {
        path: path.display().to_string(),
        source,
    }
}

impl std::str::FromStr for Baseline {
    type Err = BaselineError;

    fn from_str(json: &str) -> Result<Self, BaselineError> {
        let baseline: Self = serde_json::from_str(json)?;
        match baseline.version {
            VERSION => Ok(baseline),
            other => Err(BaselineError::Version(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::summary::made::{trial, value};

    #[test]
    fn a_baseline_has_all_values_and_reads_what_it_writes() {
        let trials = [
            trial(1, 0, &[("m", value(true)), ("t", value("x"))]),
            trial(1, 1, &[("m", value(false))]),
        ];
        let baseline = Baseline::of_trials(&trials);
        let json = serde_json::to_string(&baseline).unwrap();
        assert_eq!(
            json,
            r#"{"version":1,"metrics":{"m":{"EXT-1":[true,false]},"t":{"EXT-1":["x"]}}}"#
        );
        assert_eq!(json.parse::<Baseline>().unwrap(), baseline);
        let mut by_hand = Baseline::empty();
        by_hand.add("m", "EXT-1", ScoreValue::Bool(true));
        assert_eq!(by_hand.metrics().collect::<Vec<_>>(), ["m"]);
    }

    #[test]
    fn another_version_and_a_missing_file_are_told() {
        let newer = r#"{"version":2,"metrics":{}}"#.parse::<Baseline>();
        assert!(matches!(newer, Err(BaselineError::Version(2))));
        let missing = Baseline::load("/no/such/baseline.json").unwrap_err();
        assert!(
            missing.to_string().contains("/no/such/baseline.json"),
            "{missing}"
        );
    }
}
