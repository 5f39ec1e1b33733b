//! Who waits for what: every pending item belongs to an epoch, and a flush waits for all epochs up to
//! its own. So a flush ends under constant load too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::later;
use crate::error::FlushError;
use crate::outbox::{Load, Medium, Outbox, Reply};
use crate::report::{DropReason, FlushReport};

type Flushed = Result<FlushReport, FlushError>;

/// Items on their way, with the epoch they came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "every item ends as delivered, dropped or withdrawn"]
pub(crate) struct Tally {
    load: Load,
    epoch: u64,
    medium: Medium,
}

/// The epoch of parked items, which no flush ends.
const PARKED: u64 = u64::MAX;

impl Tally {
    pub(crate) const NONE: Self = Self {
        load: Load { items: 0, bytes: 0 },
        epoch: PARKED,
        medium: Medium::Memory,
    };

    pub(crate) const fn load(self) -> Load {
        self.load
    }

    pub(crate) const fn items(&self) -> u64 {
        self.load.items
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.load.bytes
    }

    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Splits some of the items off, for an outcome of their own.
    pub(crate) fn split(self, items: u64) -> (Self, Self) {
        let items = items.min(self.load.items);
        let bytes = self.load.bytes * items / self.load.items.max(1);
        let rest = Load {
            items: self.load.items - items,
            bytes: self.load.bytes - bytes,
        };
        let first = Load { items, bytes };
        (
            Self {
                load: first,
                ..self
            },
            Self { load: rest, ..self },
        )
    }
}

#[derive(Debug)]
struct Flush {
    epoch: u64,
    timeout: Duration,
    deadline: Instant,
    delivered: u64,
    dropped: u64,
    reply: Reply<Flushed>,
}

/// Keeps the outbox's counts and the flushes that wait for them.
#[derive(Debug)]
pub(crate) struct Ledger {
    outbox: Arc<Outbox>,
    epoch: u64,
    pending: BTreeMap<u64, u64>,
    /// Those of the pending ones that are on disk.
    spooled: BTreeMap<u64, u64>,
    flushes: Vec<Flush>,
}

impl Ledger {
    pub(crate) const fn new(outbox: Arc<Outbox>) -> Self {
        Self {
            outbox,
            epoch: 0,
            pending: BTreeMap::new(),
            spooled: BTreeMap::new(),
            flushes: Vec::new(),
        }
    }

    /// Items that came in now.
    pub(crate) fn accept(&mut self, load: Load) -> Tally {
        add(&mut self.pending, self.epoch, load.items);
        Tally {
            load,
            epoch: self.epoch,
            medium: Medium::Memory,
        }
    }

    /// Two tallies that will have one outcome, which the earlier epoch waits for.
    pub(crate) fn merge(&mut self, a: Tally, b: Tally) -> Tally {
        let (mut early, late) = if a.epoch <= b.epoch { (a, b) } else { (b, a) };
        if late.load.items > 0 && late.epoch != early.epoch {
            self.settle(late);
            add(&mut self.pending, early.epoch, late.load.items);
        }
        early.load.add(late.load);
        early
    }

    /// Items that cannot go before something else has happened: no flush so far waits for them.
    pub(crate) fn defer(&mut self, tally: Tally) -> Tally {
        if tally.load.items == 0 {
            return tally;
        }
        self.settle(tally);
        self.accept(tally.load)
    }

    /// Items that wait for something that may never happen: no flush waits for them, whenever it begins.
    pub(crate) fn park(&mut self, tally: Tally) -> Tally {
        if tally.load.items == 0 {
            return tally;
        }
        self.settle(tally);
        *self.pending.entry(PARKED).or_default() += tally.load.items;
        Tally {
            epoch: PARKED,
            ..tally
        }
    }

    /// Parked items go on, as if they came in now.
    pub(crate) fn resume(&mut self, tally: Tally) -> Tally {
        self.settle(tally);
        self.accept(tally.load)
    }

    /// Items go on together with another, which whoever waits for that one waits for, too.
    pub(crate) fn resume_with(&mut self, tally: Tally, other: Tally) -> Tally {
        let resumed = Tally {
            epoch: other.epoch,
            ..tally
        };
        if tally.load.items > 0 {
            self.settle(tally);
            *self.pending.entry(resumed.epoch).or_default() += tally.load.items;
        }
        resumed
    }

    pub(crate) fn delivered(&mut self, tally: Tally) {
        self.settle(tally);
        self.outbox.delivered(tally.load, tally.medium);
        self.note(tally, |flush| &mut flush.delivered);
    }

    pub(crate) fn dropped(&mut self, tally: Tally, reason: DropReason) {
        self.settle(tally);
        self.outbox.dropped(tally.load, tally.medium, reason);
        self.note(tally, |flush| &mut flush.dropped);
    }

    pub(crate) fn withdrawn(&mut self, tally: Tally) {
        self.settle(tally);
        self.outbox.withdrawn(tally.load);
    }

    /// The items are on disk, if they were not before. They stay pending, and in their epoch.
    pub(crate) fn spooled(&mut self, tally: Tally) {
        if tally.medium == Medium::Memory {
            self.outbox.spooled(tally.load);
            add(&mut self.spooled, tally.epoch, tally.load.items);
        }
    }

    /// Items on disk, with the epoch they came in.
    pub(crate) const fn on_disk(epoch: u64, items: u64) -> Tally {
        Tally {
            load: Load { items, bytes: 0 },
            epoch,
            medium: Medium::Disk,
        }
    }

    /// Items that another process has left on disk.
    pub(crate) fn inherit(&mut self, items: u64) {
        self.outbox.accept_spooled(items);
        add(&mut self.pending, self.epoch, items);
        add(&mut self.spooled, self.epoch, items);
    }

    /// So many items on disk, by epoch, can no longer be found.
    pub(crate) fn lost_on_disk(&mut self, items: &BTreeMap<u64, u64>) {
        for (&epoch, &items) in items {
            self.dropped(Self::on_disk(epoch, items), DropReason::Unreadable);
        }
    }

    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    fn settle(&mut self, tally: Tally) {
        subtract(&mut self.pending, tally.epoch, tally.load.items);
        if tally.medium == Medium::Disk {
            subtract(&mut self.spooled, tally.epoch, tally.load.items);
        }
    }

    fn note(&mut self, tally: Tally, count: impl Fn(&mut Flush) -> &mut u64) {
        for flush in self
            .flushes
            .iter_mut()
            .filter(|flush| tally.epoch <= flush.epoch)
        {
            *count(flush) += tally.load.items;
        }
    }

    /// Begins to wait for everything that came in so far.
    pub(crate) fn flush(&mut self, timeout: Duration, now: Instant, reply: Reply<Flushed>) {
        self.flushes.push(Flush {
            epoch: self.epoch,
            timeout,
            deadline: later(now, timeout),
            delivered: 0,
            dropped: 0,
            reply,
        });
        self.epoch += 1;
    }

    /// No flush goes on after this.
    pub(crate) fn end_by(&mut self, deadline: Instant) {
        for flush in &mut self.flushes {
            flush.deadline = flush.deadline.min(deadline);
        }
    }

    /// True for items that a flush waits for: they are not held back any longer.
    pub(crate) fn is_urgent(&self, tally: Tally) -> bool {
        self.flushes.iter().any(|flush| tally.epoch <= flush.epoch)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.flushes.iter().map(|flush| flush.deadline).min()
    }

    /// The answers to flushes that have got what they waited for, or have run out of time.
    pub(crate) fn answers(&mut self, now: Instant) -> Vec<Answered> {
        let mut answers = Vec::new();
        let mut index = 0;
        while let Some(flush) = self.flushes.get(index) {
            let up_to = |items: &BTreeMap<u64, u64>| -> u64 {
                items.range(..=flush.epoch).map(|(_, count)| count).sum()
            };
            let (pending, spooled) = (up_to(&self.pending), up_to(&self.spooled));
            if pending == 0 || now >= flush.deadline {
                answers.push(self.flushes.swap_remove(index).answered(pending, spooled));
            } else {
                index += 1;
            }
        }
        answers
    }
}

fn add(items: &mut BTreeMap<u64, u64>, epoch: u64, more: u64) {
    if more > 0 {
        *items.entry(epoch).or_default() += more;
    }
}

fn subtract(items: &mut BTreeMap<u64, u64>, epoch: u64, fewer: u64) {
    if let Some(count) = items.get_mut(&epoch) {
        *count -= fewer;
        if *count == 0 {
            items.remove(&epoch);
        }
    }
}

/// A flush that has ended.
#[derive(Debug)]
#[must_use = "somebody waits for it"]
pub(crate) struct Answered {
    reply: Reply<Flushed>,
    answer: Flushed,
}

impl Answered {
    pub(crate) fn send(self) {
        self.reply.send(self.answer);
    }
}

impl Flush {
    fn answered(self, pending: u64, spooled: u64) -> Answered {
        let report = FlushReport {
            delivered: self.delivered,
            dropped: self.dropped,
            pending,
            spooled,
        };
        let answer = match report {
            FlushReport { pending: 1.., .. } => Err(FlushError::TimedOut {
                timeout: self.timeout,
                report,
            }),
            FlushReport { dropped: 1.., .. } => Err(FlushError::Dropped { report }),
            _ => Ok(report),
        };
        Answered {
            reply: self.reply,
            answer,
        }
    }
}
