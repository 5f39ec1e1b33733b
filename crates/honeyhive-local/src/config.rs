//! A server has the settings that it was built with.

use std::fmt;
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// `Config` has the settings that answering a request depends on.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) keys: Keys,
    pub(crate) v1_routes: bool,
    /// Whether only this machine can reach the server.
    pub(crate) loopback: bool,
    /// A client has this long to send a request's head, and as long again for its body.
    pub(crate) client_timeout: Duration,
    pub(crate) max_connections: usize,
    /// The host names that requests may ask for besides those of this machine.
    pub(crate) hosts: Vec<String>,
    pub(crate) max_body_bytes: usize,
    pub(crate) unknown_updates: UnknownUpdates,
}

/// The policy decides about an update whose session or event is not known (yet): HoneyHive's answer is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum UnknownUpdates {
    /// The server answers 200 and keeps the update until its target arrives, for an hour at most.
    #[default]
    Keep,
    /// The server answers 404.
    Refuse,
    /// The server answers 200 and forgets the update.
    Forget,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keys: Keys::default(),
            v1_routes: true,
            loopback: true,
            client_timeout: Duration::from_secs(30),
            max_connections: 1024,
            hosts: Vec::new(),
            max_body_bytes: 16 * MIB,
            unknown_updates: UnknownUpdates::default(),
        }
    }
}

/// The oldest data is dropped past these limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) sessions: usize,
    pub(crate) events: usize,
    /// The bytes of sessions, events and records, in memory or on disk.
    pub(crate) bytes: u64,
    pub(crate) requests: usize,
    pub(crate) request_bytes: usize,
}

impl Limits {
    /// A file may grow to this size where nothing is said.
    pub(crate) const FILE_BYTES: u64 = 2 * 1024 * MIB as u64;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 10_000,
            events: 100_000,
            bytes: 64 * MIB as u64,
            requests: 10_000,
            request_bytes: 64 * MIB,
        }
    }
}

/// Clients have to send these keys, by kind; where none is set, any will do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    pub(crate) project: Option<ApiKey>,
    pub(crate) ingestion: Option<ApiKey>,
    pub(crate) data_plane: Option<ApiKey>,
}

impl Keys {
    pub(crate) fn any_is_set(&self) -> bool {
        self.iter().next().is_some()
    }

    /// Removes the keys from `text`, for everything that is shown.
    pub(crate) fn removed_from(&self, text: String) -> String {
        self.iter().fold(text, |text, key| key.removed_from(text))
    }

    fn iter(&self) -> impl Iterator<Item = &ApiKey> {
        let keys = [&self.project, &self.ingestion, &self.data_plane];
        keys.into_iter().flatten()
    }
}

/// An `ApiKey` is a key that clients have to send as a bearer; nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    pub(crate) fn new(key: String) -> Self {
        Self(key)
    }

    pub(crate) fn matches(&self, sent: &str) -> bool {
        // The comparison takes equal time for equal lengths, so that the part of a guess that is right does not show.
        let (key, sent) = (self.0.as_bytes(), sent.as_bytes());
        let differing = key.iter().zip(sent).fold(0, |seen, (a, b)| seen | (a ^ b));
        key.len() == sent.len() && differing == 0
    }

    fn removed_from(&self, text: String) -> String {
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
