//! How much may be pending, and when what has waited longest makes room.

use super::Load;
use crate::config::DropPolicy;

/// The bounds of the queue.
#[derive(Debug)]
pub(crate) struct Bounds {
    most: Load,
    /// More than this is brought down to `low`.
    high: Load,
    low: Load,
}

const NEVER: Load = Load {
    items: u64::MAX,
    bytes: u64::MAX,
};

impl Bounds {
    /// How much of the room is taken, from 0 to 1.
    pub(crate) fn fullness(&self, pending: Load) -> f64 {
        let share = |taken: u64, room: u64| taken as f64 / room.max(1) as f64;
        let items = share(pending.items, self.most.items);
        items.max(share(pending.bytes, self.most.bytes))
    }

    pub(crate) fn new(items: usize, bytes: usize, policy: DropPolicy) -> Self {
        let most = Load {
            items: items as u64,
            bytes: bytes as u64,
        };
        let (high, low) = match policy {
            DropPolicy::Newest => (NEVER, NEVER),
            DropPolicy::Oldest => (eighths(most, 7), eighths(most, 6)),
        };
        Self { most, high, low }
    }

    pub(super) const fn are_passed_by(&self, pending: Load, load: Load) -> bool {
        pending.items + load.items > self.most.items || pending.bytes + load.bytes > self.most.bytes
    }

    /// True where the delivery thread should make room.
    pub(super) const fn are_narrow_with(&self, pending: Load) -> bool {
        pending.items > self.high.items || pending.bytes > self.high.bytes
    }

    pub(super) fn excess_of(&self, pending: Load) -> Option<Load> {
        self.are_narrow_with(pending).then(|| Load {
            items: pending.items.saturating_sub(self.low.items),
            bytes: pending.bytes.saturating_sub(self.low.bytes),
        })
    }
}

const fn eighths(most: Load, parts: u64) -> Load {
    Load {
        items: most.items / 8 * parts + most.items % 8 * parts / 8,
        bytes: most.bytes / 8 * parts + most.bytes % 8 * parts / 8,
    }
}
