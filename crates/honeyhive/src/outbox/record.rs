//! What a session writes to the outbox: plain data, turned into JSON on the delivery thread.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::load::Load;
use crate::attributes::USER_ID;
use crate::enrichment::Enrichment;
use crate::error::StartError;
use crate::model::id::SessionId;
use crate::model::limits::{self, NAME_BYTES, VALUE_BYTES};
use crate::model::object::{ALLOCATION, Bucket, Object, object_bytes};

/// What the delivery thread keeps of a session besides what was recorded, in a table that may be half empty.
const SESSION_BYTES: usize = 1_536;
/// Likewise of an update, which mostly joins others.
const UPDATE_BYTES: usize = size_of::<Enrichment>() + 256;
/// The outputs and metadata of an end become objects there.
const END_BYTES: usize = 2_048;
/// What it keeps of a span besides, in a queue that may be half empty.
const SPAN_BYTES: usize = 2 * size_of::<SpanData>() + 256;

/// One item of the outbox.
#[derive(Debug)]
pub(crate) enum Record {
    /// A session begins.
    Start(Arc<StartRecord>),
    /// Something is added to a session.
    Update(SessionId, Update, Timing),
    /// A session that began here goes on under another id.
    Moved(Arc<StartRecord>, SessionId),
    /// A span that was current where a request came in: it belongs to its session too.
    #[cfg_attr(
        not(feature = "http-server"),
        expect(dead_code, reason = "made by adapters only")
    )]
    Adopted(SpanId, SessionId),
    /// A span that was current where a request came in which is not traced: it is not sent either.
    #[cfg_attr(
        not(feature = "http-server"),
        expect(dead_code, reason = "made by adapters only")
    )]
    Ignored(SpanId),
    /// A request that was linked to this session has ended, or has moved on.
    Ended(SessionId),
    /// A request or a message that only its own instrumentation sees has begun, outside every session.
    Root(Box<Root>),
}

/// The root span of a request or a message outside every session, as it began.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    pub(crate) name: Cow<'static, str>,
    pub(crate) started_at: SystemTime,
}

/// When an update may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// After the usual moment.
    Soon,
    /// With the end of the request: until its spans have arrived, nobody may have created the session.
    WithTheEnd,
    /// After the spans that are on their way: one of them may be the event.
    AfterSpans,
}

/// What is added to a session.
#[derive(Debug)]
pub(crate) enum Update {
    Enrich(Box<Enrichment>),
    End(SessionEnd),
}

impl Update {
    /// True where something went wrong.
    pub(crate) fn has_failed(&self) -> bool {
        match self {
            Self::Enrich(enrichment) => enrichment.error_text().is_some(),
            Self::End(end) => end.error.is_some(),
        }
    }

    /// How long the request or the unit of work was that has ended.
    pub(crate) fn took(&self) -> Duration {
        match self {
            Self::Enrich(_) => Duration::ZERO,
            Self::End(end) => end.duration,
        }
    }

    /// When a request or a unit of work has ended, where this says that.
    pub(crate) fn ended_at(&self) -> Option<SystemTime> {
        match self {
            Self::Enrich(_) => None,
            Self::End(end) => Some(end.ended_at),
        }
    }
}

/// The start of a session, shared between its handles and the delivery thread.
///
/// One is made for every request, so what few sessions have takes no more room in it than a pointer.
#[derive(Debug)]
pub(crate) struct StartRecord {
    pub(crate) id: SessionId,
    /// What it is called until somebody knows better.
    name: Arc<str>,
    settled_name: OnceLock<Arc<str>>,
    pub(crate) inputs: Inputs,
    pub(crate) facts: Option<Box<Facts>>,
    pub(crate) started_at: SystemTime,
    /// The id is one that nobody else can know yet.
    pub(crate) is_fresh: bool,
    /// It will be said when the session ends.
    pub(crate) will_end: bool,
    /// No start is sent: its spans create it.
    pub(crate) by_spans: bool,
    ended: AtomicBool,
    /// Begun by somebody else.
    linked: bool,
    phase: AtomicU8,
    outcome: OnceLock<Result<(), Box<StartError>>>,
    /// The id as text, once somebody asked.
    text: OnceLock<Arc<str>>,
    /// Where the session was moved to.
    moved_to: OnceLock<Box<Moved>>,
}

/// What few sessions begin with.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// `None` for the tracer's own.
    pub(crate) source: Option<Box<str>>,
    pub(crate) metadata: Object,
    pub(crate) user_properties: Object,
}

impl Facts {
    /// Whose session it is.
    #[cfg(feature = "http-server")]
    pub(crate) fn of_user(id: String) -> Self {
        Self {
            user_properties: Object::from_iter([(USER_ID.to_owned(), id.into())]),
            ..Self::default()
        }
    }

    /// `None` where there are none.
    pub(crate) fn boxed(mut self) -> Option<Box<Self>> {
        if let Some(source) = &mut self.source
            && limits::is_over(source, NAME_BYTES)
        {
            *source = limits::cut(source, NAME_BYTES).into();
        }
        let is_empty =
            self.source.is_none() && self.metadata.is_empty() && self.user_properties.is_empty();
        (!is_empty).then(|| Box::new(self))
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + object_bytes(&self.metadata) + object_bytes(&self.user_properties)
    }
}

/// The id that a session goes on under.
#[derive(Debug)]
struct Moved {
    to: SessionId,
    text: OnceLock<Arc<str>>,
}

const HELD: u8 = 0;
const SENT: u8 = 1;
const WITHDRAWN: u8 = 2;

impl StartRecord {
    // A record is large, and a call would copy it.
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
            linked: false,
            phase: AtomicU8::new(HELD),
            outcome: OnceLock::new(),
            text: OnceLock::new(),
            moved_to: OnceLock::new(),
        }
    }

    /// What the session began with, as far as an update can carry it.
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

    /// What a start has to say, for a session that is created by its spans: the request's span carries the inputs of
    /// a request.
    pub(crate) fn as_update(&self) -> Enrichment {
        let mut began_with = self.began_with();
        if !matches!(self.inputs, Inputs::Request(_)) {
            *began_with.bucket_mut(Bucket::Inputs) = self.inputs.to_object();
        }
        began_with
    }

    /// What it is called, as far as that is known by now.
    #[inline]
    pub(crate) fn name(&self) -> &Arc<str> {
        self.settled_name.get().unwrap_or(&self.name)
    }

    /// Says what it is called, once: a start that has not been sent yet goes under that name.
    #[cfg(feature = "http-server")]
    pub(crate) fn settle_name(&self, name: Arc<str>) {
        // Whoever comes later knows no more.
        let _ = self.settled_name.set(name);
    }

    pub(crate) const fn is_linked(&self) -> bool {
        self.linked
    }

    /// It has been said that it ended.
    #[inline]
    pub(crate) fn set_ended(&self) {
        self.ended.store(true, Ordering::Relaxed);
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

    /// A session that exists already and is never started from here.
    pub(crate) fn linked(mut self) -> Self {
        self.linked = true;
        self.phase.store(SENT, Ordering::Release);
        self.settle(Ok(()));
        self
    }

    /// The id under which the session goes now.
    #[inline]
    pub(crate) fn current_id(&self) -> SessionId {
        self.moved_to.get().map_or(self.id, |moved| moved.to)
    }

    /// The same as text, made once.
    pub(crate) fn current_text(&self) -> Arc<str> {
        let shared = |id: SessionId| Arc::from(id.encode(&mut [0; SessionId::LENGTH]) as &str);
        let text = match self.moved_to.get() {
            Some(moved) => moved.text.get_or_init(|| shared(moved.to)),
            None => self.text.get_or_init(|| shared(self.id)),
        };
        Arc::clone(text)
    }

    /// Calls `make` with the same, which need not outlive it: without an allocation.
    #[cfg(feature = "http-server")]
    #[inline]
    pub(crate) fn with_text<T>(&self, make: impl FnOnce(&str) -> T) -> T {
        match self.text.get() {
            Some(text) if self.moved_to.get().is_none() => make(text),
            _ => make(self.current_id().encode(&mut [0; SessionId::LENGTH])),
        }
    }

    /// True for a session that began here and goes on under its first id.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        !self.linked && self.moved_to.get().is_none()
    }

    /// True where no start of ours is coming: the session was begun elsewhere, moved there, or lost. Then
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

    /// The delivery thread is about to send the start; false when it was withdrawn.
    pub(crate) fn take_for_sending(&self) -> bool {
        self.leave_held(SENT) || self.phase.load(Ordering::Acquire) == SENT
    }

    /// The program takes the start back; false when it was sent already.
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

/// The inputs of a session.
#[derive(Debug)]
pub(crate) enum Inputs {
    Object(Object),
    #[cfg_attr(
        not(feature = "http-server"),
        expect(dead_code, reason = "made by adapters only")
    )]
    Request(RequestInputs),
    /// The event of a Lambda invocation, as it came.
    #[cfg(feature = "lambda")]
    Event(EventInputs),
}

impl Inputs {
    #[inline]
    fn bytes(&self) -> usize {
        match self {
            Self::Object(object) => object_bytes(object),
            Self::Request(request) => {
                let user_id = request.user_id.as_ref().map_or(0, |text| text.len());
                request.path.len() + user_id + object_bytes(&request.more)
            }
            #[cfg(feature = "lambda")]
            Self::Event(event) => event.0.len(),
        }
    }

    #[inline]
    fn fit(&mut self) {
        let object = match self {
            Self::Object(object) => object,
            Self::Request(request) => &mut request.more,
            // It is bounded where it comes in.
            #[cfg(feature = "lambda")]
            Self::Event(_) => return,
        };
        if object_bytes(object) > VALUE_BYTES {
            limits::fit_objects([object]);
        }
    }

    pub(crate) fn to_object(&self) -> Object {
        match self {
            Self::Object(object) => object.clone(),
            Self::Request(request) => request.to_object(),
            #[cfg(feature = "lambda")]
            Self::Event(event) => event.to_object(),
        }
    }
}

/// The inputs of an HTTP request's session, as they came: no JSON is made while the request waits.
#[derive(Debug)]
pub(crate) struct RequestInputs {
    pub(crate) method: Cow<'static, str>,
    pub(crate) path: Arc<str>,
    pub(crate) user_id: Option<Box<str>>,
    /// What the program's own callback added.
    pub(crate) more: Object,
}

impl RequestInputs {
    fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.insert("method".to_owned(), self.method.as_ref().into());
        object.insert("path".to_owned(), self.path.as_ref().into());
        if let Some(user_id) = &self.user_id {
            object.insert(USER_ID.to_owned(), user_id.as_ref().into());
        }
        crate::model::object::merge(&mut object, self.more.clone());
        object
    }
}

/// The event of a Lambda invocation, as it came: no JSON is made while the invocation waits.
#[cfg(feature = "lambda")]
pub(crate) struct EventInputs(pub(crate) bytes::Bytes);

#[cfg(feature = "lambda")]
impl EventInputs {
    fn to_object(&self) -> Object {
        // It has been read through before, so it is JSON.
        let event = serde_json::from_slice(&self.0).unwrap_or_default();
        Object::from_iter([("event".to_owned(), event)])
    }
}

#[cfg(feature = "lambda")]
impl std::fmt::Debug for EventInputs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // That of an API gateway has all headers of the request.
        write!(formatter, "EventInputs({} bytes)", self.0.len())
    }
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// To its end.
    Complete,
    /// With an error, before or within the answer.
    Error,
    /// The client went away first.
    #[cfg_attr(
        not(feature = "http-server"),
        expect(dead_code, reason = "made by adapters only")
    )]
    ClientDisconnected,
    /// The handler panicked.
    Panicked,
    /// The work was dropped before its end.
    Cancelled,
    /// Somebody has an answer; whether it is a result or an error could not be seen.
    #[cfg(feature = "lambda")]
    Answered,
}

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Error => "error",
            Self::ClientDisconnected => "client_disconnected",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
            #[cfg(feature = "lambda")]
            Self::Answered => "answered",
        }
    }
}

/// The end of a session.
#[derive(Debug)]
pub(crate) struct SessionEnd {
    pub(crate) ended_at: SystemTime,
    pub(crate) duration: Duration,
    pub(crate) outcome: Outcome,
    pub(crate) status_code: Option<u16>,
    pub(crate) grpc_status: Option<i32>,
    pub(crate) time_to_first_byte: Option<Duration>,
    pub(crate) response_bytes: Option<u64>,
    pub(crate) error: Option<String>,
    /// The session began here and ends here, so this is its own duration.
    pub(crate) whole_session: bool,
}

impl SessionEnd {
    /// Cuts what is too much of it.
    #[inline]
    pub(super) fn fit(&mut self) {
        if let Some(error) = &mut self.error {
            limits::shorten(error, VALUE_BYTES);
        }
    }

    #[inline]
    pub(super) fn load(&self) -> Load {
        Load::one(END_BYTES + self.error.as_ref().map_or(0, String::len))
    }
}

impl Record {
    /// Cuts what is too much of an item of so many bytes; false where that is nothing.
    #[inline]
    pub(super) fn fit(&mut self, bytes: u64) -> bool {
        match self {
            Self::Update(_, Update::Enrich(enrichment), _) if bytes > VALUE_BYTES as u64 => {
                enrichment.fit();
                true
            }
            _ => false,
        }
    }

    /// What the item weighs. A move or an adoption weighs nothing: there is nothing to deliver.
    #[inline]
    pub(crate) fn load(&self) -> Load {
        match self {
            Self::Start(start) => Load::one(start.bytes()),
            Self::Update(_, Update::Enrich(enrichment), _) => {
                Load::one(UPDATE_BYTES + enrichment.bytes())
            }
            Self::Update(_, Update::End(end), _) => end.load(),
            Self::Moved(..)
            | Self::Adopted(..)
            | Self::Ignored(_)
            | Self::Ended(_)
            | Self::Root(_) => Load::default(),
        }
    }
}

/// Cuts what is too much of a span, and says what the rest weighs.
pub(crate) fn fit_span(span: &mut SpanData) -> Load {
    let load = span_load(span);
    if limits::fit_span(span, load.bytes) {
        return span_load(span);
    }
    load
}

/// What a span weighs.
pub(crate) fn span_load(span: &SpanData) -> Load {
    Load::one(span_bytes(span))
}

/// A rough count of the bytes a span holds in memory.
fn span_bytes(span: &SpanData) -> usize {
    let events: usize = span
        .events
        .iter()
        .map(|event| 64 + event.name.len() + attributes_bytes(&event.attributes))
        .sum();
    let links: usize = span
        .links
        .iter()
        .map(|link| 64 + attributes_bytes(&link.attributes))
        .sum();
    // Attributes that were added one by one hold room for more.
    let room = span.attributes.capacity() - span.attributes.len();
    SPAN_BYTES
        + span.name.len()
        + room * size_of::<KeyValue>()
        + attributes_bytes(&span.attributes)
        + events
        + links
}

fn attributes_bytes(attributes: &[KeyValue]) -> usize {
    attributes
        .iter()
        .map(|attribute| size_of::<KeyValue>() + value_bytes(&attribute.value))
        .sum()
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len() + ALLOCATION,
        Value::Array(Array::String(texts)) => texts
            .iter()
            .map(|text| size_of::<StringValue>() + text.as_str().len() + ALLOCATION)
            .sum(),
        Value::Array(Array::I64(numbers)) => numbers.len() * 8,
        Value::Array(Array::F64(numbers)) => numbers.len() * 8,
        Value::Array(Array::Bool(flags)) => flags.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of 20 MiB is cut where it comes in: the wire would cut it only once HoneyHive has refused it.
    #[test]
    fn what_a_session_is_called_where_it_comes_from_and_why_it_failed_are_bounded_at_the_entrance()
    {
        /// The mark of a text that was cut, at the most.
        const MARK: usize = 64;
        let text = || "x".repeat(20 * 1024 * 1024);
        let inputs = Inputs::Object(Object::new());
        let start = StartRecord::new(SessionId::new(), text().into(), inputs, SystemTime::now());
        assert!(start.name().len() <= NAME_BYTES + MARK);
        let facts = Facts {
            source: Some(text().into()),
            ..Facts::default()
        };
        let source = facts.boxed().and_then(|it| it.source).unwrap();
        assert!(source.len() <= NAME_BYTES + MARK);
        let mut end = SessionEnd {
            ended_at: SystemTime::now(),
            duration: Duration::ZERO,
            outcome: Outcome::Error,
            status_code: None,
            grpc_status: None,
            time_to_first_byte: None,
            response_bytes: None,
            error: Some(text()),
            whole_session: true,
        };
        end.fit();
        assert!(end.error.unwrap().len() <= VALUE_BYTES + MARK);
    }
}
