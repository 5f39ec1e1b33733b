//! [`SessionTrust`] decides about ids that come from outside.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

#[cfg(feature = "signed-ids")]
use super::SigningKeys;
#[cfg(feature = "http-server")]
use crate::model::id::EventId;
use crate::model::id::SessionId;
use crate::outbox::{Experiment, Outbox};
use crate::panics::guarded;

/// The trust decides about a session id that comes from outside the process: in a header, in baggage, in the event of a
/// Lambda function. A client that knows an id can write into that session.
///
/// Under every choice:
///
/// * an id that is a [placeholder](SessionId#what-is-no-id), is sent twice, or has anything but printable ASCII in it
///   counts as absent, and in [`DeliveryStats::ignored_session_ids`](crate::DeliveryStats::ignored_session_ids) except
///   under `Never`;
/// * the client gets back the resulting UUID (signed, under `Signed`), never the text that it sent.
///
/// The trust is a setting of the tracer ([`session_trust`](crate::HoneyHiveTracerBuilder::session_trust)), and a
/// server's instrumentation can have its own. Baggage that another library has put into the OpenTelemetry context is
/// taken only where the tracer's trust and that of all its instrumentations agree: a span there does not tell which
/// request it belongs to.
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
    /// Only ids that the service has signed are taken; see [`SessionTrust::signed`].
    #[cfg(feature = "signed-ids")]
    #[non_exhaustive]
    Signed(SigningKeys),
    /// The program decides; see [`SessionTrust::with`].
    #[non_exhaustive]
    Custom(TrustFn),
}

type Decide = dyn Fn(&str) -> Option<SessionId> + Send + Sync;

/// The function is the one that [`SessionTrust::with`] wraps.
#[derive(Clone)]
pub struct TrustFn(Arc<Decide>);

impl SessionTrust {
    /// Returns a trust that the program decides by: a function can check a signature, or look the id up in memory. The
    /// function is called while the request waits, so it must be quick.
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

    /// Returns a trust that takes only ids which one of these keys has signed; a server's response header carries its
    /// session's id signed (feature `signed-ids`). The ids of an experiment that come along in baggage are not taken,
    /// since nobody has signed them. An id that is not signed, has expired, or was signed for another tenant counts as
    /// absent: a new session begins, and
    /// [`DeliveryStats::ignored_session_ids`](crate::DeliveryStats::ignored_session_ids) counts it.
    ///
    /// ```
    /// use honeyhive::http::{ServerInstrumentation, SessionTrust};
    /// use honeyhive::SigningKeys;
    ///
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// # let secret = "a secret of the service, 32 bytes or more";
    /// let instrumentation = ServerInstrumentation::builder(tracer)
    ///     .session_trust(SessionTrust::signed(SigningKeys::new(secret)?))
    ///     .build()?;
    /// # drop(instrumentation);
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    #[cfg(feature = "signed-ids")]
    #[must_use]
    pub fn signed(keys: SigningKeys) -> Self {
        Self::Signed(keys)
    }

    /// Returns the keys that sign a server's ids, for the tenant of a request.
    #[cfg(all(feature = "signed-ids", feature = "http-server"))]
    pub(crate) fn signing_keys(&self) -> Option<&SigningKeys> {
        match self {
            Self::Signed(keys) => Some(keys),
            _ => None,
        }
    }

    /// Returns the trust in ids that are signed for a request's tenant; `None` where that is this trust itself, since
    /// it has no keys or the request no tenant.
    #[cfg(all(feature = "signed-ids", feature = "http-server"))]
    pub(crate) fn for_tenant(
        &self,
        outbox: &Outbox,
        tenant: impl FnOnce() -> Option<String>,
    ) -> Option<Self> {
        let keys = self.signing_keys()?;
        match guarded(outbox, tenant) {
            Some(tenant) => Some(Self::signed(keys.for_tenant(&tenant?))),
            // The tenant is unknown after a panic, so ids of any tenant may be meant.
            None => Some(Self::Never),
        }
    }

    /// Returns the session of an id from outside, as far as it is trusted; an untrusted one is counted.
    pub(crate) fn session_or_count(&self, raw: &str, outbox: &Outbox) -> Option<SessionId> {
        self.trusted_or_count(raw, outbox, |mapped| self.session(raw, mapped))
    }

    /// Returns the session that another text beside a trusted id names: a UUID, and under `Map` what is mapped, too.
    /// The text only confirms that id, so nothing is counted.
    #[cfg(feature = "http-server")]
    pub(crate) fn session_beside(&self, raw: &str) -> Option<SessionId> {
        match self {
            Self::Map if is_printable_ascii(raw) => SessionId::checked_from_correlation_id(raw),
            _ => raw.parse().ok(),
        }
    }

    /// Returns the event of an id from outside. Ids of events are UUIDs, so nothing is mapped.
    #[cfg(feature = "http-server")]
    pub(crate) fn event_or_count(&self, raw: &str, outbox: &Outbox) -> Option<EventId> {
        self.trusted_or_count(raw, outbox, |_| self.event(raw))
    }

    /// Returns the session or event that `find` gives for a text, where ids are trusted at all and the text can be one;
    /// an untrusted text is counted. `find` gets the id that the text is mapped to.
    fn trusted_or_count<T>(
        &self,
        raw: &str,
        outbox: &Outbox,
        find: impl FnOnce(SessionId) -> Option<T>,
    ) -> Option<T> {
        if self.is_never() {
            return None;
        }
        let mapped = is_printable_ascii(raw)
            .then(|| SessionId::checked_from_correlation_id(raw))
            .flatten();
        let found = mapped.and_then(|mapped| guarded(outbox, || find(mapped)).flatten());
        if found.is_none() {
            outbox.count_ignored_session_ids(1);
        }
        found
    }

    #[cfg(feature = "http-server")]
    fn event(&self, raw: &str) -> Option<EventId> {
        match self {
            Self::Uuid | Self::Map => raw.parse::<SessionId>().ok(),
            Self::Never => None,
            #[cfg(feature = "signed-ids")]
            Self::Signed(keys) => return keys.verify_event(raw),
            Self::Custom(decide) => (decide.0)(raw),
        }
        .filter(|id| !id.is_none())
        .map(EventId::from)
    }

    fn session(&self, raw: &str, mapped: SessionId) -> Option<SessionId> {
        match self {
            Self::Uuid => raw.parse().ok(),
            Self::Map => Some(mapped),
            Self::Never => None,
            #[cfg(feature = "signed-ids")]
            Self::Signed(keys) => keys.verify(raw).filter(|id| !id.is_none()),
            Self::Custom(decide) => (decide.0)(raw).filter(|id| !id.is_none()),
        }
    }

    /// Returns the experiment that comes along with a trusted session. Under `Signed` none does: the id alone is
    /// signed.
    pub(crate) fn experiment(
        &self,
        sent: impl FnOnce() -> Option<Experiment>,
    ) -> Option<Experiment> {
        self.takes_experiments().then(sent).flatten()
    }

    const fn takes_experiments(&self) -> bool {
        match self {
            Self::Uuid | Self::Map | Self::Never | Self::Custom(_) => true,
            #[cfg(feature = "signed-ids")]
            Self::Signed(_) => false,
        }
    }

    pub(crate) const fn is_never(&self) -> bool {
        matches!(self, Self::Never)
    }
}

fn is_printable_ascii(raw: &str) -> bool {
    raw.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The trusts are those of a tracer, and of its instrumentations that have one of their own.
#[derive(Debug, Default)]
pub(crate) struct Trusts {
    tracer: Arc<SessionTrust>,
    others: Mutex<Vec<Weak<SessionTrust>>>,
}

impl Trusts {
    pub(crate) fn new(tracer: SessionTrust) -> Self {
        Self {
            tracer: Arc::new(tracer),
            others: Mutex::default(),
        }
    }

    pub(crate) const fn of_tracer(&self) -> &Arc<SessionTrust> {
        &self.tracer
    }

    /// Adds the trust of an instrumentation, which counts as long as there is one.
    #[cfg(feature = "http-server")]
    pub(crate) fn add(&self, trust: &Arc<SessionTrust>) {
        if Arc::ptr_eq(trust, &self.tracer) {
            return;
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.retain(|other| other.strong_count() > 0);
        others.push(Arc::downgrade(trust));
    }

    /// Returns the session of an id in a context: the one on which all trusts agree.
    pub(crate) fn session_or_count(&self, raw: &str, outbox: &Outbox) -> Option<SessionId> {
        let id = self.tracer.session_or_count(raw, outbox)?;
        self.others()
            .iter()
            .all(|other| other.session_or_count(raw, outbox) == Some(id))
            .then_some(id)
    }

    /// Returns the experiment of a session in a context, where all trusts take one along.
    pub(crate) fn experiment(
        &self,
        sent: impl FnOnce() -> Option<Experiment>,
    ) -> Option<Experiment> {
        let mut others = self.others().into_iter();
        let takes = others.all(|other| other.takes_experiments());
        takes.then(|| self.tracer.experiment(sent)).flatten()
    }

    fn others(&self) -> Vec<Arc<SessionTrust>> {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.iter().filter_map(Weak::upgrade).collect()
    }
}

impl fmt::Debug for SessionTrust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Uuid => "Uuid",
            Self::Map => "Map",
            Self::Never => "Never",
            #[cfg(feature = "signed-ids")]
            Self::Signed(_) => "Signed",
            Self::Custom(_) => "Custom",
        })
    }
}

impl fmt::Debug for TrustFn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TrustFn")
    }
}
