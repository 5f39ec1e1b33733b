//! [`Claim`] is a share of the accounts, with one outcome.

use crate::outbox::{Load, Medium};

/// A claim is the share of items on their way, with the epoch in which they came and their place. A claim is given up
/// by value to the [`Ledger`](super::ledger::Ledger), once; debug builds check that none is lost.
#[derive(Debug)]
#[must_use = "every item ends as delivered, dropped or withdrawn"]
pub(crate) struct Claim {
    load: Load,
    epoch: u64,
    medium: Medium,
}

/// Held items have this epoch, for which no flush waits.
pub(super) const HELD_BACK: u64 = u64::MAX;

impl Claim {
    /// Makes a claim to nothing.
    pub(crate) const fn none() -> Self {
        Self::new(Load { items: 0, bytes: 0 }, HELD_BACK, Medium::Memory)
    }

    pub(super) const fn new(load: Load, epoch: u64, medium: Medium) -> Self {
        Self {
            load,
            epoch,
            medium,
        }
    }

    pub(crate) const fn load(&self) -> Load {
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

    pub(super) const fn medium(&self) -> Medium {
        self.medium
    }

    /// Takes the claim and leaves none.
    pub(crate) const fn take(&mut self) -> Self {
        std::mem::replace(self, Self::none())
    }

    /// Splits some of the items off, for an outcome of their own.
    pub(crate) fn split(mut self, items: u64) -> (Self, Self) {
        let Load {
            items: all_items,
            bytes: all_bytes,
        } = self.spend();
        let items = items.min(all_items);
        let bytes = all_bytes * items / all_items.max(1);
        let part = |items, bytes| Self::new(Load { items, bytes }, self.epoch, self.medium);
        let rest = part(all_items - items, all_bytes - bytes);
        (part(items, bytes), rest)
    }

    /// Ends the claim, and returns its load.
    pub(super) const fn spend(&mut self) -> Load {
        std::mem::replace(&mut self.load, Load { items: 0, bytes: 0 })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        debug_assert!(
            self.load.items == 0 || std::thread::panicking(),
            "{} items were lost without an outcome",
            self.load.items
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_claim_are_the_whole() {
        let whole = Claim::new(
            Load {
                items: 5,
                bytes: 50,
            },
            3,
            Medium::Memory,
        );
        let (mut first, mut rest) = whole.split(2);
        assert_eq!((first.epoch(), rest.epoch()), (3, 3));
        assert_eq!(
            first.spend(),
            Load {
                items: 2,
                bytes: 20
            }
        );
        assert_eq!(
            rest.spend(),
            Load {
                items: 3,
                bytes: 30
            }
        );
    }

    #[test]
    fn no_more_is_split_off_than_there_is() {
        let whole = Claim::new(Load { items: 2, bytes: 9 }, 0, Medium::Disk);
        let (mut first, rest) = whole.split(7);
        assert_eq!((first.spend().items, rest.items()), (2, 0));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "1 items were lost")]
    fn a_claim_that_is_lost_is_noticed() {
        drop(Claim::new(Load::one(1), 0, Medium::Memory));
    }
}
