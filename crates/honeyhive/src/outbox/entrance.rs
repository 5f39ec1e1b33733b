//! The entrance takes records and spans: each push takes one short lock, never waits, and reports a refusal.

use std::sync::{Arc, MutexGuard};

use opentelemetry_sdk::trace::SpanData;

use super::Outbox;
use super::command::Command;
use super::load::Load;
use super::queue::{BATCH, Queue};
use super::record::Record;
use super::start::StartRecord;
use super::update::{SessionEnd, Update};
use crate::error::StartError;
use crate::log::CallSite;
use crate::report::DropReason;

impl Outbox {
    /// Hands a session's update over. The call never blocks; an update that does not fit is dropped and counted.
    #[inline]
    #[track_caller]
    pub(crate) fn push(&self, record: Record) {
        self.push_at(record, CallSite::here());
    }

    #[inline]
    pub(crate) fn push_at(&self, mut record: Record, site: CallSite) {
        if self.is_disabled {
            return;
        }
        let mut load = record.load();
        if record.fit(load.bytes) {
            load = record.load();
        }
        // A refused record is counted, and no caller waits for its answer.
        match self.admit(load) {
            Ok(mut queue) => {
                queue.inbox.records.push(record);
                self.admitted(queue);
            }
            Err(DropReason::ShutDown) if load.items > 0 => {
                let what = format_args!("what was added to a session");
                self.expect_open(what, site);
            }
            Err(_) => {}
        }
    }

    /// Pushes a session's start like an update, and returns the reason where it was dropped.
    #[inline]
    pub(crate) fn push_start(
        &self,
        start: &Arc<StartRecord>,
        site: CallSite,
    ) -> Result<(), DropReason> {
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
                self.expect_open(format_args!("the session {:?}", start.name()), site);
                Err(reason)
            }
        }
    }

    /// Hands a session's end over like an update.
    #[inline]
    pub(crate) fn push_end(&self, session: &Arc<StartRecord>, mut end: SessionEnd) {
        if self.is_disabled {
            return;
        }
        let timing = session.timing();
        end.fit();
        match self.admit(end.load()) {
            Ok(mut queue) => {
                // `ended` is set under the lock, so a cut-off that comes after this end sees it.
                session.set_ended();
                let end = Update::End(end);
                let record = Record::Update(session.current_id(), end, timing);
                queue.inbox.records.push(record);
                self.admitted(queue);
            }
            // The delivery thread writes an end in its place, where a server has cut the request off.
            Err(DropReason::ShutDown) => self.end_refused(session),
            Err(_) => session.set_ended(),
        }
    }

    /// Has the delivery thread keep a session until it is cut off, unless its start was refused, too.
    #[cold]
    fn end_refused(&self, session: &Arc<StartRecord>) {
        let never_began = matches!(session.outcome(), Some(Err(StartError::ShutDown)));
        if !never_began && session.is_under_way() {
            self.command(Command::EndRefused(Arc::clone(session)));
        }
    }

    /// Hands a finished span over like an update. Its load comes from [`fit_span`](super::fit_span).
    // The function is not inlined: a span is large, and inlining moves it once more.
    #[inline(never)]
    pub(crate) fn push_span(&self, span: SpanData, load: Load) {
        match self.admit(load) {
            Ok(mut queue) => {
                queue.inbox.spans.push(span);
                self.admitted(queue);
            }
            Err(_) => self.ended_too_late(&span),
        }
    }

    /// Counts an item, and admits it where there is room. The item is not handed over, so that it need not be moved
    /// once more.
    #[inline(always)]
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

    /// Counts an admitted item, which is in the inbox.
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
        // Records without a load only change items that were accepted earlier.
        if queue.closed && (load.items > 0 || queue.abandoned) {
            return Some(DropReason::ShutDown);
        }
        // A record that weighs nothing takes no room.
        let full = load.items > 0 && self.bounds.are_passed_by(queue.pending, load);
        full.then_some(DropReason::QueueFull)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::enrichment::Enrichment;
    use crate::model::id::SessionId;
    use crate::model::object::Object;
    use crate::outbox::{Bounds, Closed, Inputs, Outcome, Timing};
    use crate::report::DeliveryStats;
    use crate::settings::DropPolicy;

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

    #[test]
    fn a_request_that_begins_and_ends_after_the_close_is_kept_nowhere() {
        let outbox = outbox(2, usize::MAX);
        outbox.close(Closed::Server);
        let [begun, refused] = [(); 2].map(|()| {
            let inputs = Inputs::Object(Object::new());
            let now = SystemTime::now();
            let mut start = StartRecord::new(SessionId::new(), "chat".into(), inputs, now);
            start.will_end = true;
            Arc::new(start)
        });
        refused.settle(Err(StartError::ShutDown));
        for start in [&begun, &refused] {
            let end = SessionEnd::of_work(SystemTime::now(), Duration::ZERO, Outcome::Complete);
            outbox.push_end(start, end);
        }
        assert_eq!(Arc::strong_count(&begun), 2, "the delivery thread has it");
        assert_eq!(Arc::strong_count(&refused), 1);
    }
}
