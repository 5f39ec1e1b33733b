//! [`InsertionOrder`] keeps ids in the order in which they came.

use std::collections::VecDeque;

use crate::model::id::SessionId;

/// So many places of ids that are gone are kept in any case.
const SPARE: usize = 1_024;

/// The oldest id comes first. An id that goes, or comes again, leaves its place, which is skipped: taking a place out
/// of the middle costs more than many of them do.
#[derive(Debug, Default)]
pub(super) struct InsertionOrder {
    places: VecDeque<(u64, SessionId)>,
    stamps: u64,
}

impl InsertionOrder {
    /// Adds an id behind all others, and returns the stamp of its place.
    pub(super) fn push(&mut self, id: SessionId) -> u64 {
        self.stamps += 1;
        self.places.push_back((self.stamps, id));
        self.stamps
    }

    pub(super) fn pop(&mut self) -> Option<(u64, SessionId)> {
        self.places.pop_front()
    }

    /// Returns the places with their stamps, among them those of ids that are gone.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, SessionId)> {
        self.places.iter().copied()
    }

    /// Removes the places that are not current: the oldest at once, the others when they are more than those of the
    /// `left` ids.
    pub(super) fn tidy(&mut self, left: usize, is_current: impl Fn(u64, SessionId) -> bool) {
        while let Some(&(stamp, id)) = self.places.front()
            && !is_current(stamp, id)
        {
            self.places.pop_front();
        }
        if self.places.len() > 2 * left + SPARE {
            self.places.retain(|(stamp, id)| is_current(*stamp, *id));
        }
    }
}
