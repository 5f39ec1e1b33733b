//! Answers of the store about records and files.

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;

#[cfg(not(any(test, feature = "spool")))]
use super::none::Place;
use super::note::Note;

/// The reason for which a record was not written.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The bound is reached.
    Full,
    Failed(io::Error),
}

/// The place of a record.
#[cfg(any(test, feature = "spool"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(super) file: u64,
    pub(super) at: u64,
}

/// The handle of a record, for its outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) place: Place,
    pub(crate) note: Note,
}

#[cfg(test)]
impl Ticket {
    /// A ticket of nothing in particular.
    pub(crate) const fn of(kind: super::note::Kind) -> Self {
        Self {
            place: Place { file: 0, at: 0 },
            note: Note {
                kind,
                id: [0; 16],
                items: 1,
                mark: 0,
            },
        }
    }
}

/// The next record, or the reason for having none.
#[derive(Debug)]
pub(crate) enum Next {
    Record(Ticket, Vec<u8>),
    /// A damaged record, which is to be settled like any other.
    Unreadable(Ticket),
    /// A file cannot be read any further.
    Lost(Lost),
    /// A file that cannot be opened now; it may be later.
    Failed(io::Error),
}

/// Items that can no longer be found, and are counted as dropped.
#[derive(Debug)]
pub(crate) struct Lost {
    /// The number of items by mark.
    pub(crate) items: BTreeMap<u64, u64>,
    pub(super) from: Place,
}

impl Lost {
    /// Returns the places that are lost.
    #[cfg(any(test, feature = "spool"))]
    pub(crate) const fn places(&self) -> RangeInclusive<Place> {
        let Place { file, .. } = self.from;
        self.from..=Place { file, at: u64::MAX }
    }

    #[cfg(not(any(test, feature = "spool")))]
    pub(crate) const fn places(&self) -> RangeInclusive<Place> {
        match self.from {}
    }
}

/// Items that other processes have left.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Still to be delivered.
    pub(crate) items: u64,
    /// Items that cannot be read, most often since the process was killed while writing them.
    pub(crate) lost: u64,
    /// Files that cannot be read, or not to the end.
    pub(crate) set_aside: u64,
    /// The number of ended processes with another key or URL.
    pub(crate) elsewhere: u64,
    /// Files that are not only this user's, or cannot be opened.
    pub(crate) strangers: u64,
}
