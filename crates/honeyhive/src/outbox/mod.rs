//! The outbox: a bounded queue between the code that records and the thread that delivers.
//!
//! A push takes one short lock, never waits and never wakes the delivery thread, unless a whole batch
//! has gathered. Every item that was ever offered is accounted for, under that same lock:
//! `accepted = delivered + pending + dropped`.

mod alarm;
mod bounds;
mod closing;
mod command;
mod flushed;
mod life;
mod load;
mod record;
pub(crate) mod strays;
pub(crate) mod wait;

use std::fmt;
use std::panic::RefUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracer;
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::Notify;

pub(crate) use bounds::{Bounds, WAKE_FOR_DISK};
pub(crate) use command::{Command, Reply};
pub(crate) use flushed::Flushed;
pub(crate) use life::Closed;
use life::Life;
pub(crate) use load::{Load, Medium};
#[cfg(feature = "lambda")]
pub(crate) use record::EventInputs;
#[cfg(feature = "http-server")]
pub(crate) use record::RequestInputs;
pub(crate) use record::{
    Facts, Inputs, Outcome, Record, Root, SessionEnd, StartRecord, Timing, Update, fit_span,
    span_load,
};

use crate::error::FlushError;
use crate::log::{self, CallSite};
use crate::model::id::SessionId;
use crate::owners::Member;
use crate::report::{DeliveryStats, DropReason, Drops, FlushReport};
use crate::settings::DropPolicy;
use strays::Strays;
use wait::Waited;

/// So many items in the inbox are worth waking the delivery thread for.
pub(crate) const BATCH: usize = 512;

/// What has gathered since the delivery thread last looked.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) records: Vec<Record>,
    pub(crate) spans: Vec<SpanData>,
    pub(crate) commands: Vec<Command>,
}

impl Inbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.spans.is_empty() && self.commands.is_empty()
    }

    /// Gives back the room of an unusual burst.
    pub(crate) fn shrink(&mut self) {
        const USUAL: usize = 16 * BATCH;
        self.records.shrink_to(USUAL);
        self.spans.shrink_to(USUAL);
    }
}

#[derive(Debug, Default)]
struct Queue {
    inbox: Inbox,
    /// The delivery thread has been woken to make room.
    is_asked_for_room: bool,
    /// Nothing more is accepted.
    closed: bool,
    /// Nobody reads commands any more.
    abandoned: bool,
    accepted: u64,
    delivered: u64,
    /// In memory.
    pending: Load,
    /// Items on disk.
    spooled: u64,
    /// Files of the spool that could not be read.
    set_aside: u64,
    dropped: Drops,
    retried: u64,
}

/// The queue, shared by the tracer, its sessions, its span processor and the delivery thread.
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    wake: Notify,
    bounds: Bounds,
    refused: AtomicU64,
    ignored_session_ids: AtomicU64,
    callback_panics: AtomicU64,
    redacted: AtomicU64,
    /// What makes the spans of whoever has nothing but a session. Weak: a tracer owns its provider, which
    /// owns the processor, which owns this, and none of them should keep the tracer.
    tracer: OnceLock<Weak<SdkTracer>>,
    member: Member,
    strays: Strays,
    life: Life,
    /// Nothing is recorded, since the settings are missing.
    is_disabled: bool,
    /// Nothing leaves the process.
    is_local: bool,
    answer_timeout: Duration,
    /// The name of a linked session that nobody has named; `None` for one made of its id.
    link_name: Option<Arc<str>>,
    /// Losses are said on stderr where nobody listens.
    speaks_at_the_end: bool,
    /// Texts that go to models and come from them are sent.
    captures_content: bool,
}

/// Its counts: what is pending belongs to the program's users.
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
            tracer: OnceLock::new(),
            member,
            strays: Strays::default(),
            life: Life::default(),
            is_disabled: false,
            is_local: false,
            answer_timeout: Duration::ZERO,
            link_name: None,
            speaks_at_the_end: true,
            captures_content: true,
        }
    }

    /// One that takes nothing, and counts nothing.
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

    /// How long somebody may wait for the answer to a start.
    pub(crate) const fn answering_within(mut self, timeout: Duration) -> Self {
        self.answer_timeout = timeout;
        self
    }

    pub(crate) const fn answer_timeout(&self) -> Duration {
        self.answer_timeout
    }

    /// Sets the name of linked sessions that nobody has named.
    pub(crate) fn calls_links(mut self, name: Option<Arc<str>>) -> Self {
        self.link_name = name;
        self
    }

    pub(crate) const fn link_name(&self) -> Option<&Arc<str>> {
        self.link_name.as_ref()
    }

    /// Whether what it delivers stays in the process.
    pub(crate) const fn local(mut self, is_local: bool) -> Self {
        self.is_local = is_local;
        self
    }

    /// Whether texts that go to models and come from them are sent.
    pub(crate) const fn captures_content(mut self, captures: bool) -> Self {
        self.captures_content = captures;
        self
    }

    /// Texts that go to models and come from them stay in the process.
    pub(crate) const fn hides_content(&self) -> bool {
        !self.captures_content
    }

    /// Whether losses are said on stderr where nobody listens.
    pub(crate) const fn speaks_at_the_end(mut self, speaks: bool) -> Self {
        self.speaks_at_the_end = speaks;
        self
    }

    pub(crate) const fn is_disabled(&self) -> bool {
        self.is_disabled
    }

    pub(crate) const fn strays(&self) -> &Strays {
        &self.strays
    }

    /// Which tracer of the process this is.
    pub(crate) const fn member(&self) -> &Member {
        &self.member
    }

    pub(crate) fn set_tracer(&self, tracer: &Arc<SdkTracer>) {
        // An outbox has one tracer, made right after it.
        let _ = self.tracer.set(Arc::downgrade(tracer));
    }

    /// The tracer of this outbox, while a handle to it is left.
    pub(crate) fn tracer(&self) -> Option<Arc<SdkTracer>> {
        self.tracer.get()?.upgrade()
    }

    /// Counts something that the delivery thread itself has to deliver, after a shutdown too.
    pub(crate) fn accept_late(&self, load: Load) {
        let mut queue = self.lock();
        queue.accepted += load.items;
        queue.pending.add(load);
    }

    /// Hands a session's update over. Never blocks; what does not fit is dropped and counted.
    #[inline]
    #[track_caller]
    pub(crate) fn push(&self, mut record: Record) {
        if self.is_disabled {
            return;
        }
        let mut load = record.load();
        if record.fit(load.bytes) {
            load = record.load();
        }
        // What is refused is counted, and nobody waits for it.
        match self.admit(load) {
            Ok(mut queue) => {
                queue.inbox.records.push(record);
                self.admitted(queue);
            }
            Err(DropReason::ShutDown) if load.items > 0 => {
                let what = format_args!("what was added to a session");
                self.expect_open(what, CallSite::here());
            }
            Err(_) => {}
        }
    }

    /// Hands a session's start over, likewise, and says so where it was dropped.
    #[inline]
    #[track_caller]
    pub(crate) fn push_start(&self, start: &Arc<StartRecord>) -> Result<(), DropReason> {
        if self.is_disabled {
            return Ok(());
        }
        match self.admit(Load::one(start.bytes())) {
            Ok(mut queue) => {
                queue.inbox.records.push(Record::Start(Arc::clone(start)));
                self.admitted(queue);
                Ok(())
            }
            Err(reason) => {
                let what = format_args!("the session {:?}", start.name());
                self.expect_open(what, CallSite::here());
                Err(reason)
            }
        }
    }

    /// Hands a session's end over, likewise.
    #[inline]
    pub(crate) fn push_end(&self, session: SessionId, mut end: SessionEnd, timing: Timing) {
        if self.is_disabled {
            return;
        }
        end.fit();
        if let Ok(mut queue) = self.admit(end.load()) {
            let end = Update::End(end);
            queue
                .inbox
                .records
                .push(Record::Update(session, end, timing));
            self.admitted(queue);
        }
    }

    /// Hands a finished span over, likewise. [`fit_span`] has said what it weighs: a span is large, and whoever changes
    /// one that was handed over moves it first.
    #[inline]
    pub(crate) fn push_span(&self, span: SpanData, load: Load) {
        match self.admit(load) {
            Ok(mut queue) => {
                queue.inbox.spans.push(span);
                self.admitted(queue);
            }
            Err(_) => self.ended_too_late(&span),
        }
    }

    /// Counts what is offered, and where there is room, lets it in. It is not handed over, so that it need not be
    /// moved once more.
    #[inline]
    fn admit(&self, load: Load) -> Result<MutexGuard<'_, Queue>, DropReason> {
        let mut queue = self.lock();
        queue.accepted += load.items;
        if let Some(reason) = self.refusal(&queue, load) {
            *queue.dropped.of_mut(reason) += load.items;
            return Err(reason);
        }
        queue.pending.add(load);
        Ok(queue)
    }

    /// What was admitted is in the inbox.
    #[inline]
    fn admitted(&self, mut queue: MutexGuard<'_, Queue>) {
        let gathered = queue.inbox.records.len() + queue.inbox.spans.len();
        let fills_up =
            !queue.is_asked_for_room && self.bounds.are_nearly_reached_with(queue.pending);
        queue.is_asked_for_room |= fills_up;
        drop(queue);
        if gathered == BATCH || fills_up {
            self.wake.notify_one();
        }
    }

    #[inline]
    fn refusal(&self, queue: &Queue, load: Load) -> Option<DropReason> {
        // What weighs nothing says what becomes of items that are here already.
        if queue.closed && (load.items > 0 || queue.abandoned) {
            return Some(DropReason::ShutDown);
        }
        // A record that weighs nothing takes no room.
        let full = load.items > 0 && self.bounds.are_passed_by(queue.pending, load);
        full.then_some(DropReason::QueueFull)
    }

    /// How much of what has waited longest has to go, so that what comes finds room.
    pub(crate) fn excess(&self) -> Option<Load> {
        self.bounds.excess_of(self.lock().pending)
    }

    /// Takes all that has gathered, and leaves the room of an emptied inbox.
    pub(crate) fn take(&self, inbox: &mut Inbox) {
        // Here the delivery thread comes again and again.
        log::replay();
        let mut queue = self.lock();
        queue.is_asked_for_room = false;
        std::mem::swap(&mut queue.inbox, inbox);
    }

    /// True while something waits to be taken.
    pub(crate) fn has_gathered(&self) -> bool {
        !self.lock().inbox.is_empty()
    }

    /// Asks the delivery thread for something, and wakes it. Where there is no such thread any more
    /// the command is dropped, and its reply with it.
    pub(crate) fn command(&self, command: Command) {
        let mut queue = self.lock();
        if !queue.abandoned {
            queue.inbox.commands.push(command);
            drop(queue);
            self.wake.notify_one();
        }
    }

    /// Resolves once a whole batch has gathered or a command has come.
    pub(crate) async fn wake(&self) {
        self.wake.notified().await;
    }

    /// The delivery thread is gone: whatever is still pending is lost, and said to be.
    pub(crate) fn abandon(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.abandoned = true;
        let left = queue.pending;
        queue.dropped.shut_down += left.items;
        queue.pending = Load::default();
        let inbox = std::mem::take(&mut queue.inbox);
        // Replies run the program's wakers: not under our lock.
        drop(queue);
        drop(inbox);
    }

    pub(crate) fn delivered(&self, load: Load, from: Medium) {
        let mut queue = self.lock();
        queue.delivered += load.items;
        queue.release(load, from);
    }

    pub(crate) fn dropped(&self, load: Load, from: Medium, reason: DropReason) {
        let mut queue = self.lock();
        *queue.dropped.of_mut(reason) += load.items;
        queue.release(load, from);
    }

    /// The items were taken back by the program before anything was sent: as if never offered.
    pub(crate) fn withdrawn(&self, load: Load) {
        let mut queue = self.lock();
        queue.accepted -= load.items;
        queue.release(load, Medium::Memory);
    }

    /// The items have gone from memory to disk.
    pub(crate) fn spooled(&self, load: Load) {
        let mut queue = self.lock();
        queue.release(load, Medium::Memory);
        queue.spooled += load.items;
    }

    /// Another process had accepted them, and has left them on disk.
    pub(crate) fn accept_spooled(&self, items: u64) {
        let mut queue = self.lock();
        queue.accepted += items;
        queue.spooled += items;
    }

    pub(crate) fn count_set_aside(&self, files: u64) {
        self.lock().set_aside += files;
    }

    /// How much of the room in memory is taken once so much has left it, from 0 to 1.
    pub(crate) fn fullness_without(&self, leaving: Load) -> f64 {
        let mut pending = self.lock().pending;
        pending.items = pending.items.saturating_sub(leaving.items);
        pending.bytes = pending.bytes.saturating_sub(leaving.bytes);
        self.bounds.fullness(pending)
    }

    pub(crate) fn count_retry(&self) {
        self.lock().retried += 1;
    }

    pub(crate) fn count_refused(&self, count: u32) {
        if count > 0 {
            self.refused.fetch_add(u64::from(count), Ordering::Relaxed);
        }
    }

    /// Counts ids that count as absent. The first is said in the log, and never what it was: it may come from outside.
    pub(crate) fn count_ignored_session_ids(&self, count: u32) {
        if count > 0
            && self
                .ignored_session_ids
                .fetch_add(u64::from(count), Ordering::Relaxed)
                == 0
        {
            log::warn(
                "a session id counts as absent, because it is not one that is trusted or says nothing (blank, `undefined`, \
                 `null`, over 256 bytes, control characters); `stats().ignored_session_ids` counts further cases",
            );
        }
    }

    pub(crate) fn count_callback_panic(&self) {
        self.callback_panics.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_redacted(&self, values: u64) {
        if values > 0 {
            self.redacted.fetch_add(values, Ordering::Relaxed);
        }
    }

    /// What a flush has come to.
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

    pub(crate) fn stats(&self) -> DeliveryStats {
        let queue = self.lock();
        DeliveryStats {
            accepted: queue.accepted,
            delivered: queue.delivered,
            pending: queue.pending.items + queue.spooled,
            spooled: queue.spooled,
            set_aside: queue.set_aside,
            pending_bytes: queue.pending.bytes,
            dropped: queue.dropped,
            retried: queue.retried,
            refused: self.refused.load(Ordering::Relaxed),
            ignored_session_ids: self.ignored_session_ids.load(Ordering::Relaxed),
            callback_panics: self.callback_panics.load(Ordering::Relaxed),
            redacted: self.redacted.load(Ordering::Relaxed),
        }
    }

    /// Nothing inside the lock can panic half-way, so a poisoned lock is still consistent.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn release(&mut self, load: Load, from: Medium) {
        match from {
            Medium::Memory => {
                self.pending.items -= load.items;
                self.pending.bytes -= load.bytes;
            }
            Medium::Disk => self.spooled -= load.items,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrichment::Enrichment;

    fn update() -> Record {
        Record::Update(
            SessionId::new(),
            Update::Enrich(Box::new(Enrichment::new().error("x"))),
            Timing::Soon,
        )
    }

    fn outbox(items: usize, bytes: usize) -> Outbox {
        Outbox::new(Bounds::new(items, bytes, DropPolicy::Newest, false))
    }

    fn balanced(outbox: &Outbox) -> DeliveryStats {
        let stats = outbox.stats();
        assert_eq!(
            stats.accepted,
            stats.delivered + stats.pending + stats.dropped.total()
        );
        stats
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let outbox = outbox(2, usize::MAX);
        for _ in 0..3 {
            outbox.push(update());
        }
        let stats = balanced(&outbox);
        assert_eq!(
            (stats.accepted, stats.pending, stats.dropped.queue_full),
            (3, 2, 1)
        );
    }

    #[test]
    fn the_bytes_bound_holds() {
        let size = update().load().bytes as usize;
        let outbox = outbox(100, size * 2);
        for _ in 0..3 {
            outbox.push(update());
        }
        let stats = balanced(&outbox);
        assert_eq!((stats.pending, stats.dropped.queue_full), (2, 1));
        assert!(stats.pending_bytes <= size as u64 * 2);
    }

    #[test]
    fn a_closed_outbox_counts_what_comes_too_late() {
        let outbox = outbox(2, usize::MAX);
        outbox.close(Closed::LastHandle);
        outbox.push(update());
        assert_eq!(balanced(&outbox).dropped.shut_down, 1);
    }
}
