//! [`ApiCall`] is a call of the typed client, with what comes of it.

use std::time::{Duration, SystemTime};

use http::{Method, Response};
use opentelemetry_http::Bytes;

use super::answer::{Answer, date_of, is_transient, message_of, retry_after};
use super::transport::Unanswered;
use crate::secret::KeyKind;
use crate::settings::Keys;

/// A longer answer, in bytes, is not taken.
pub(crate) const MOST_OF_AN_ANSWER: usize = 64 * 1024 * 1024;

/// The typed client makes such a call.
#[derive(Debug, Clone)]
pub(crate) struct ApiCall {
    pub(crate) method: Method,
    /// The path has its query.
    pub(crate) path: String,
    /// The body is JSON.
    pub(crate) body: Option<Bytes>,
    pub(crate) takes: KeyKind,
    /// One attempt has this timeout.
    pub(crate) timeout: Duration,
    /// The call is repeatable where making it twice is making it once.
    pub(crate) is_repeatable: bool,
}

/// A call of the typed client did not succeed for one of these reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ApiFailure {
    /// The settings have no key of this kind.
    MissingKey(KeyKind),
    /// HoneyHive's answer is no success.
    Status {
        status: u16,
        /// The flag tells whether a further attempt may succeed.
        is_transient: bool,
        retry_after: Option<Duration>,
        message: String,
        /// The call was made with a key of this kind.
        sent: KeyKind,
        /// The time of the answer is by HoneyHive's own clock.
        date: Option<SystemTime>,
    },
    Unanswered {
        detail: String,
        /// HoneyHive may have seen the call.
        may_have_arrived: bool,
    },
    /// The answer has more than [`MOST_OF_AN_ANSWER`].
    TooLong,
    /// The tracer is in test mode, which has no HoneyHive.
    TestMode,
}

impl ApiFailure {
    pub(super) const fn unsent(detail: String) -> Self {
        Self::Unanswered {
            detail,
            may_have_arrived: false,
        }
    }
}

/// Reads the answer of a call.
pub(super) fn read(
    response: Result<Response<Bytes>, Unanswered>,
    keys: &Keys,
    sent: KeyKind,
) -> Result<Answer, ApiFailure> {
    let response = response.map_err(|unanswered| ApiFailure::Unanswered {
        detail: unanswered.detail,
        may_have_arrived: unanswered.may_have_arrived,
    })?;
    let date = date_of(response.headers());
    if response.status().is_success() {
        let body = response.into_body();
        return if body.len() > MOST_OF_AN_ANSWER {
            Err(ApiFailure::TooLong)
        } else {
            Ok(Answer { body, date })
        };
    }
    Err(ApiFailure::Status {
        status: response.status().as_u16(),
        is_transient: is_transient(response.status()),
        retry_after: retry_after(response.headers()),
        message: message_of(&response, keys),
        sent,
        date,
    })
}
