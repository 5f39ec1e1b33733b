//! [`Session`] is the handle of a session, and adds to it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::SystemTime;

use super::new_session::NewSession;
use crate::attributes::USER_ID;
use crate::enrichment::{Enrichment, buckets};
use crate::error::StartError;
use crate::log::{self, CallSite, Once};
use crate::model::causes::{error_text, with_causes};
use crate::model::id::SessionId;
use crate::model::id_text;
use crate::model::limits;
use crate::model::object::Object;
use crate::outbox::{Facts, Inputs, Outbox, Record, SessionEnd, StartRecord, Update};
use crate::report::DropReason;

/// A session is a cheap handle (two reference counts) that can go anywhere the work goes.
///
/// A span belongs to the session that is current where the span starts. Make a session current for a
/// block with [`enter`](Self::enter) or [`in_scope`](Self::in_scope), for a future with
/// [`scope`](Self::scope), for a task with [`spawn`](Self::spawn) or [`spawn_in`](Self::spawn_in), for a
/// stream with [`scope_stream`](Self::scope_stream), for a thread with [`wrap`](Self::wrap). A plain
/// `tokio::spawn` or `std::thread::spawn` starts with no session.
///
/// ```
/// use honeyhive::{Enrichment, HoneyHiveTracer, Session};
/// use serde_json::json;
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let session = tracer.create_session("nightly-import");
/// session.in_scope(|| {
///     assert_eq!(Session::current().map(|s| s.id()), Some(session.id()));
/// });
/// session.enrich(Enrichment::new().outputs(json!({"rows": 10_000})));
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Session {
    pub(crate) start: Arc<StartRecord>,
    pub(crate) outbox: Arc<Outbox>,
}

/// Handles are equal where they are clones of one handle, so that a session which [moves](Session::link_to) stays the
/// same key of a map. To ask whether two handles stand for the same session of HoneyHive compare their
/// [`id`](Session::id)s.
impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.start, &other.start)
    }
}

impl Eq for Session {}

impl Hash for Session {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.start).hash(state);
    }
}

/// Shows the id and the name, but no content: content does not belong in a log.
impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("id", &self.id())
            .field("name", self.start.name())
            .finish_non_exhaustive()
    }
}

impl Session {
    #[track_caller]
    pub(crate) fn begin(outbox: &Arc<Outbox>, new: NewSession) -> Self {
        Self::begin_at(outbox, new, CallSite::here())
    }

    /// Begins a session for a call of the program that was made elsewhere: no future knows its caller.
    pub(crate) fn begin_at(outbox: &Arc<Outbox>, mut new: NewSession, site: CallSite) -> Self {
        outbox.count_refused(new.refused);
        outbox.count_ignored_session_ids(new.ignored_ids);
        let is_linked = new.is_link();
        if is_linked && new.name.is_none() {
            new.name = outbox.link_name().map(|name| name.to_string());
        }
        let start = start_record(new, SystemTime::now());
        if is_linked {
            Self::link_at(outbox, start, site)
        } else {
            Self::open_at(outbox, start, site)
        }
    }

    /// Hands a start over.
    #[inline]
    #[cfg(feature = "http-server")]
    #[track_caller]
    pub(crate) fn open(outbox: &Arc<Outbox>, start: StartRecord) -> Self {
        Self::open_at(outbox, start, CallSite::here())
    }

    #[inline]
    fn open_at(outbox: &Arc<Outbox>, start: StartRecord, site: CallSite) -> Self {
        let session = Self::of(outbox, start);
        session.exempt();
        session.hand_over(site);
        session
    }

    fn hand_over(&self, site: CallSite) {
        if self.outbox.is_disabled() {
            self.start.settle(Ok(()));
        }
        if let Err(reason) = self.outbox.push_start(&self.start, site) {
            self.start.settle(Err(match reason {
                DropReason::ShutDown => StartError::ShutDown,
                reason => StartError::Dropped { reason },
            }));
        }
    }

    /// Links to a session that exists: the start's metadata and user properties are merged into it.
    #[cfg(feature = "http-server")]
    #[track_caller]
    pub(crate) fn link(outbox: &Arc<Outbox>, start: StartRecord) -> Self {
        Self::link_at(outbox, start, CallSite::here())
    }

    fn link_at(outbox: &Arc<Outbox>, start: StartRecord, site: CallSite) -> Self {
        let began_with = start.began_with();
        let session = Self::of(outbox, start.linked());
        session.exempt();
        session.enrich_at(began_with, site);
        session
    }

    #[inline]
    pub(super) fn of(outbox: &Arc<Outbox>, start: StartRecord) -> Self {
        Self {
            start: Arc::new(start),
            outbox: Arc::clone(outbox),
        }
    }

    /// Exempts a session of an experiment from sampling.
    #[inline]
    fn exempt(&self) {
        if self.start.experiment().is_some() {
            self.outbox.push(Record::Exempt(self.id()));
        }
    }

    /// Returns the session's id, which changes when the session [moves](Self::link_to).
    #[must_use]
    #[inline]
    pub fn id(&self) -> SessionId {
        self.start.current_id()
    }

    buckets!("session");

    /// Sets the session's error text, of which 64 KiB are kept. For an error with its causes there is
    /// [`fail`](Self::fail).
    #[track_caller]
    pub fn error(&self, text: impl fmt::Display) {
        self.enrich(Enrichment::new().error(error_text(format_args!("{text}"))));
    }

    /// Sets the session's error from an error: its text, and those of its causes.
    ///
    /// ```
    /// # let (tracer, captured) = honeyhive::testing::tracer();
    /// # let session = tracer.create_session("import");
    /// if let Err(error) = std::fs::read("/no/such/file") {
    ///     session.fail(&error);
    /// }
    /// # assert!(captured.only_session().error.as_deref().is_some_and(|it| it.contains("os error")));
    /// ```
    #[track_caller]
    pub fn fail(&self, error: &dyn std::error::Error) {
        self.error(with_causes(error));
    }

    /// Returns false for a session that records nothing: one of a disabled tracer, or that of an adapter's extractor
    /// without a layer.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        !self.outbox.is_disabled()
    }

    /// Sets the session's user: `user_properties.user_id`. A text that is blank, has control characters or more than
    /// 256 bytes is ignored.
    ///
    /// ```
    /// let (tracer, captured) = honeyhive::testing::tracer();
    /// let session = tracer.create_session("support-chat");
    /// session.user("ada");
    /// assert_eq!(captured.only_session().user_properties["user_id"], "ada");
    /// ```
    #[track_caller]
    pub fn user(&self, id: impl AsRef<str>) {
        let id = id.as_ref();
        if Self::may_be_user(&self.outbox, id) {
            let user = Object::from_iter([(USER_ID.to_owned(), id.into())]);
            self.enrich(Enrichment::new().user_properties(user));
        }
    }

    /// Returns whether the program's id of a user is one; another is counted and logged.
    pub(crate) fn may_be_user(outbox: &Outbox, id: &str) -> bool {
        static TOLD: Once = Once::new();
        let is_plain = id_text::is_plain(id);
        if !is_plain {
            outbox.count_refused(1);
            TOLD.warn("a user id was left out, because it is blank, longer than 256 bytes or has control characters in it");
        }
        is_plain
    }

    /// Adds to the session. The call never blocks: the enrichment is merged with earlier ones and delivered in the
    /// background, in order.
    #[track_caller]
    pub fn enrich(&self, enrichment: Enrichment) {
        self.enrich_at(enrichment, CallSite::here());
    }

    fn enrich_at(&self, enrichment: Enrichment, site: CallSite) {
        self.outbox.count_refused(enrichment.refused_count());
        if enrichment.error_text().is_some() {
            self.start.set_error();
        }
        if !enrichment.is_empty() {
            let update = Update::Enrich(Box::new(enrichment));
            let record = Record::Update(self.id(), update, self.start.timing());
            self.outbox.push_at(record, site);
        }
    }

    /// Notes that no more data is coming.
    #[cfg(feature = "http-server")]
    pub(crate) fn has_ended(&self) {
        self.outbox.push(Record::Ended(self.id()));
        self.start.set_ended();
    }

    /// Returns true for a session that began here and goes on under its first id.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        self.start.is_whole()
    }

    /// Records the end of the session.
    #[inline]
    pub(crate) fn end(&self, end: SessionEnd) {
        self.outbox.push_end(&self.start, end);
    }

    /// Moves this session to another id: a chat client often sends its conversation id in the body,
    /// after the request's session has begun.
    ///
    /// Everything later follows: spans, enrichments, the response header. The rest depends on what was sent before:
    ///
    /// * [`Moved::Whole`]: nothing was sent yet, so the provisional session is never created, and its spans and
    ///   enrichments move, too. An update of a session has no inputs, so those of enrichments become `metadata.inputs`,
    ///   and those that the session began with, such as method and path of a request, are lost.
    /// * [`Moved::FromNowOn`]: the first session stays with what was recorded of it, and gets `metadata.moved_to`; its
    ///   spans move as far as they have not been sent.
    /// * [`Moved::Refused`]: the session was moved before, which is possible once, or the id is a
    ///   [placeholder](SessionId#what-is-no-id).
    ///
    /// ```
    /// use honeyhive::{HoneyHiveTracer, Moved};
    ///
    /// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let session = tracer.create_session("POST /chat");
    /// assert_eq!(session.link_to("conversation-7"), Moved::Whole);
    /// assert_eq!(session.id(), "conversation-7".into());
    /// assert_eq!(session.link_to(""), Moved::Refused); // `{"conversation_id": ""}`
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    pub fn link_to(&self, id: impl Into<SessionId>) -> Moved {
        let id = id.into();
        if id.is_none() {
            self.outbox.count_ignored_session_ids(1);
            return Moved::Refused;
        }
        let before = self.id();
        if before == id {
            return Moved::Whole;
        }
        if !self.start.move_to(id) {
            log::debug("a session can be moved once; it stays where it is");
            return Moved::Refused;
        }
        if self.start.is_linked() {
            self.outbox.push(Record::Ended(before));
        }
        self.usage_moves(before, id);
        let withdrawn = self.start.withdraw();
        self.outbox.push(Record::Moved(Arc::clone(&self.start), id));
        if withdrawn {
            Moved::Whole
        } else {
            Moved::FromNowOn
        }
    }
}

pub(super) fn start_record(new: NewSession, started_at: SystemTime) -> StartRecord {
    let (is_fresh, is_link) = (new.id.is_none(), new.is_link());
    let id = new.id.unwrap_or_else(SessionId::new);
    let name = new.name.filter(|name| !name.trim().is_empty());
    let name = name.map_or_else(|| default_name(id), Arc::from);
    let mut start = StartRecord::new(id, name, Inputs::Object(new.inputs), started_at);
    let mut facts = Facts {
        source: new.source.map(String::into_boxed_str),
        metadata: new.metadata,
        user_properties: new.user_properties,
        experiment: new.experiment,
    };
    if let (false, Some(experiment)) = (is_link, &facts.experiment) {
        let ids = experiment.ids();
        facts
            .metadata
            .extend(ids.map(|(name, id)| (name.to_owned(), id.as_ref().into())));
    }
    limits::fit_objects([&mut facts.metadata, &mut facts.user_properties]);
    start.facts = facts.boxed();
    start.is_fresh = is_fresh;
    start
}

/// Returns `session-` and the first eight characters of the id, as the official SDK names them.
fn default_name(id: SessionId) -> Arc<str> {
    let mut buffer = [0; SessionId::LENGTH];
    format!("session-{}", &id.encode(&mut buffer)[..8]).into()
}

/// The result of a move tells how much of the session has moved; see [`Session::link_to`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moved {
    /// The whole session moved: nothing had been sent under the first id.
    Whole,
    /// The session moved from now on: the first session exists in HoneyHive already, with the data that was sent
    /// before.
    FromNowOn,
    /// The session did not move: it was moved before, or the given id is a [placeholder](SessionId#what-is-no-id).
    Refused,
}
