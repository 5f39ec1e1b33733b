//! The core asks the disk and takes in its responses: records that must follow one on disk go there, too.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::state::{Core, Effect, LOOK};
use crate::delivery::disk::{Request, Response};
use crate::delivery::lane::Number;
use crate::delivery::lane::pressure::{REFUSED_WAIT, WRITES};
use crate::delivery::ledger::Ledger;
use crate::model::id::SessionId;
use crate::report::DropReason;
use crate::spool::{Found, Place, Refused};

/// A flush waits this long for the first look into the folder.
const FIRST_LOOK: Duration = Duration::from_secs(5);
/// Nothing is sent for this time, unless the first look ends before.
const SENDING_AFTER: Duration = Duration::from_secs(1);

impl Core {
    /// Returns true where the start of this session may be on disk.
    pub(super) fn has_start_on_disk(&self, id: SessionId) -> bool {
        let disk = self.disk.as_ref();
        disk.is_some_and(|disk| disk.shelf.has_start(&id.to_bytes()))
    }

    /// Requests the files of ended processes.
    pub(super) fn look_at_disk(&mut self, now: Instant) {
        let mark = self.ledger.epoch();
        if let Some(disk) = &mut self.disk
            && disk.look_at.is_none_or(|then| now >= then)
        {
            if disk.look_at.is_none() {
                // A flush at the very beginning waits for the files of the process before.
                self.ledger.expect(Some(now + FIRST_LOOK));
                disk.first_look_until = Some(now + SENDING_AFTER);
            }
            disk.look_at = Some(now + LOOK);
            self.effects.push(Effect::Disk(Request::Look(mark)));
        }
    }

    /// Frees spans whose start is not on disk any more.
    pub(super) fn free_spans_behind_disk(&mut self) {
        if let Some(disk) = &self.disk {
            let shelf = &disk.shelf;
            self.piles
                .spans
                .free_behind(|id| shelf.has_start(&id.to_bytes()));
        }
    }

    /// Returns whether the disk takes further records. A disk that has refused one lately is not asked, except at the
    /// end, when everything is tried.
    pub(super) fn disk_takes_more(&self, now: Instant) -> bool {
        let Some(disk) = &self.disk else {
            return false;
        };
        if self.is_writing_the_rest() {
            return !self.is_in_overtime(now);
        }
        disk.refused_until.is_none_or(|then| now >= then)
    }

    /// Requests the disk to take a call.
    pub(super) fn write(&mut self, number: Number, now: Instant) {
        if !self.disk_takes_more(now) {
            return;
        }
        let Some(call) = self.lane.get(number) else {
            return;
        };
        let write = Request::Write {
            number,
            target: call.target,
            body: call.body.clone(),
            items: call.claim.items(),
            mark: call.claim.epoch(),
        };
        self.effects.push(Effect::Disk(write));
        self.lane.set_writing(number);
    }

    /// Takes in a response of the disk.
    pub(super) fn disk_answered(&mut self, response: Response, now: Instant) {
        match response {
            Response::Looked(mark, found) => self.looked(mark, found, now),
            Response::Written(number, Ok(place)) => self.written(number, place),
            Response::Written(number, Err(refused)) => self.not_written(number, refused, now),
            Response::Read(recalled) => self.read(recalled, now),
            Response::Settled(number) => self.settled(number, now),
            Response::SetAside(files) => self.outbox.count_set_aside(files),
            Response::Ended => {}
        }
    }

    fn looked(&mut self, mark: u64, found: io::Result<Found>, now: Instant) {
        match found {
            Ok(found) => {
                self.ledger.inherit(found.items + found.lost, mark);
                let lost = Ledger::recalled(mark, found.lost);
                self.ledger.dropped(lost, DropReason::Unreadable);
                self.outbox.count_set_aside(found.set_aside);
                self.notices.found_in_spool(&found);
            }
            Err(error) => self.notices.spool_failed(&error, now),
        }
        self.ledger.expect(None);
        if let Some(disk) = &mut self.disk {
            disk.first_look_until = None;
        }
    }

    /// Returns true while nothing is sent, since the disk may hold records that go first.
    pub(super) fn is_looking_first(&self, now: Instant) -> bool {
        let until = self.disk.as_ref().and_then(|disk| disk.first_look_until);
        until.is_some_and(|until| now < until)
    }

    fn written(&mut self, number: Number, place: Place) {
        let Some(mut call) = self.lane.remove(number) else {
            return;
        };
        if let (Some(start), Some(disk)) = (&call.start, &mut self.disk) {
            disk.remember_start(place, start);
        }
        self.ledger.spooled(call.claim.take());
        self.is_gone(&call);
    }

    fn not_written(&mut self, number: Number, refused: Refused, now: Instant) {
        self.lane.set_waiting(number);
        self.lane.note_refused(number, self.is_writing_the_rest());
        if let Some(disk) = &mut self.disk {
            disk.refused_until = Some(now + REFUSED_WAIT);
        }
        match refused {
            Refused::Full => self.notices.spool_full(now),
            Refused::Failed(error) => self.notices.spool_failed(&error, now),
        }
    }

    /// Writes the calls that have to follow others on disk.
    pub(super) fn follow_to_disk(&mut self, now: Instant) {
        let Some(disk) = &self.disk else {
            return;
        };
        if disk.shelf.is_empty() || !self.disk_takes_more(now) {
            return;
        }
        for number in self.lane.followers(&disk.shelf) {
            self.write(number, now);
        }
        if self.piles.spans.behind_are_due(now, &self.ledger)
            && self.piles.jobs.for_disk().0 < WRITES
            && let Some(batch) = self.piles.spans.next_batch_behind(&mut self.ledger)
        {
            self.seal_spans(batch, true);
        }
    }
}
