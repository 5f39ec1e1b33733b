//! The outcome of an eval decides the exit code.

use honeyhive::evaluate::{EvaluateError, ExperimentReport, RunStatus, Verdicts};

/// `Ending` says how the program ends; of two, the later variant is the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Good,
    GateFailed,
    RunFailed,
    Usage,
    Interrupted,
}

impl Ending {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::GateFailed => 1,
            Self::Usage => 2,
            Self::RunFailed => 3,
            Self::Interrupted => 130,
        }
    }

    pub(crate) const fn of_error(error: &EvaluateError) -> Self {
        match error {
            EvaluateError::Run(_) => Self::RunFailed,
            _ => Self::Usage,
        }
    }

    pub(crate) fn of_report(
        report: &ExperimentReport,
        verdicts: &Verdicts,
        is_interrupted: bool,
    ) -> Self {
        match report.status() {
            RunStatus::Cancelled if is_interrupted => Self::Interrupted,
            RunStatus::Completed if verdicts.passed() => Self::Good,
            RunStatus::Completed => Self::GateFailed,
            _ => Self::RunFailed,
        }
    }
}

/// A `Finished` eval has a report.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) name: String,
    pub(crate) report: ExperimentReport,
    pub(crate) verdicts: Verdicts,
}
