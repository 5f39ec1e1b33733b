//! [`ExperimentReport`]: what came of a run, computed here, and how it is written.

mod experiment;
mod json;
mod markdown;
mod text;

pub(super) use experiment::Facts;
pub use experiment::{Delivery, ExperimentReport, RunStatus};
