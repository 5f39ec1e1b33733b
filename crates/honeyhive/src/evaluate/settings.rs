//! The settings of a run are all but its function, its dataset and its evaluators.

use std::fmt;
use std::future::Future;
use std::ops::Bound;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::aggregate::Aggregate;
use super::progress::Progress;
use super::rate::RateLimit;
use super::retry::{AttemptError, Retry};
use super::statistics::Level;
use crate::tracer::HoneyHiveTracer;

/// The limit says how many failures a run may have.
///
/// ```
/// use honeyhive::evaluate::ErrorLimit;
///
/// let share: ErrorLimit = 0.05.into(); // one of twenty
/// assert_eq!(share, ErrorLimit::Share(0.05));
/// # let _ = ErrorLimit::Count(3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ErrorLimit {
    /// The limit is a share of all trials.
    Share(f64),
    /// The limit is a number of trials.
    Count(usize),
}

impl ErrorLimit {
    pub(super) fn is_exceeded(self, errors: usize, total: usize) -> bool {
        match self {
            Self::Share(share) => errors as f64 > share * total as f64,
            Self::Count(count) => errors > count,
        }
    }
}

impl From<f64> for ErrorLimit {
    fn from(share: f64) -> Self {
        Self::Share(share)
    }
}

/// `JournalPlace` says where a run's journal goes.
#[derive(Debug, Clone)]
pub(super) enum JournalPlace {
    File(PathBuf),
    /// The journal goes into a folder, under the run's id.
    Folder(PathBuf),
}

pub(super) type RetryIf = dyn Fn(&AttemptError) -> Retry + Send + Sync;
pub(super) type OnProgress = dyn Fn(&Progress) + Send + Sync;
pub(super) type StopWhen = dyn Fn(&Progress) -> bool + Send + Sync;
pub(super) type CancelOn = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) struct Settings {
    pub(super) function: String,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) metadata: Map<String, Value>,
    pub(super) problem: Option<String>,
    pub(super) run_id: Option<String>,
    pub(super) trials: u32,
    pub(super) max_workers: usize,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) timeout: Option<Duration>,
    pub(super) evaluator_timeout: Option<Duration>,
    pub(super) retries: u32,
    pub(super) retry_if: Option<Arc<RetryIf>>,
    pub(super) evaluator_retries: u32,
    pub(super) max_errors: Option<ErrorLimit>,
    pub(super) stop_when: Vec<Box<StopWhen>>,
    pub(super) on_progress: Vec<Box<OnProgress>>,
    pub(super) passes: Vec<(String, Bound<f64>, Bound<f64>)>,
    pub(super) aggregate: Aggregate,
    pub(super) level: Level,
    pub(super) keep_outputs: bool,
    pub(super) git: bool,
    pub(super) journal: Option<JournalPlace>,
    pub(super) resume: Option<PathBuf>,
    pub(super) tracer: Option<HoneyHiveTracer>,
    pub(super) project_id: Option<String>,
    pub(super) offline: bool,
    pub(super) delivery_timeout: Duration,
}

impl Settings {
    pub(super) fn of(function: String) -> Self {
        Self {
            function,
            name: None,
            description: None,
            metadata: Map::new(),
            problem: None,
            run_id: None,
            trials: 1,
            max_workers: 10,
            rate_limit: None,
            timeout: None,
            evaluator_timeout: None,
            retries: 0,
            retry_if: None,
            evaluator_retries: 0,
            max_errors: None,
            stop_when: Vec::new(),
            on_progress: Vec::new(),
            passes: Vec::new(),
            aggregate: Aggregate::Average,
            level: Level::P95,
            keep_outputs: true,
            git: true,
            journal: None,
            resume: None,
            tracer: None,
            project_id: None,
            offline: false,
            delivery_timeout: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("function", &self.function)
            .field("name", &self.name)
            .field("trials", &self.trials)
            .field("max_workers", &self.max_workers)
            .finish_non_exhaustive()
    }
}
