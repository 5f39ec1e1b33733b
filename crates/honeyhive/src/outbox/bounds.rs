//! The bounds limit pending items, and tell when the oldest make room.

use super::load::Load;
use crate::settings::DropPolicy;

/// Items in memory go to disk from this many eighths of a bound on, where there is a spool.
pub(crate) const WAKE_FOR_DISK: u64 = 6;

/// The queue has these bounds.
#[derive(Debug)]
pub(crate) struct Bounds {
    most: Load,
    /// The delivery thread is woken past this load.
    wake_at: Load,
    /// Items are dropped past this load, down to `low`.
    high: Load,
    low: Load,
}

const NEVER: Load = Load {
    items: u64::MAX,
    bytes: u64::MAX,
};

impl Bounds {
    /// Returns how full the room is, from 0 to 1.
    pub(crate) fn fullness(&self, pending: Load) -> f64 {
        let share = |taken: u64, room: u64| taken as f64 / room.max(1) as f64;
        let items = share(pending.items, self.most.items);
        items.max(share(pending.bytes, self.most.bytes))
    }

    /// Returns true where a whole batch of spans that waits is no more than a quarter of the room.
    pub(super) const fn have_room_for_batches(&self) -> bool {
        self.most.items >= 4 * 512 && self.most.bytes >= 16 * 1024 * 1024
    }

    pub(crate) fn new(items: usize, bytes: usize, policy: DropPolicy, has_spool: bool) -> Self {
        let most = Load {
            items: items as u64,
            bytes: bytes as u64,
        };
        let (high, low) = match policy {
            DropPolicy::Newest => (NEVER, NEVER),
            DropPolicy::Oldest => (eighths(most, 7), eighths(most, 6)),
        };
        let wake_at = if has_spool {
            eighths(most, WAKE_FOR_DISK)
        } else {
            high
        };
        Self {
            most,
            wake_at,
            high,
            low,
        }
    }

    pub(super) const fn are_passed_by(&self, pending: Load, load: Load) -> bool {
        pending.items + load.items > self.most.items || pending.bytes + load.bytes > self.most.bytes
    }

    /// Returns true where the delivery thread should make room.
    pub(super) const fn are_nearly_reached_with(&self, pending: Load) -> bool {
        exceeds(pending, self.wake_at)
    }

    pub(super) fn excess_of(&self, pending: Load) -> Option<Load> {
        exceeds(pending, self.high).then(|| Load {
            items: pending.items.saturating_sub(self.low.items),
            bytes: pending.bytes.saturating_sub(self.low.bytes),
        })
    }
}

const fn exceeds(pending: Load, limit: Load) -> bool {
    pending.items > limit.items || pending.bytes > limit.bytes
}

const fn eighths(most: Load, parts: u64) -> Load {
    Load {
        items: most.items / 8 * parts + most.items % 8 * parts / 8,
        bytes: most.bytes / 8 * parts + most.bytes % 8 * parts / 8,
    }
}
