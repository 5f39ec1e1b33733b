//! [`Load`] and [`Medium`] tell how much is pending, and where.

/// A load is a number of items and the bytes they hold, on their way from accepted to an outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) items: u64,
    pub(crate) bytes: u64,
}

impl Load {
    pub(crate) const fn one(bytes: usize) -> Self {
        Self {
            items: 1,
            bytes: bytes as u64,
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.items += other.items;
        self.bytes += other.bytes;
    }
}

/// Pending items are in memory or on disk. Only those in memory count against its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Memory,
    Disk,
}
