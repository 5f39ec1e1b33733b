//! The accounts of pending items give each an epoch, and a flush waits for all epochs up to its own. So a flush ends
//! under constant load, too.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::claim::{Claim, HELD_BACK};
use super::time::later;
use crate::error::FlushError;
use crate::outbox::{Load, Medium, Outbox, Reply};
use crate::report::{DropReason, FlushReport};

type Flushed = Result<FlushReport, FlushError>;

#[derive(Debug)]
struct Flush {
    epoch: u64,
    timeout: Duration,
    deadline: Instant,
    delivered: u64,
    dropped: u64,
    reply: Reply<Flushed>,
}

/// The ledger keeps the outbox's counts and the flushes that wait for them.
#[derive(Debug)]
pub(crate) struct Ledger {
    outbox: Arc<Outbox>,
    epoch: u64,
    pending: ItemsByEpoch,
    /// The spooled items are those of the pending ones that are on disk.
    spooled: ItemsByEpoch,
    flushes: Vec<Flush>,
    expected_until: Option<Instant>,
}

impl Ledger {
    pub(crate) const fn new(outbox: Arc<Outbox>) -> Self {
        Self {
            outbox,
            epoch: 0,
            pending: ItemsByEpoch::new(),
            spooled: ItemsByEpoch::new(),
            flushes: Vec::new(),
            expected_until: None,
        }
    }

    /// Accepts items that came in now.
    pub(crate) fn accept(&mut self, load: Load) -> Claim {
        self.accept_in(load, self.epoch)
    }

    /// Accepts items that follow from others: a flush that waits for those waits for these, too.
    pub(crate) fn accept_in(&mut self, load: Load, epoch: u64) -> Claim {
        self.pending.add(epoch, load.items);
        Claim::new(load, epoch, Medium::Memory)
    }

    /// Merges two claims that will have one outcome, for which the earlier epoch waits.
    pub(crate) fn merge(&mut self, a: Claim, b: Claim) -> Claim {
        let (mut early, mut late) = if a.epoch() <= b.epoch() {
            (a, b)
        } else {
            (b, a)
        };
        if early.items() == 0 {
            return late;
        }
        let (epoch, medium) = (early.epoch(), early.medium());
        let mut load = early.spend();
        if late.items() > 0 && late.epoch() != epoch {
            self.pending.subtract(late.epoch(), late.items());
            self.pending.add(epoch, late.items());
        }
        load.add(late.spend());
        Claim::new(load, epoch, medium)
    }

    /// Defers items that cannot go before something else has happened: no flush so far waits for them.
    pub(crate) fn defer(&mut self, claim: Claim) -> Claim {
        let epoch = self.epoch;
        self.move_to(claim, epoch)
    }

    /// Holds items back that wait for something that may never happen: no flush waits for them, whenever it begins.
    pub(crate) fn hold_back(&mut self, claim: Claim) -> Claim {
        self.move_to(claim, HELD_BACK)
    }

    /// Resumes items that were held back, as if they came in now.
    pub(crate) fn resume(&mut self, claim: Claim) -> Claim {
        self.defer(claim)
    }

    /// Resumes items together with another one: a flush that waits for that one waits for these, too.
    pub(crate) fn resume_with(&mut self, claim: Claim, other_epoch: u64) -> Claim {
        self.move_to(claim, other_epoch)
    }

    fn move_to(&mut self, mut claim: Claim, epoch: u64) -> Claim {
        if claim.items() == 0 {
            return claim;
        }
        let (from, medium) = (claim.epoch(), claim.medium());
        let load = claim.spend();
        self.pending.subtract(from, load.items);
        self.pending.add(epoch, load.items);
        Claim::new(load, epoch, medium)
    }

    pub(crate) fn delivered(&mut self, mut claim: Claim) {
        self.settle(&claim);
        self.outbox.delivered(claim.load(), claim.medium());
        self.note(&claim, |flush| &mut flush.delivered);
        claim.spend();
    }

    pub(crate) fn dropped(&mut self, mut claim: Claim, reason: DropReason) {
        self.settle(&claim);
        self.outbox.dropped(claim.load(), claim.medium(), reason);
        self.note(&claim, |flush| &mut flush.dropped);
        claim.spend();
    }

    /// Drops the items that are left in memory at the end; those on disk stay there.
    pub(crate) fn leave(&self, mut claim: Claim, reason: DropReason) {
        if claim.medium() == Medium::Memory {
            self.outbox.dropped(claim.load(), Medium::Memory, reason);
        }
        claim.spend();
    }

    pub(crate) fn withdrawn(&mut self, mut claim: Claim) {
        self.settle(&claim);
        self.outbox.withdrawn(claim.load());
        claim.spend();
    }

    /// Notes that the items are on disk. They stay pending, and in their epoch, until they are read back.
    pub(crate) fn spooled(&mut self, mut claim: Claim) {
        self.outbox.spooled(claim.load());
        self.spooled.add(claim.epoch(), claim.items());
        claim.spend();
    }

    /// Returns a claim to items that were read back from disk, with the epoch they came in. They stay on disk until
    /// they have an outcome.
    pub(crate) const fn recalled(epoch: u64, items: u64) -> Claim {
        Claim::new(Load { items, bytes: 0 }, epoch, Medium::Disk)
    }

    /// Takes over items that another process has left on disk.
    pub(crate) fn inherit(&mut self, items: u64, epoch: u64) {
        self.outbox.accept_spooled(items);
        self.pending.add(epoch, items);
        self.spooled.add(epoch, items);
    }

    /// Keeps flushes waiting, but not after `until`, since items of their time may be found on disk.
    pub(crate) const fn expect(&mut self, until: Option<Instant>) {
        self.expected_until = until;
    }

    /// Drops items on disk, counted by epoch, that can no longer be found.
    pub(crate) fn lost_on_disk(&mut self, items: &BTreeMap<u64, u64>) {
        for (&epoch, &items) in items {
            self.dropped(Self::recalled(epoch, items), DropReason::Unreadable);
        }
    }

    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    fn settle(&mut self, claim: &Claim) {
        self.pending.subtract(claim.epoch(), claim.items());
        if claim.medium() == Medium::Disk {
            self.spooled.subtract(claim.epoch(), claim.items());
        }
    }

    fn note(&mut self, claim: &Claim, count: impl Fn(&mut Flush) -> &mut u64) {
        for flush in &mut self.flushes {
            if claim.epoch() <= flush.epoch {
                *count(flush) += claim.items();
            }
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

    /// Ends all flushes by this deadline.
    pub(crate) fn end_by(&mut self, deadline: Instant) {
        for flush in &mut self.flushes {
            flush.deadline = flush.deadline.min(deadline);
        }
    }

    /// Returns true for items that a flush waits for: they are not held back any longer.
    pub(crate) fn is_urgent(&self, claim: &Claim) -> bool {
        self.flushes
            .iter()
            .any(|flush| claim.epoch() <= flush.epoch)
    }

    /// Returns true while a flush waits.
    pub(crate) const fn is_flushing(&self) -> bool {
        !self.flushes.is_empty()
    }

    /// Returns true once half the time of a flush is over: its items are sent in the other half.
    pub(crate) fn is_half_over(&self, now: Instant) -> bool {
        self.flushes.iter().any(|flush| {
            let half = flush.deadline.checked_sub(flush.timeout / 2);
            half.is_some_and(|half| now >= half)
        })
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.flushes.iter().map(|flush| flush.deadline).min()
    }

    /// Returns the answers to flushes that are complete, or have run out of time.
    pub(crate) fn answers(&mut self, now: Instant) -> Vec<Answered> {
        let mut answers = Vec::new();
        let mut index = 0;
        let is_expecting = self.expected_until.is_some_and(|until| now < until);
        while let Some(flush) = self.flushes.get(index) {
            let pending = self.pending.up_to(flush.epoch);
            let spooled = self.spooled.up_to(flush.epoch);
            if (pending == 0 && !is_expecting) || now >= flush.deadline {
                answers.push(self.flushes.swap_remove(index).answered(pending, spooled));
            } else {
                index += 1;
            }
        }
        answers
    }
}

/// The items are counted by epoch, the oldest first. There are few epochs, since only a flush begins a new one, and
/// changes are most often at the end.
#[derive(Debug)]
struct ItemsByEpoch(VecDeque<(u64, u64)>);

impl ItemsByEpoch {
    const fn new() -> Self {
        Self(VecDeque::new())
    }

    fn add(&mut self, epoch: u64, more: u64) {
        if more == 0 {
            return;
        }
        match self.find(epoch) {
            Ok(at) => self.0[at].1 += more,
            Err(at) => self.0.insert(at, (epoch, more)),
        }
    }

    fn subtract(&mut self, epoch: u64, fewer: u64) {
        let Ok(at) = self.find(epoch) else {
            return;
        };
        self.0[at].1 -= fewer;
        if self.0[at].1 == 0 {
            self.0.remove(at);
        }
    }

    /// Returns the number of items of an epoch and all before it.
    fn up_to(&self, epoch: u64) -> u64 {
        let counts = self.0.iter().take_while(|(of, _)| *of <= epoch);
        counts.map(|(_, count)| count).sum()
    }

    fn find(&self, epoch: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&epoch, |(of, _)| *of)
    }
}

/// The answer is to a flush that has ended.
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
