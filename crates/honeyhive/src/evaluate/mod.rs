//! Experiments (feature `evaluate`): a function over a dataset, judged by evaluators, each datapoint in a session of its own.

mod aggregate;
mod baseline;
mod compare;
mod gate;
mod ids;
mod journal;
mod measured;
mod python;
mod report;
mod results;
mod score;
mod splitmix;
mod statistics;
mod summary;
mod units;

pub use aggregate::Aggregate;
pub use baseline::{Baseline, BaselineError};
pub use compare::{Change, Comparison};
pub use gate::{Gate, GateOutcome, Verdict, Verdicts};
pub use ids::Ids;
pub use journal::ResumeError;
pub use report::{Delivery, ExperimentReport, RunStatus};
pub use results::{MetricResult, Outcome, TrialReport};
pub use score::{IntoScore, Score, ScoreValue, Scored, Scoring};
pub use statistics::{
    Interval, Level, datapoints_needed, pass_all_k, pass_at_k, smallest_difference,
};
pub use summary::MetricReport;
pub use units::MetricKind;
