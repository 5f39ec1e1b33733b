//! [`ClientError`] tells why a call has no result.

use std::time::Duration;

use crate::model::causes::debug_as_text;
use crate::secret::KeyKind;
use crate::wire::{ApiFailure, MOST_OF_AN_ANSWER};

debug_as_text!(ClientError);

/// The error tells why a call of the [`Client`](super::Client) has no result. Its `call` is the method and the path. No
/// message holds a key.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The settings have no key of the kind that the call takes. Nothing was sent.
    #[error("{call} takes a {key}, and there is none: set {}", key.variable())]
    #[non_exhaustive]
    MissingKey {
        /// The call has this method and path.
        call: String,
        /// The call takes this kind of key.
        key: KeyKind,
    },
    /// HoneyHive does not allow this key to make the call.
    #[error("HoneyHive refused the {sent} for {call} with status {status}: {message}; {}", right_key(*sent, *takes))]
    #[non_exhaustive]
    Unauthorized {
        /// The call has this method and path.
        call: String,
        /// The key that was sent is of this kind, as far as its form tells.
        sent: KeyKind,
        /// The call takes this kind.
        takes: KeyKind,
        /// The status is 401 or 403.
        status: u16,
        /// HoneyHive's message is shortened.
        message: String,
    },
    /// HoneyHive refused the call, and would do so again.
    #[error("HoneyHive refused {call} with status {status}: {message}{}", project_hint(call, *status))]
    #[non_exhaustive]
    Rejected {
        /// The call has this method and path.
        call: String,
        /// HoneyHive answers with this HTTP status.
        status: u16,
        /// HoneyHive's message is shortened.
        message: String,
    },
    /// HoneyHive did not answer, or is temporarily unable to.
    #[error("HoneyHive gave no answer to {call}: {detail}; {}", patience(*retry_after))]
    #[non_exhaustive]
    Unavailable {
        /// The call has this method and path.
        call: String,
        /// The detail tells how the last attempt failed.
        detail: String,
        /// HoneyHive asks for this wait before the next call.
        retry_after: Option<Duration>,
    },
    /// HoneyHive answered with a success that cannot be read.
    #[error("the answer to {call} cannot be read: {detail}")]
    #[non_exhaustive]
    Unreadable {
        /// The call has this method and path.
        call: String,
        /// The answer has this problem.
        detail: String,
    },
    /// The arguments make no valid call. Nothing was sent.
    #[error("{call} was not sent: {problem}")]
    #[non_exhaustive]
    Invalid {
        /// The call has this method and path.
        call: String,
        /// The call has this problem.
        problem: String,
    },
    /// No prompt of this name is deployed to the environment.
    #[error(
        "HoneyHive has no configuration {name:?} that is deployed to {environment:?}: deploy one there, or check the name"
    )]
    #[non_exhaustive]
    NotDeployed {
        /// The search is for this name.
        name: String,
        /// The search looks in this environment.
        environment: String,
    },
    /// Test mode has runs, and no answer to other calls.
    #[error("{call} has no answer in test mode, which has runs only: ask honeyhive-local instead")]
    #[non_exhaustive]
    TestMode {
        /// The call has this method and path.
        call: String,
    },
    /// The tracer behind the client is shut down, or records nothing.
    #[error("{call} was not made: the tracer is shut down, or was disabled for want of settings")]
    #[non_exhaustive]
    ShutDown {
        /// The call has this method and path.
        call: String,
    },
}

impl ClientError {
    /// Returns the HTTP status of HoneyHive's refusal.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Unauthorized { status, .. } | Self::Rejected { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns true where HoneyHive has no such thing, or no such route (404). Routes of runs answer 400 for an unknown
    /// run.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self.status(), Some(404))
    }

    pub(super) fn of(failure: ApiFailure, call: String, takes: KeyKind) -> Self {
        match failure {
            ApiFailure::MissingKey(key) => Self::MissingKey { call, key },
            ApiFailure::Status {
                status: status @ (401 | 403),
                message,
                sent,
                ..
            } => Self::Unauthorized {
                call,
                sent,
                takes,
                status,
                message,
            },
            ApiFailure::Status {
                status,
                is_transient: true,
                retry_after,
                message,
                ..
            } => Self::Unavailable {
                call,
                detail: format!("status {status}: {message}"),
                retry_after,
            },
            ApiFailure::Status {
                status, message, ..
            } => Self::Rejected {
                call,
                status,
                message,
            },
            ApiFailure::Unanswered { detail, .. } => Self::Unavailable {
                call,
                detail,
                retry_after: None,
            },
            ApiFailure::TooLong => Self::Unreadable {
                call,
                detail: format!(
                    "it has more than {} MiB: ask for less at a time",
                    MOST_OF_AN_ANSWER / 1024 / 1024
                ),
            },
            ApiFailure::TestMode => Self::TestMode { call },
        }
    }
}

fn right_key(sent: KeyKind, takes: KeyKind) -> String {
    let variable = takes.variable();
    if sent == takes {
        format!("check {variable}: is it of this project and deployment, and still valid?")
    } else {
        format!("it takes a {takes}: set {variable} to one")
    }
}

fn project_hint(call: &str, status: u16) -> &'static str {
    let names_project = call.contains(" /v1/projects/");
    if names_project && status == 404 {
        "; is the project's id right, and the data plane key of that project?"
    } else {
        ""
    }
}

fn patience(retry_after: Option<Duration>) -> String {
    match retry_after {
        Some(wait) => format!("try again in {} s", wait.as_secs()),
        None => "try again later".to_owned(),
    }
}
