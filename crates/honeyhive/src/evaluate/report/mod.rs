//! [`ExperimentReport`] computes here what came of a run, and writes it in several forms.

mod experiment;
mod json;
mod markdown;
mod text;

pub(super) use experiment::Facts;
pub use experiment::{Delivery, ExperimentReport, RunStatus};
