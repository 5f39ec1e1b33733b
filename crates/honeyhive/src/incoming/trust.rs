//! [`SessionTrust`]: how far an id that came from outside is trusted.

use std::fmt;
use std::sync::Arc;

use super::guarded;
use crate::model::id::SessionId;
use crate::outbox::Outbox;

/// The longest id that is taken from a request, in bytes.
pub(crate) const LONGEST_ID: usize = 256;

/// How far a session id in a request is trusted. A client that knows an id can write into that session.
///
/// Whatever is chosen: an id that is empty, longer than 256 bytes, sent twice, or has anything but
/// printable ASCII in it counts as absent
/// ([`DeliveryStats::ignored_session_ids`](crate::DeliveryStats::ignored_session_ids)); and what goes
/// back to the client is always the resulting UUID, never the text that came in.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum SessionTrust {
    /// Only well-formed UUIDs are taken.
    Uuid,
    /// UUIDs are taken, other ids are mapped by [`SessionId::from_correlation_id`] (the default).
    #[default]
    Map,
    /// No id is taken: every request is a session of its own.
    Never,
    /// The program decides; see [`SessionTrust::with`].
    Custom(TrustFn),
}

type Decide = dyn Fn(&str) -> Option<SessionId> + Send + Sync;

/// What [`SessionTrust::with`] wraps.
#[derive(Clone)]
pub struct TrustFn(Arc<Decide>);

impl SessionTrust {
    /// The program decides: it can check a signature, or look the id up in memory. It is called while
    /// the request waits, so it must be quick.
    ///
    /// ```
    /// use honeyhive::SessionId;
    /// use honeyhive::http::SessionTrust;
    ///
    /// let trust = SessionTrust::with(|raw| {
    ///     let id = raw.strip_prefix("chat-")?;
    ///     Some(SessionId::from_correlation_id(id))
    /// });
    /// # drop(trust);
    /// ```
    #[must_use]
    pub fn with(decide: impl Fn(&str) -> Option<SessionId> + Send + Sync + 'static) -> Self {
        Self::Custom(TrustFn(Arc::new(decide)))
    }

    /// The session that an id from outside stands for, as far as it is trusted; one that is not is counted.
    pub(crate) fn session_or_count(&self, raw: &str, outbox: &Outbox) -> Option<SessionId> {
        let session = guarded(outbox, || self.session(raw)).flatten();
        if session.is_none() {
            outbox.count_ignored_session_id();
        }
        session
    }

    fn session(&self, raw: &str) -> Option<SessionId> {
        if !is_plausible(raw) {
            return None;
        }
        match self {
            Self::Uuid => raw.parse().ok(),
            Self::Map => Some(SessionId::from_correlation_id(raw)),
            Self::Never => None,
            Self::Custom(decide) => (decide.0)(raw),
        }
    }

    pub(crate) const fn is_never(&self) -> bool {
        matches!(self, Self::Never)
    }
}

fn is_plausible(raw: &str) -> bool {
    (1..=LONGEST_ID).contains(&raw.len()) && raw.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

impl fmt::Debug for SessionTrust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Uuid => "Uuid",
            Self::Map => "Map",
            Self::Never => "Never",
            Self::Custom(_) => "Custom",
        })
    }
}

impl fmt::Debug for TrustFn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TrustFn")
    }
}
