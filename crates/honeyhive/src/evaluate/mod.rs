//! An experiment (feature `evaluate`) runs a function over a dataset, judged by evaluators, each datapoint in a session
//! of its own.
//!
//! [`evaluate`] runs them, [`ExperimentReport`] has the results and their confidence, [`Gate`]s decide whether they are
//! good enough. Nothing here prints or reads arguments: the crate `honeyhive-eval` does, for `cargo test --test evals`.

mod aggregate;
mod baseline;
mod builder;
mod clock;
mod compare;
mod datapoint;
mod dataset;
mod dataset_error;
mod ended_run;
mod engine;
mod error;
mod evaluator;
mod gate;
mod git;
mod guarded;
mod honeyhive_baseline;
mod ids;
mod journal;
mod measured;
mod ongoing_run;
mod preparation;
mod progress;
mod python;
mod rate;
mod report;
mod rescore;
mod results;
mod retry;
mod run;
mod score;
mod sessions;
mod settings;
mod splitmix;
mod statistics;
mod stored;
mod summary;
mod trial;
mod trial_events;
mod units;
mod verdict;

pub use aggregate::Aggregate;
pub use baseline::{Baseline, BaselineError};
pub use builder::{Evaluate, evaluate, evaluate_sync};
pub use compare::{Change, Comparison};
pub use datapoint::{Case, Datapoint};
pub use dataset::{Dataset, Row};
pub use dataset_error::DatasetError;
pub use error::EvaluateError;
pub use evaluator::{IntoVerdict, Judged};
pub use gate::Gate;
pub use ids::Ids;
pub use journal::{ResumeError, failed_datapoints};
pub use progress::Progress;
pub use rate::RateLimit;
pub use report::{Delivery, ExperimentReport, RunStatus};
pub use rescore::rescore;
pub use results::{MetricResult, Outcome, TrialReport};
pub use retry::{AttemptError, Retry};
pub use score::{IntoScore, Score, ScoreValue, Scored, Scoring};
pub use settings::ErrorLimit;
pub use statistics::{
    Interval, Level, datapoints_needed, pass_all_k, pass_at_k, smallest_difference,
};
pub use summary::MetricReport;
pub use units::MetricKind;
pub use verdict::{GateOutcome, Verdict, Verdicts};
