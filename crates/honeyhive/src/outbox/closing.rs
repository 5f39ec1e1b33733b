//! The end of a tracer closes the outbox, and the log tells of items that come later.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use opentelemetry_sdk::trace::SpanData;

use super::Outbox;
use super::life::Closed;
use crate::log::{self, Aside, CallSite, Once, OncePerSite};

#[cold]
fn came_too_late(what: fmt::Arguments<'_>, site: CallSite, closed: Closed) {
    static TOLD: OncePerSite = OncePerSite::new();
    TOLD.warn(
        site,
        format_args!(
            "{what}{} came after the tracer was shut down, and is dropped: {closed}",
            Aside(site)
        ),
    );
}

impl Outbox {
    /// Closes the outbox: later items are dropped as [`DropReason::ShutDown`](crate::DropReason::ShutDown).
    pub(crate) fn close(&self, by: Closed) {
        // The first cause stays.
        let _ = self.life.closed.set((by, SystemTime::now()));
        self.lock().closed = true;
    }

    /// Warns, once a call site, where something begins that will be dropped.
    #[inline]
    pub(crate) fn expect_open(&self, what: fmt::Arguments<'_>, site: CallSite) {
        if let Some((closed, _)) = self.life.closed.get() {
            came_too_late(what, site, *closed);
        }
    }

    /// Warns, once, where a span ends too late that began in time.
    pub(super) fn ended_too_late(&self, span: &SpanData) {
        static TOLD: Once = Once::new();
        if let Some((closed, at)) = self.life.closed.get()
            && span.start_time < *at
        {
            TOLD.warn(format_args!(
                "the span {:?} ended after the tracer was shut down, and is dropped; {}",
                span.name,
                closed.to_be_last()
            ));
        }
    }

    /// Notes that the last handle is going: pending items may be lost with the process.
    pub(crate) fn last_handle_is_gone(&self) {
        log::replay();
        let pending = self.stats().pending;
        let is_closed = self.life.closed.get().is_some();
        self.close(Closed::LastHandle);
        if is_closed {
            // Items that came too late are counted by now.
            self.part_with_losses();
        } else if pending > 0 && !self.is_local {
            let text = format!(
                "the last handle of a tracer was dropped with items pending ({pending}), and nothing waits for their \
                 delivery: keep `let _guard = tracer.shutdown_guard();` in `main`, or call `shutdown`"
            );
            log::warn(&text);
            self.part(&text);
        }
    }

    /// Prints on stderr, where no subscriber listens, that items were not delivered or go nowhere.
    pub(crate) fn part_with_losses(&self) {
        let stats = self.stats();
        let lost =
            stats.dropped.total() - stats.dropped.sampled_out + stats.pending - stats.spooled;
        if lost > 0 {
            let why = log::gravest_unheard();
            let why = why.unwrap_or_else(|| stats.dropped.reasons());
            self.part(&format!(
                "{lost} of {} items were not delivered: {why}",
                stats.accepted
            ));
        } else if let Some(why) = log::take_unheard_loss() {
            self.part(&why);
        }
    }

    /// Logs at debug level that a tracer has ended without recording anything.
    pub(crate) fn part_with_nothing(&self) {
        if !self.is_local && self.stats().accepted == 0 {
            log::debug(
                "nothing was recorded with this tracer: no session and no span has begun; is a layer missing, or is it \
                 another tracer that is used?",
            );
        }
    }

    fn part(&self, text: &str) {
        let may_speak = self.may_speak && log::nobody_listens();
        if may_speak && !self.life.has_parted.swap(true, Ordering::Relaxed) {
            log::to_stderr(text);
        }
    }
}
