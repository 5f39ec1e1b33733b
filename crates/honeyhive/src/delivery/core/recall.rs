//! Records are read back from disk as far as there is room in memory, and settled there.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::Instant;

use super::state::{Core, Effect};
use crate::delivery::disk::{Recalled, Request};
use crate::delivery::lane::Number;
use crate::delivery::ledger::Ledger;
use crate::delivery::sealed::{Body, Home, Sealed, Target};
use crate::error::StartError;
use crate::report::DropReason;
use crate::spool::{Place, Ticket};

/// Memory holds this many records from disk at a time.
const WINDOW: usize = 32;
const WINDOW_BYTES: usize = 8 * 1024 * 1024;

impl Core {
    /// Requests records from disk, as far as there is room for them.
    pub(super) fn read_back(&mut self, now: Instant) {
        let (records, bytes) = self.lane.recalled();
        let Some(disk) = &mut self.disk else {
            return;
        };
        let may_read = !disk.is_reading && disk.read_after.is_none_or(|then| now >= then);
        if may_read && records < WINDOW && bytes < WINDOW_BYTES && disk.shelf.has_unread() {
            disk.is_reading = true;
            let read = Request::Read {
                records: WINDOW - records,
                bytes: WINDOW_BYTES - bytes,
            };
            self.effects.push(Effect::Disk(read));
        }
    }

    pub(super) fn read(&mut self, recalled: Vec<Recalled>, now: Instant) {
        if let Some(disk) = &mut self.disk {
            disk.is_reading = false;
        }
        for recalled in recalled {
            match recalled {
                Recalled::Call(ticket, body) => self.recall(ticket, body, now),
                Recalled::Unreadable(ticket) => {
                    let items = [(ticket.note.mark, u64::from(ticket.note.items))].into();
                    self.lose(&items, ticket.place..=ticket.place, now);
                }
                Recalled::Lost(lost) => self.lose(&lost.items, lost.places(), now),
                Recalled::Failed(error) => {
                    self.notices.spool_failed(&error, now);
                    if let Some(disk) = &mut self.disk {
                        disk.read_after = Some(now + Duration::from_secs(1));
                    }
                }
            }
        }
    }

    fn recall(&mut self, ticket: Ticket, body: Body, now: Instant) {
        let target = Target::of(ticket.note.kind, ticket.note.id);
        let claim = Ledger::recalled(ticket.note.mark, u64::from(ticket.note.items));
        let mut call = Sealed::new(target, body, claim, now);
        call.home = Home::Disk(ticket);
        let starts = self.disk.as_ref().map(|disk| &disk.starts);
        call.start = starts.and_then(|starts| starts.get(&ticket.place)?.upgrade());
        self.lane.push(call);
    }

    fn lose(&mut self, items: &BTreeMap<u64, u64>, places: RangeInclusive<Place>, now: Instant) {
        self.notices.spool_unreadable(now);
        self.ledger.lost_on_disk(items);
        let starts = self.disk.as_mut().map(|disk| disk.take_starts(places));
        for start in starts.unwrap_or_default() {
            start.settle(Err(StartError::Dropped {
                reason: DropReason::Unreadable,
            }));
            self.intake.labels.unstarted(&start);
        }
    }

    /// Takes in that a record on disk has its outcome.
    pub(super) fn settled(&mut self, number: Number, now: Instant) {
        let Some((call, outcome)) = self.lane.take_settled(number) else {
            return;
        };
        if let (Home::Disk(ticket), Some(disk)) = (call.home, &mut self.disk) {
            disk.starts.remove(&ticket.place);
        }
        let was_start = matches!(call.target, Target::Start(_));
        self.account(call, outcome, now);
        if was_start {
            self.free_spans_behind_disk();
        }
    }
}
