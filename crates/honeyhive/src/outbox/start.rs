//! [`StartRecord`] is the start of a session, shared between its handles and the delivery thread.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use super::experiment::Experiment;
use super::inputs::Inputs;
use super::update::Timing;
#[cfg(feature = "http-server")]
use crate::attributes::USER_ID;
use crate::enrichment::Enrichment;
use crate::error::StartError;
use crate::model::id::SessionId;
use crate::model::limits::{self, NAME_BYTES};
use crate::model::object::{Bucket, Object, object_bytes};

/// The delivery thread keeps this many bytes of a session besides its data, in a table that may be half empty.
const SESSION_BYTES: usize = 1_536;

/// The start of a session is shared between its handles and the delivery thread.
///
/// A record is made for every request, so data that few sessions have take no more room in it than a pointer.
#[derive(Debug)]
pub(crate) struct StartRecord {
    pub(crate) id: SessionId,
    /// The name is preliminary until `settled_name` is set.
    name: Arc<str>,
    settled_name: OnceLock<Arc<str>>,
    pub(crate) inputs: Inputs,
    pub(crate) facts: Option<Box<Facts>>,
    pub(crate) started_at: SystemTime,
    /// The flag tells whether the id is new, so that nobody else can know it yet.
    pub(crate) is_fresh: bool,
    /// The session's end will be recorded.
    pub(crate) will_end: bool,
    /// No start is sent: the session's spans create it.
    pub(crate) by_spans: bool,
    ended: AtomicBool,
    /// The program has said by this handle what went wrong.
    has_error: AtomicBool,
    /// The flag tells whether another process or program part has begun the session.
    linked: bool,
    phase: AtomicU8,
    outcome: OnceLock<Result<(), Box<StartError>>>,
    /// The id is kept as text once that was needed: in a mutex, for the first use of a `OnceLock` takes a hundred
    /// instructions more.
    text: Mutex<Option<Arc<str>>>,
    /// The session has this new id once it was moved.
    moved_to: OnceLock<Box<Moved>>,
}

/// Few sessions begin with these data.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The source is `None` for the tracer's own.
    pub(crate) source: Option<Box<str>>,
    pub(crate) metadata: Object,
    pub(crate) user_properties: Object,
    pub(crate) experiment: Option<Experiment>,
}

impl Facts {
    /// Returns the facts of a user's session.
    #[cfg(feature = "http-server")]
    pub(crate) fn of_user(id: String) -> Self {
        Self {
            user_properties: Object::from_iter([(USER_ID.to_owned(), id.into())]),
            ..Self::default()
        }
    }

    /// Boxes the facts; `None` where there are none.
    pub(crate) fn boxed(mut self) -> Option<Box<Self>> {
        if let Some(source) = &mut self.source
            && limits::is_over(source, NAME_BYTES)
        {
            *source = limits::cut(source, NAME_BYTES).into();
        }
        let is_empty = self.source.is_none()
            && self.experiment.is_none()
            && self.metadata.is_empty()
            && self.user_properties.is_empty();
        (!is_empty).then(|| Box::new(self))
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + object_bytes(&self.metadata) + object_bytes(&self.user_properties)
    }
}

/// A session goes on under this id.
#[derive(Debug)]
struct Moved {
    to: SessionId,
    text: OnceLock<Arc<str>>,
}

const HELD: u8 = 0;
const SENT: u8 = 1;
const WITHDRAWN: u8 = 2;

impl StartRecord {
    // The function is inlined: a record is large, and a call would copy it.
    #[inline(always)]
    pub(crate) fn new(
        id: SessionId,
        mut name: Arc<str>,
        mut inputs: Inputs,
        started_at: SystemTime,
    ) -> Self {
        inputs.fit();
        if limits::is_over(&name, NAME_BYTES) {
            name = limits::cut(&name, NAME_BYTES).into();
        }
        Self {
            id,
            name,
            settled_name: OnceLock::new(),
            inputs,
            facts: None,
            started_at,
            is_fresh: false,
            will_end: false,
            by_spans: false,
            ended: AtomicBool::new(false),
            has_error: AtomicBool::new(false),
            linked: false,
            phase: AtomicU8::new(HELD),
            outcome: OnceLock::new(),
            text: Mutex::new(None),
            moved_to: OnceLock::new(),
        }
    }

    /// Returns the data that the session began with, as far as an update can carry it.
    pub(crate) fn began_with(&self) -> Enrichment {
        let mut enrichment = Enrichment::new();
        if let Some(facts) = &self.facts {
            enrichment
                .bucket_mut(Bucket::Metadata)
                .clone_from(&facts.metadata);
            enrichment
                .bucket_mut(Bucket::UserProperties)
                .clone_from(&facts.user_properties);
        }
        enrichment
    }

    /// Returns the start's data as an update, for a session that is created by its spans: the request's span carries
    /// the inputs of a request.
    pub(crate) fn as_update(&self) -> Enrichment {
        let mut began_with = self.began_with();
        if !matches!(self.inputs, Inputs::Request(_)) {
            *began_with.bucket_mut(Bucket::Inputs) = self.inputs.to_object();
        }
        began_with
    }

    /// Returns the experiment that the session is part of.
    pub(crate) fn experiment(&self) -> Option<&Experiment> {
        self.facts.as_ref()?.experiment.as_ref()
    }

    /// Returns the name, as far as it is known by now.
    #[inline]
    pub(crate) fn name(&self) -> &Arc<str> {
        self.settled_name.get().unwrap_or(&self.name)
    }

    /// Settles the name, once: a start that has not been sent yet goes under it.
    #[cfg(feature = "http-server")]
    pub(crate) fn settle_name(&self, name: Arc<str>) {
        // The first settled name stays.
        let _ = self.settled_name.set(name);
    }

    pub(crate) const fn is_linked(&self) -> bool {
        self.linked
    }

    /// Notes that the session's end was recorded.
    #[inline]
    pub(crate) fn set_ended(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Notes that the program has said what went wrong.
    pub(crate) fn set_error(&self) {
        self.has_error.store(true, Ordering::Relaxed);
    }

    /// Returns true where the program has said what went wrong.
    #[cfg(feature = "http-server")]
    pub(crate) fn has_error(&self) -> bool {
        self.has_error.load(Ordering::Relaxed)
    }

    /// Returns true for a request's session that began here, has a REST start, and whose end was not recorded so far.
    #[inline]
    pub(crate) fn is_under_way(&self) -> bool {
        self.will_end && !self.ended.load(Ordering::Relaxed) && !self.by_spans && self.is_whole()
    }

    #[inline]
    pub(crate) fn timing(&self) -> Timing {
        let goes_on = self.will_end && !self.ended.load(Ordering::Relaxed);
        if goes_on && self.is_left_to_spans() {
            Timing::WithTheEnd
        } else {
            Timing::Soon
        }
    }

    /// Returns the start of a session that exists already and is never started from here.
    pub(crate) fn linked(mut self) -> Self {
        self.linked = true;
        self.phase.store(SENT, Ordering::Release);
        self.settle(Ok(()));
        self
    }

    /// Returns the id under which the session goes now.
    #[inline]
    pub(crate) fn current_id(&self) -> SessionId {
        self.moved_to.get().map_or(self.id, |moved| moved.to)
    }

    /// Returns the current id as text, made once.
    pub(crate) fn current_text(&self) -> Arc<str> {
        let shared = |id: SessionId| Arc::from(id.encode(&mut [0; SessionId::LENGTH]) as &str);
        match self.moved_to.get() {
            Some(moved) => Arc::clone(moved.text.get_or_init(|| shared(moved.to))),
            None => Arc::clone(self.text().get_or_insert_with(|| shared(self.id))),
        }
    }

    /// Calls `make` with the id's text, which need not outlive the call: without an allocation.
    #[cfg(feature = "http-server")]
    #[inline]
    pub(crate) fn with_text<T>(&self, make: impl FnOnce(&str) -> T) -> T {
        let text = self.text().clone();
        match &text {
            Some(text) if self.moved_to.get().is_none() => make(text),
            _ => make(self.current_id().encode(&mut [0; SessionId::LENGTH])),
        }
    }

    #[inline]
    fn text(&self) -> MutexGuard<'_, Option<Arc<str>>> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true for a session that began here and goes on under its first id.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        !self.linked && self.moved_to.get().is_none()
    }

    /// Returns true where no start of ours is coming: the session was begun elsewhere, moved there, or lost. Then
    /// ingestion is asked to create it from its spans, where it does not know it.
    #[inline]
    pub(crate) fn is_left_to_spans(&self) -> bool {
        self.by_spans || !self.is_whole() || matches!(self.outcome(), Some(Err(_)))
    }

    /// Moves the session; false when it was moved before.
    pub(crate) fn move_to(&self, id: SessionId) -> bool {
        let moved = Moved {
            to: id,
            text: OnceLock::new(),
        };
        self.moved_to.set(Box::new(moved)).is_ok()
    }

    /// Takes the start for sending; false when it was withdrawn.
    pub(crate) fn take_for_sending(&self) -> bool {
        self.leave_held(SENT) || self.phase.load(Ordering::Acquire) == SENT
    }

    /// Withdraws the start for the program; false when it was sent already.
    pub(crate) fn withdraw(&self) -> bool {
        self.leave_held(WITHDRAWN)
    }

    pub(crate) fn was_withdrawn(&self) -> bool {
        self.phase.load(Ordering::Acquire) == WITHDRAWN
    }

    fn leave_held(&self, to: u8) -> bool {
        self.phase
            .compare_exchange(HELD, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    pub(crate) fn settle(&self, outcome: Result<(), StartError>) {
        // The first answer stands.
        let _ = self.outcome.set(outcome.map_err(Box::new));
    }

    pub(crate) fn outcome(&self) -> Option<Result<(), &StartError>> {
        let outcome = self.outcome.get()?;
        Some(outcome.as_ref().map(|_| ()).map_err(Box::as_ref))
    }

    #[inline]
    pub(super) fn bytes(&self) -> usize {
        let facts = self.facts.as_ref().map_or(0, |facts| facts.bytes());
        SESSION_BYTES + size_of::<Self>() + self.name.len() + self.inputs.bytes() + facts
    }
}
