//! The outbox is a bounded queue between the code that records and the thread that delivers.
//!
//! A push takes one short lock, never waits and never wakes the delivery thread, unless a whole batch
//! has gathered. Every item that was ever offered is accounted for, under that same lock:
//! `accepted = delivered + pending + dropped`.

mod accounts;
mod alarm;
mod bounds;
mod closing;
mod command;
mod entrance;
mod experiment;
mod flushed;
mod inputs;
mod life;
mod lifeline;
mod load;
mod queue;
mod record;
mod run;
mod start;
pub(crate) mod strays;
mod update;
pub(crate) mod wait;
mod weight;

use std::fmt;
use std::panic::RefUnwindSafe;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracer;
use tokio::sync::Notify;

pub(crate) use bounds::{Bounds, WAKE_FOR_DISK};
#[cfg(feature = "client")]
pub(crate) use command::Asked;
pub(crate) use command::{Command, Reply};
pub(crate) use experiment::Experiment;
pub(crate) use flushed::Flushed;
#[cfg(feature = "lambda")]
pub(crate) use inputs::EventInputs;
pub(crate) use inputs::Inputs;
#[cfg(feature = "http-server")]
pub(crate) use inputs::RequestInputs;
pub(crate) use life::Closed;
use life::Life;
pub(crate) use lifeline::{LAST_FLUSH, Lifeline};
pub(crate) use load::{Load, Medium};
#[cfg(test)]
pub(crate) use queue::BATCH;
pub(crate) use queue::Inbox;
use queue::Queue;
pub(crate) use record::{Record, Root, RootEnd, SpanWent};
#[cfg(any(feature = "evaluate", test))]
pub(crate) use run::RunUnderway;
pub(crate) use start::{Facts, StartRecord};
pub(crate) use update::{Outcome, SessionEnd, Timing, Update};
pub(crate) use weight::{fit_span, span_load};

use crate::budget::{Counters, SessionBudget};
use crate::error::FlushError;
use crate::log;
use crate::owners::Member;
use crate::report::FlushReport;
use crate::settings::DropPolicy;
use strays::Strays;
use wait::Waited;

/// The outbox is shared by the tracer, its sessions, its span processor and the delivery thread.
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    wake: Notify,
    bounds: Bounds,
    refused: AtomicU64,
    ignored_session_ids: AtomicU64,
    callback_panics: AtomicU64,
    redacted: AtomicU64,
    filtered_spans: AtomicU64,
    /// The tracer makes spans for code that has nothing but a session. The reference is weak: the tracer owns its
    /// provider, which owns the processor, which owns the outbox, and none of them should keep the tracer alive.
    tracer: OnceLock<Weak<SdkTracer>>,
    member: Member,
    strays: Strays,
    life: Life,
    /// Nothing is recorded, since the settings are missing.
    is_disabled: bool,
    /// Nothing leaves the process.
    is_local: bool,
    answer_timeout: Duration,
    /// A linked session without a name gets this one; `None` stands for one made of the id.
    link_name: Option<Arc<str>>,
    /// The flag tells whether losses are printed on stderr where no subscriber listens.
    may_speak: bool,
    /// Texts that go to models and come from them are sent.
    captures_content: bool,
    /// So many experiments run in this process.
    runs: AtomicUsize,
    /// The end of this many requests has not been recorded yet.
    requests: AtomicU64,
    /// The usage of sessions is counted where the program has a budget for them.
    counters: Option<Box<Counters>>,
    #[cfg(feature = "client")]
    turns: tokio::sync::Semaphore,
}

/// So many calls of the typed client at the most are under way at a time.
#[cfg(feature = "client")]
const ASKING_WIDTH: usize = 16;

/// Shows the counts, but no items: those belong to the program's users.
impl fmt::Debug for Outbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Outbox")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A panic in the program cannot leave an outbox half-changed: nothing of the program's runs under its lock.
impl RefUnwindSafe for Outbox {}

impl Outbox {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self::of(bounds, Member::new())
    }

    fn of(bounds: Bounds, member: Member) -> Self {
        Self {
            queue: Mutex::default(),
            wake: Notify::new(),
            bounds,
            refused: AtomicU64::new(0),
            ignored_session_ids: AtomicU64::new(0),
            callback_panics: AtomicU64::new(0),
            redacted: AtomicU64::new(0),
            filtered_spans: AtomicU64::new(0),
            tracer: OnceLock::new(),
            member,
            strays: Strays::default(),
            life: Life::default(),
            is_disabled: false,
            is_local: false,
            answer_timeout: Duration::ZERO,
            link_name: None,
            may_speak: true,
            captures_content: true,
            runs: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            counters: None,
            #[cfg(feature = "client")]
            turns: tokio::sync::Semaphore::new(ASKING_WIDTH),
        }
    }

    /// Returns an outbox that takes nothing, and counts nothing.
    pub(crate) fn disabled() -> Self {
        let bounds = Bounds::new(0, 0, DropPolicy::Newest, false);
        let mut outbox = Self::of(bounds, Member::nobody());
        outbox.is_disabled = true;
        outbox
            .queue
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .abandoned = true;
        outbox
    }

    /// Sets the longest time that a caller waits for the answer to a start.
    pub(crate) const fn answering_within(mut self, timeout: Duration) -> Self {
        self.answer_timeout = timeout;
        self
    }

    pub(crate) const fn answer_timeout(&self) -> Duration {
        self.answer_timeout
    }

    /// Sets the name of linked sessions without a name.
    pub(crate) fn calls_links(mut self, name: Option<Arc<str>>) -> Self {
        self.link_name = name;
        self
    }

    pub(crate) const fn link_name(&self) -> Option<&Arc<str>> {
        self.link_name.as_ref()
    }

    /// Sets whether deliveries stay in the process.
    pub(crate) const fn local(mut self, is_local: bool) -> Self {
        self.is_local = is_local;
        self
    }

    /// Returns true where nothing goes to HoneyHive.
    #[cfg(feature = "evaluate")]
    pub(crate) const fn is_local(&self) -> bool {
        self.is_local
    }

    /// Sets whether texts that go to models and come from them are sent.
    pub(crate) const fn captures_content(mut self, captures: bool) -> Self {
        self.captures_content = captures;
        self
    }

    /// Returns true where texts that go to models and come from them stay in the process.
    pub(crate) const fn hides_content(&self) -> bool {
        !self.captures_content
    }

    /// Counts the usage of sessions, where there is a budget.
    pub(crate) fn counts_for(mut self, budget: Option<SessionBudget>) -> Self {
        self.counters = budget.map(|budget| Box::new(Counters::new(budget)));
        self
    }

    #[inline]
    pub(crate) fn counters(&self) -> Option<&Counters> {
        self.counters.as_deref()
    }

    /// Sets whether losses are printed on stderr where no subscriber listens.
    pub(crate) const fn speaking(mut self, speaks: bool) -> Self {
        self.may_speak = speaks;
        self
    }

    pub(crate) const fn may_speak(&self) -> bool {
        self.may_speak
    }

    pub(crate) const fn is_disabled(&self) -> bool {
        self.is_disabled
    }

    pub(crate) const fn strays(&self) -> &Strays {
        &self.strays
    }

    /// Returns the tracer's number within the process.
    pub(crate) const fn member(&self) -> &Member {
        &self.member
    }

    pub(crate) fn set_tracer(&self, tracer: &Arc<SdkTracer>) {
        // An outbox has one tracer, made right after it.
        let _ = self.tracer.set(Arc::downgrade(tracer));
    }

    /// Returns the tracer of this outbox, while a handle to it is left.
    pub(crate) fn tracer(&self) -> Option<Arc<SdkTracer>> {
        self.tracer.get()?.upgrade()
    }

    /// Takes all that has gathered, and leaves the room of an emptied inbox.
    pub(crate) fn take(&self, inbox: &mut Inbox) {
        // The delivery thread comes by regularly, so late subscribers get the kept lines.
        log::replay();
        let mut queue = self.lock();
        queue.is_asked_for_room = false;
        std::mem::swap(&mut queue.inbox, inbox);
    }

    /// Returns true while something waits to be taken.
    pub(crate) fn has_gathered(&self) -> bool {
        !self.lock().inbox.is_empty()
    }

    /// Sends a command to the delivery thread, and wakes it. If the thread has ended, the command is dropped, and its
    /// reply with it.
    pub(crate) fn command(&self, command: Command) {
        let mut queue = self.lock();
        if !queue.abandoned {
            queue.inbox.commands.push(command);
            drop(queue);
            self.wake.notify_one();
        }
    }

    /// Has the delivery thread make a call of the typed client, as [`command`](Self::command) does.
    #[cfg(feature = "client")]
    pub(crate) fn ask(&self, asked: Asked) {
        let mut queue = self.lock();
        if !queue.abandoned {
            queue.inbox.calls.push(asked);
            drop(queue);
            self.wake.notify_one();
        }
    }

    /// Resolves once the caller may make its call: the number of calls of the typed client under way is limited.
    #[cfg(feature = "client")]
    pub(crate) async fn turn(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    /// Returns how full memory is, from 0 to 1.
    pub(crate) fn fullness(&self) -> f64 {
        self.fullness_without(Load::default())
    }

    /// Resolves once a whole batch has gathered or a command has come.
    pub(crate) async fn wake(&self) {
        self.wake.notified().await;
    }

    /// Returns the result of a flush.
    pub(crate) fn flushed(&self, waited: Waited<Flushed>, timeout: Duration) -> Flushed {
        match waited {
            Waited::Answered(flushed) => flushed,
            Waited::Gone => Err(FlushError::ShutDown),
            Waited::Late => Err(FlushError::TimedOut {
                timeout,
                report: FlushReport {
                    pending: self.stats().pending,
                    ..FlushReport::default()
                },
            }),
        }
    }

    /// Locks the queue: nothing inside can panic half-way, so a poisoned lock is still consistent.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
