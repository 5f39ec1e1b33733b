//! The report tells the outcome of every item that was handed over.

use std::fmt;

/// An item was dropped for one of these reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The queue had reached its bound in items or bytes.
    QueueFull,
    /// HoneyHive refused the item with a status that a retry would not change.
    Rejected,
    /// HoneyHive did not accept the key (401 or 403).
    Unauthorized,
    /// The item was larger than HoneyHive takes (413).
    TooLarge,
    /// Every attempt failed while other items got through.
    RetriesExhausted,
    /// The item came after the shutdown, or was still pending when the shutdown's time ran out.
    ShutDown,
    /// The item's session is out of the sample, and neither failed nor was slow; see
    /// [`SessionSampling`](crate::SessionSampling).
    SampledOut,
    /// The item could not be read back from the spool.
    Unreadable,
}

impl DropReason {
    pub(crate) const ALL: [Self; 8] = [
        Self::QueueFull,
        Self::Rejected,
        Self::Unauthorized,
        Self::TooLarge,
        Self::RetriesExhausted,
        Self::ShutDown,
        Self::SampledOut,
        Self::Unreadable,
    ];

    /// Returns the name of the field of [`Drops`], which is the value of a metric's attribute.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Rejected => "rejected",
            Self::Unauthorized => "unauthorized",
            Self::TooLarge => "too_large",
            Self::RetriesExhausted => "retries_exhausted",
            Self::ShutDown => "shut_down",
            Self::SampledOut => "sampled_out",
            Self::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::QueueFull => "the queue was full",
            Self::Rejected => "HoneyHive refused it",
            Self::Unauthorized => "HoneyHive did not accept the key",
            Self::TooLarge => "it was too large",
            Self::RetriesExhausted => "it failed too often",
            Self::ShutDown => "the tracer was shut down",
            Self::SampledOut => "its session is out of the sample",
            Self::Unreadable => "it could not be read from the spool again",
        })
    }
}

/// The drops are counted by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drops {
    /// Counts [`DropReason::QueueFull`].
    pub queue_full: u64,
    /// Counts [`DropReason::Rejected`].
    pub rejected: u64,
    /// Counts [`DropReason::Unauthorized`].
    pub unauthorized: u64,
    /// Counts [`DropReason::TooLarge`].
    pub too_large: u64,
    /// Counts [`DropReason::RetriesExhausted`].
    pub retries_exhausted: u64,
    /// Counts [`DropReason::ShutDown`].
    pub shut_down: u64,
    /// Counts [`DropReason::SampledOut`].
    pub sampled_out: u64,
    /// Counts [`DropReason::Unreadable`].
    pub unreadable: u64,
}

impl Drops {
    /// Returns the number of all dropped items.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.queue_full
            + self.rejected
            + self.unauthorized
            + self.too_large
            + self.retries_exhausted
            + self.shut_down
            + self.sampled_out
            + self.unreadable
    }

    /// Returns the number of items that were dropped for one reason.
    #[must_use]
    pub const fn get(&self, reason: DropReason) -> u64 {
        match reason {
            DropReason::QueueFull => self.queue_full,
            DropReason::Rejected => self.rejected,
            DropReason::Unauthorized => self.unauthorized,
            DropReason::TooLarge => self.too_large,
            DropReason::RetriesExhausted => self.retries_exhausted,
            DropReason::ShutDown => self.shut_down,
            DropReason::SampledOut => self.sampled_out,
            DropReason::Unreadable => self.unreadable,
        }
    }

    /// Returns the reasons in words: `HoneyHive did not accept the key (3)`.
    pub(crate) fn reasons(&self) -> String {
        let reasons = DropReason::ALL.into_iter().filter_map(|reason| {
            let count = self.get(reason);
            (count > 0).then(|| format!("{reason} ({count})"))
        });
        reasons.collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn of_mut(&mut self, reason: DropReason) -> &mut u64 {
        match reason {
            DropReason::QueueFull => &mut self.queue_full,
            DropReason::Rejected => &mut self.rejected,
            DropReason::Unauthorized => &mut self.unauthorized,
            DropReason::TooLarge => &mut self.too_large,
            DropReason::RetriesExhausted => &mut self.retries_exhausted,
            DropReason::ShutDown => &mut self.shut_down,
            DropReason::SampledOut => &mut self.sampled_out,
            DropReason::Unreadable => &mut self.unreadable,
        }
    }
}

/// The counters tell what became of everything that was handed over for delivery.
///
/// An item is a session start, a session update or a span. At every moment
/// `accepted == delivered + pending + dropped.total()`.
///
/// ```
/// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
/// let stats = tracer.stats();
/// assert_eq!(
///     stats.accepted,
///     stats.delivered + stats.pending + stats.dropped.total(),
/// );
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryStats {
    /// Counts items handed over, those that were dropped at once included.
    pub accepted: u64,
    /// Counts items that HoneyHive has confirmed.
    pub delivered: u64,
    /// Counts items queued, held back to be merged, under way, waiting for a retry, or on disk.
    pub pending: u64,
    /// Counts pending items that are on disk: see [`Spool`](crate::Spool). Items that an ended process left there are
    /// included; they count as accepted from the moment when they are found.
    pub spooled: u64,
    /// Estimates the bytes of memory that the pending items hold.
    pub pending_bytes: u64,
    /// Counts items lost, by reason.
    pub dropped: Drops,
    /// Counts files of the spool that could not be read, or not to the end, and were renamed to `….corrupt`.
    pub set_aside: u64,
    /// Counts requests to HoneyHive that were tried again.
    pub retried: u64,
    /// Counts enrichment values that were no object and were left out.
    pub refused: u64,
    /// Counts session ids that were not usable and counted as absent, wherever they came from: see
    /// [`SessionId`](crate::SessionId) and [`SessionTrust`](crate::SessionTrust).
    pub ignored_session_ids: u64,
    /// Counts panics caught in callbacks that the program gave to the instrumentation or to the redaction.
    pub callback_panics: u64,
    /// Counts spans that the program's [`SpanFilter`](crate::SpanFilter) has left out: they are no items.
    pub filtered_spans: u64,
    /// Counts values that left masked or replaced; see [`Redaction`](crate::Redaction).
    pub redacted: u64,
}

/// The report tells what became of the items that a flush waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushReport {
    /// Counts items that HoneyHive confirmed while the flush was waiting.
    pub delivered: u64,
    /// Counts items that were dropped while the flush was waiting.
    pub dropped: u64,
    /// Counts items that had no outcome when the flush ended.
    pub pending: u64,
    /// Counts pending items that are on disk, so that they outlive the process: see [`Spool`](crate::Spool).
    pub spooled: u64,
}
