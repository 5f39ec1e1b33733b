//! [`Shelf`] and [`Place`] have no value where no spool is built in, so that the compiler leaves out all that delivery
//! does with a disk.

use super::Spool;
use super::note::Id;

/// A record has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {}

/// No records are on disk.
#[derive(Debug, Clone)]
pub(crate) enum Shelf {}

impl Shelf {
    pub(crate) fn of(settings: &Spool) -> Self {
        match *settings {}
    }

    pub(crate) fn is_empty(&self) -> bool {
        match *self {}
    }

    pub(crate) fn has_unread(&self) -> bool {
        match *self {}
    }

    pub(crate) fn has_traces(&self) -> bool {
        match *self {}
    }

    pub(crate) fn has_start(&self, _: &Id) -> bool {
        match *self {}
    }

    pub(crate) fn has_any(&self, _: &Id) -> bool {
        match *self {}
    }
}
