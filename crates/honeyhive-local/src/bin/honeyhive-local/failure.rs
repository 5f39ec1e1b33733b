//! A command fails in one of several ways, each with an exit code of its own.

use std::fmt::Display;

pub(crate) const FAILED: u8 = 1;
pub(crate) const MISUSED: u8 = 2;
pub(crate) const NOT_FOUND: u8 = 3;
pub(crate) const UNREACHABLE: u8 = 4;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Failed(String),
    #[error("{0}")]
    Misused(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Unreachable(String),
}

impl Failure {
    pub(crate) fn of(error: impl Display) -> Self {
        Self::Failed(error.to_string())
    }

    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => FAILED,
            Self::Misused(_) => MISUSED,
            Self::NotFound(_) => NOT_FOUND,
            Self::Unreachable(_) => UNREACHABLE,
        }
    }
}
