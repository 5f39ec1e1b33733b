//! The errors of this crate are small enums, one for each thing that can fail.

use std::borrow::Cow;
use std::time::Duration;

use crate::model::causes::debug_as_text;
use crate::report::{DropReason, FlushReport};

debug_as_text!(BuildError, StartError, FlushError, UnknownName);

/// A tracer could not be built. Each message names the setting at fault and never a key's value.
///
/// ```
/// use honeyhive::{BuildError, HoneyHiveTracer};
///
/// let built = HoneyHiveTracer::builder().server_url("api.honeyhive.ai").api_key("hh_key").build();
/// assert!(matches!(built, Err(BuildError::InvalidUrl { .. })));
/// assert!(built.unwrap_err().to_string().starts_with("`.server_url(..)` is not usable as a server URL"));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Neither a key nor test mode is set.
    #[error(
        "no HoneyHive key: set HH_API_KEY (or HH_INGESTION_API_KEY), call `.api_key(..)`, \
         or turn on test mode with HH_TEST_MODE=true or `.test_mode(true)`"
    )]
    MissingApiKey,
    /// Neither a key that the typed client can use nor test mode is set.
    #[cfg(feature = "client")]
    #[error(
        "no key for HoneyHive's API: set HH_API_KEY or call `.api_key(..)`; for calls that name their project set \
         HH_DATA_PLANE_API_KEY or call `.data_plane_api_key(..)`"
    )]
    MissingClientKey,
    /// A key has the wrong shape.
    #[error("{setting} is not usable as a key: {problem}")]
    #[non_exhaustive]
    InvalidKey {
        /// The key came from this setting.
        setting: Cow<'static, str>,
        /// The problem is told without the value.
        problem: &'static str,
    },
    /// The server URL cannot be used.
    #[error(
        "{setting} is not usable as a server URL: {problem}; it should look like https://api.dp1.us.honeyhive.ai"
    )]
    #[non_exhaustive]
    InvalidUrl {
        /// The URL came from this setting.
        setting: Cow<'static, str>,
        /// The URL has this problem.
        problem: &'static str,
    },
    /// The value of a setting is outside the accepted ones.
    #[error("{setting} has a value that cannot be used: expected {expected}")]
    #[non_exhaustive]
    InvalidValue {
        /// The value came from this setting.
        setting: Cow<'static, str>,
        /// The setting takes these values.
        expected: &'static str,
    },
    /// The value of a setting needs a feature that this build does not have.
    #[error(
        "{setting} asks for {value}, which needs the feature `{feature}` of the crate `honeyhive`: \
         add it to the dependency's features in Cargo.toml, or leave the setting out"
    )]
    #[non_exhaustive]
    MissingFeature {
        /// The value came from this setting.
        setting: Cow<'static, str>,
        /// The value needs the feature.
        value: &'static str,
        /// The cargo feature has to be turned on.
        feature: &'static str,
    },
    /// A pattern of the redaction cannot be used.
    #[error("the redaction pattern {pattern:?} cannot be used: {problem}")]
    #[non_exhaustive]
    InvalidPattern {
        /// The pattern is the one that was given.
        pattern: String,
        /// The pattern has this problem.
        problem: String,
    },
    /// The build has no HTTP client, and the program gave none.
    #[error(
        "there is no HTTP client: turn on the features `reqwest` and `rustls` of the crate `honeyhive` (they are among \
         its default features), or give a client with `.http_client(..)`; test mode needs none"
    )]
    MissingHttpClient,
    /// The TLS set-up or the HTTP client failed.
    #[error("the HTTP client could not be set up")]
    #[non_exhaustive]
    HttpClient {
        /// The source is the client's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The delivery thread could not be started.
    #[error("the delivery thread could not be started")]
    #[non_exhaustive]
    DeliveryThread {
        /// The source is the system's error.
        source: std::io::Error,
    },
}

impl BuildError {
    pub(crate) fn http_client(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::HttpClient {
            source: error.into(),
        }
    }
}

/// HoneyHive did not confirm a session.
///
/// The session stays usable: whatever is recorded in it is still delivered as far as possible.
///
/// ```
/// use honeyhive::{HoneyHiveTracer, Session, StartError};
///
/// async fn confirmed(tracer: &HoneyHiveTracer) -> Result<Session, StartError> {
///     tracer.acreate_session("chat").await // HoneyHive has it, or says why not
/// }
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// HoneyHive refused the session, and would do so again.
    #[error("HoneyHive refused the session with status {status}: {message}")]
    #[non_exhaustive]
    Rejected {
        /// HoneyHive answered with this HTTP status.
        status: u16,
        /// HoneyHive's message is shortened.
        message: String,
    },
    /// HoneyHive did not answer in time. The session is still delivered in the background.
    #[error("HoneyHive did not answer ({detail}); the session is still tried in the background")]
    #[non_exhaustive]
    Unconfirmed {
        /// The detail tells the reason, in words.
        detail: String,
    },
    /// The session start was dropped before it could be delivered.
    #[error("the session start was dropped ({reason}); see `HoneyHiveTracer::stats`")]
    #[non_exhaustive]
    Dropped {
        /// The start was dropped for this reason.
        reason: DropReason,
    },
    /// The tracer was shut down first.
    #[error(
        "the tracer was shut down before HoneyHive answered: await the session before the shutdown"
    )]
    ShutDown,
}

/// A flush or a shutdown could not deliver everything that was accepted before it.
///
/// ```
/// use std::time::Duration;
///
/// use honeyhive::{FlushError, HoneyHiveTracer};
///
/// async fn flush(tracer: &HoneyHiveTracer) {
///     match tracer.force_flush(Duration::from_secs(5)).await {
///         Ok(report) => println!("{} delivered", report.delivered),
///         Err(FlushError::TimedOut { report, .. }) => println!("{} are still pending", report.pending),
///         Err(error) => println!("{error}"),
///     }
/// }
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The time of the flush is over. Pending items stay queued and are tried again.
    #[error("{} of the items were still pending after {timeout:?}, {} of them on disk", report.pending, report.spooled)]
    #[non_exhaustive]
    TimedOut {
        /// The flush had this timeout.
        timeout: Duration,
        /// The report tells what became of the items that the flush waited for.
        report: FlushReport,
    },
    /// Some of the items were dropped, and none is pending; `HoneyHiveTracer::stats` has the reasons.
    #[error("{} of the items could not be delivered and were dropped", report.dropped)]
    #[non_exhaustive]
    Dropped {
        /// The report tells what became of the items that the flush waited for.
        report: FlushReport,
    },
    /// The tracer has been shut down, or its delivery thread is gone.
    #[error("the tracer is shut down: flush before the shutdown, which delivers what is left")]
    ShutDown,
}

/// A text is none of the names that a type has, such as [`EventType`](crate::EventType).
///
/// The text itself is not repeated here: it may come from outside.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a name that is known here: write {expected}")]
pub struct UnknownName {
    expected: &'static str,
}

impl UnknownName {
    pub(crate) const fn expected(expected: &'static str) -> Self {
        Self { expected }
    }
}
