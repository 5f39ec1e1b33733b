//! What a server was told when it was built.

use std::fmt;

const MIB: usize = 1024 * 1024;

/// The settings that answering a request depends on.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) api_key: Option<ApiKey>,
    pub(crate) v1_routes: bool,
    /// Whether only this machine can reach the server.
    pub(crate) loopback: bool,
    pub(crate) max_body_bytes: usize,
    pub(crate) unknown_updates: UnknownUpdates,
}

/// What becomes of an update whose session or event is not known (yet): HoneyHive's answer is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum UnknownUpdates {
    /// Answered 200 and kept until its target arrives.
    Keep,
    /// Answered 404.
    #[default]
    Refuse,
    /// Answered 200 and forgotten.
    Forget,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_key: None,
            v1_routes: true,
            loopback: true,
            max_body_bytes: 64 * MIB,
            unknown_updates: UnknownUpdates::default(),
        }
    }
}

/// How much is kept before the oldest is dropped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) sessions: usize,
    pub(crate) events: usize,
    pub(crate) requests: usize,
    pub(crate) request_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 10_000,
            events: 100_000,
            requests: 10_000,
            request_bytes: 64 * MIB,
        }
    }
}

/// The bearer key that clients have to send; nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    pub(crate) fn new(key: String) -> Self {
        Self(key)
    }

    pub(crate) fn matches(&self, sent: &str) -> bool {
        self.0 == sent
    }

    /// `text` without the key in it, for everything that is shown.
    pub(crate) fn removed_from(&self, text: String) -> String {
        if self.0.is_empty() || !text.contains(&self.0) {
            return text;
        }
        text.replace(&self.0, "<redacted>")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}
