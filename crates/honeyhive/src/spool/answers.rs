//! The store answers about records and files.

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;

#[cfg(not(any(test, feature = "spool")))]
use super::none::Place;
use super::note::Note;

/// A record was not written for one of these reasons.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The bound is reached.
    Full,
    Failed(io::Error),
}

/// A record has a place in a file.
#[cfg(any(test, feature = "spool"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(super) file: u64,
    pub(super) at: u64,
}

/// The ticket is the handle of a record, for its outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) place: Place,
    pub(crate) note: Note,
}

#[cfg(test)]
impl Ticket {
    /// Returns a ticket of nothing in particular.
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

/// The store gives the next record, or the reason for having none.
#[derive(Debug)]
pub(crate) enum Next {
    Record(Ticket, Vec<u8>),
    /// A damaged record is to be settled like any other.
    Unreadable(Ticket),
    /// A file cannot be read any further.
    Lost(Lost),
    /// A file cannot be opened now; it may be later.
    Failed(io::Error),
}

/// Lost items can no longer be found, and are counted as dropped.
#[derive(Debug)]
pub(crate) struct Lost {
    /// The items are counted by mark.
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

/// Other processes have left these items.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// The items are still to be delivered.
    pub(crate) items: u64,
    /// These items cannot be read, most often since the process was killed while writing them.
    pub(crate) lost: u64,
    /// These files cannot be read, or not to the end.
    pub(crate) set_aside: u64,
    /// So many ended processes had another key, URL or project.
    pub(crate) elsewhere: u64,
    /// These files are not only this user's, or cannot be opened.
    pub(crate) strangers: u64,
}
