//! [`DiskSide`] is the core's knowledge of the disk.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Weak};

use tokio::time::Instant;

use crate::outbox::StartRecord;
use crate::spool::{Place, Shelf};

/// The starts of sessions without any handle are forgotten from this number of starts on.
const MANY_STARTS: usize = 1_024;

#[derive(Debug)]
pub(super) struct DiskSide {
    pub(super) shelf: Shelf,
    pub(super) look_at: Option<Instant>,
    /// The first look has not been answered; nothing is sent meanwhile, but not beyond this time.
    pub(super) first_look_until: Option<Instant>,
    pub(super) is_reading: bool,
    /// The time to try again comes after a file could not be opened.
    pub(super) read_after: Option<Instant>,
    /// The time to ask again comes after the disk has refused a record.
    pub(super) refused_until: Option<Instant>,
    /// An accepted key frees no calls again before this time.
    pub(super) keep_until: Option<Instant>,
    pub(super) is_relieving: bool,
    /// Memory is not relieved again before this time.
    pub(super) relieve_after: Option<Instant>,
    /// The starts of this process that are on disk are kept while their session has a handle.
    pub(super) starts: BTreeMap<Place, Weak<StartRecord>>,
    /// Starts without any handle are removed at this number of starts.
    pub(super) many_starts: usize,
}

impl DiskSide {
    pub(super) const fn new(shelf: Shelf) -> Self {
        Self {
            shelf,
            look_at: None,
            first_look_until: None,
            is_reading: false,
            read_after: None,
            refused_until: None,
            keep_until: None,
            is_relieving: false,
            relieve_after: None,
            starts: BTreeMap::new(),
            many_starts: MANY_STARTS,
        }
    }

    pub(super) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    pub(super) fn remember_start(&mut self, place: Place, start: &Arc<StartRecord>) {
        if self.starts.len() >= self.many_starts {
            self.starts.retain(|_, start| start.strong_count() > 0);
            self.many_starts = MANY_STARTS.max(2 * self.starts.len());
        }
        self.starts.insert(place, Arc::downgrade(start));
    }

    pub(super) fn take_starts(&mut self, places: RangeInclusive<Place>) -> Vec<Arc<StartRecord>> {
        let taken: Vec<_> = self.starts.range(places).map(|(place, _)| *place).collect();
        let starts = taken.iter().filter_map(|place| self.starts.remove(place));
        starts.filter_map(|start| start.upgrade()).collect()
    }
}
