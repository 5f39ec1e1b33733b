//! [`Shelf`] shows the delivery thread what is on disk while another thread reads and writes there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Spool;
use super::held::Held;
use super::note::{Id, Note};

/// The records on the shelf are on disk and have no outcome yet. The thread of the files keeps it up to date.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    held: Held,
    has_files: bool,
    has_unread: bool,
}

impl Shelf {
    /// Returns the empty shelf of a spool, whose files nobody has looked at yet.
    pub(crate) fn of(_: &Spool) -> Self {
        Self::default()
    }

    /// Returns the shelf of a folder whose one record was read back.
    #[cfg(test)]
    pub(crate) fn with(ticket: &super::Ticket) -> Self {
        let shelf = Self::default();
        shelf.add(&ticket.note);
        shelf.set_files(true, false);
        shelf
    }

    /// Returns true where everything has its outcome.
    pub(crate) fn is_empty(&self) -> bool {
        !self.lock().has_files
    }

    /// Returns true where a record was not read back yet.
    pub(crate) fn has_unread(&self) -> bool {
        self.lock().has_unread
    }

    pub(crate) fn has_traces(&self) -> bool {
        self.lock().held.has_traces()
    }

    /// Returns true where the start of this session may be among the records.
    pub(crate) fn has_start(&self, id: &Id) -> bool {
        self.lock().held.has_start(id)
    }

    /// Returns whether a record of this session may be on disk.
    pub(crate) fn has_any(&self, id: &Id) -> bool {
        self.lock().held.has_any(id)
    }

    pub(super) fn add(&self, note: &Note) {
        self.lock().held.add(note);
    }

    pub(super) fn remove(&self, note: &Note) {
        self.lock().held.remove(note);
    }

    /// Begins anew with these records.
    pub(super) fn recount<'a>(&self, notes: impl IntoIterator<Item = &'a Note>) {
        let mut held = Held::default();
        notes.into_iter().for_each(|note| held.add(note));
        self.lock().held = held;
    }

    pub(super) fn set_files(&self, has_files: bool, has_unread: bool) {
        let mut state = self.lock();
        (state.has_files, state.has_unread) = (has_files, has_unread);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
