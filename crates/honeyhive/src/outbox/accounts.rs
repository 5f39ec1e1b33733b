//! The accounts hold: accepted = delivered + pending + dropped; other things are counted besides.

use std::sync::atomic::Ordering;

use super::Outbox;
use super::load::{Load, Medium};
use crate::log;
use crate::report::{DeliveryStats, DropReason};

impl Outbox {
    /// Counts something that the delivery thread itself has to deliver, after a shutdown too.
    pub(crate) fn accept_late(&self, load: Load) {
        let mut queue = self.lock();
        queue.accepted += load.items;
        queue.pending.add(load);
    }

    /// Notes that the delivery thread is gone: pending items are lost, and their callers are told.
    pub(crate) fn abandon(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.abandoned = true;
        let left = queue.pending;
        queue.dropped.shut_down += left.items;
        queue.pending = Load::default();
        let inbox = std::mem::take(&mut queue.inbox);
        // The replies run the program's wakers, so the lock is released before.
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

    /// Takes items back that the program has withdrawn before anything was sent: as if never offered.
    pub(crate) fn withdrawn(&self, load: Load) {
        let mut queue = self.lock();
        queue.accepted -= load.items;
        queue.release(load, Medium::Memory);
    }

    /// Notes that the items have gone from memory to disk.
    pub(crate) fn spooled(&self, load: Load) {
        let mut queue = self.lock();
        queue.release(load, Medium::Memory);
        queue.spooled += load.items;
    }

    /// Takes in items that another process had accepted, and has left on disk.
    pub(crate) fn accept_spooled(&self, items: u64) {
        let mut queue = self.lock();
        queue.accepted += items;
        queue.spooled += items;
    }

    pub(crate) fn count_set_aside(&self, files: u64) {
        self.lock().set_aside += files;
    }

    /// Returns how full memory is once `leaving` has left it, from 0 to 1.
    pub(crate) fn fullness_without(&self, leaving: Load) -> f64 {
        let mut pending = self.lock().pending;
        pending.items = pending.items.saturating_sub(leaving.items);
        pending.bytes = pending.bytes.saturating_sub(leaving.bytes);
        self.bounds.fullness(pending)
    }

    pub(crate) fn count_retry(&self) {
        self.lock().retried += 1;
    }

    /// Returns how much of the oldest items has to go, so that new ones find room.
    pub(crate) fn excess(&self) -> Option<Load> {
        self.bounds.excess_of(self.lock().pending)
    }

    pub(crate) fn count_refused(&self, count: u32) {
        if count > 0 {
            self.refused.fetch_add(u64::from(count), Ordering::Relaxed);
        }
    }

    /// Counts ids that count as absent. The log tells of the first, and never of its text: it may come from outside.
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

    /// Counts a request that has come in as under way.
    #[cfg(feature = "http-server")]
    #[inline]
    pub(crate) fn request_begins(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request as under way no longer: its end has been recorded.
    #[cfg(feature = "http-server")]
    #[inline]
    pub(crate) fn request_ends(&self) {
        self.requests.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns the number of requests under way.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn count_filtered_span(&self) {
        self.filtered_spans.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_callback_panic(&self) {
        self.callback_panics.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_redacted(&self, values: u64) {
        if values > 0 {
            self.redacted.fetch_add(values, Ordering::Relaxed);
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
            filtered_spans: self.filtered_spans.load(Ordering::Relaxed),
        }
    }
}
