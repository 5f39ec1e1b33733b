//! What goes to disk and comes back: what memory cannot hold, and whatever follows what is there.

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::Instant;

use super::state::{Core, Effect, LOOK};
use crate::delivery::disk::{Recalled, Request, Response};
use crate::delivery::lane::Number;
use crate::delivery::lane::pressure::{REFUSED_WAIT, RELIEF_PAUSE, RELIEVED, WRITES, is_too_full};
use crate::delivery::ledger::Ledger;
use crate::delivery::sealed::{Body, Home, Sealed, Target};
use crate::error::StartError;
use crate::model::id::SessionId;
use crate::report::DropReason;
use crate::spool::{Found, Place, Refused, Ticket};

/// How much of what is on disk is in memory at a time.
const WINDOW: usize = 32;
const WINDOW_BYTES: usize = 8 * 1024 * 1024;
/// So long a flush waits for the first look into the folder.
const FIRST_LOOK: Duration = Duration::from_secs(5);
/// And so long nothing is sent, however slow the disk is.
const SENDING_AFTER: Duration = Duration::from_secs(1);
/// So many sessions are looked at for what may go to disk, at a time.
const LOOKED_AT: usize = 1_024;

impl Core {
    /// True where the start of this session may be on disk.
    pub(super) fn has_start_on_disk(&self, id: SessionId) -> bool {
        let disk = self.disk.as_ref();
        disk.is_some_and(|disk| disk.shelf.has_start(&id.to_bytes()))
    }

    /// Asks for what processes have left that are gone.
    pub(super) fn look_at_disk(&mut self, now: Instant) {
        let mark = self.ledger.epoch();
        if let Some(disk) = &mut self.disk
            && disk.look_at.is_none_or(|then| now >= then)
        {
            if disk.look_at.is_none() {
                // A flush right at the beginning waits for what the process before has left.
                self.ledger.expect(Some(now + FIRST_LOOK));
                disk.first_look_until = Some(now + SENDING_AFTER);
            }
            disk.look_at = Some(now + LOOK);
            self.effects.push(Effect::Disk(Request::Look(mark)));
        }
    }

    /// Lets spans go whose start is not on disk any more.
    pub(super) fn free_spans_behind_disk(&mut self) {
        if let Some(disk) = &self.disk {
            let shelf = &disk.shelf;
            self.spans.free_behind(|id| shelf.has_start(&id.to_bytes()));
        }
    }

    /// Whether the disk is asked to take something. What it refused lately it would refuse again; at the end everything
    /// is tried.
    fn disk_takes_more(&self, now: Instant) -> bool {
        let Some(disk) = &self.disk else {
            return false;
        };
        if self.is_writing_the_rest() {
            return !self.is_in_overtime(now);
        }
        disk.refused_until.is_none_or(|then| now >= then)
    }

    /// Asks the disk to take a call.
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

    /// Takes in what the disk has answered.
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

    /// True while nothing is sent, since what it has to follow may be on disk.
    pub(super) fn is_looking_first(&self, now: Instant) -> bool {
        let until = self.disk.as_ref().and_then(|disk| disk.first_look_until);
        until.is_some_and(|until| now < until)
    }

    fn written(&mut self, number: Number, place: Place) {
        let Some(call) = self.lane.remove(number) else {
            return;
        };
        if let (Some(start), Some(disk)) = (&call.start, &mut self.disk) {
            disk.remember_start(place, start);
        }
        self.ledger.spooled(call.claim);
        if let Some(id) = call.target.id() {
            self.rest_call_is_gone(id);
        }
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

    /// Writes what has to follow what is on disk.
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
        if self.spans.behind_are_due(now, &self.ledger)
            && self.jobs.for_disk().0 < WRITES
            && let Some(batch) = self.spans.next_batch_behind(&mut self.ledger)
        {
            self.seal_spans(batch, true);
        }
    }

    /// Writes to disk what memory cannot hold, oldest first.
    pub(super) fn relieve(&mut self, now: Instant) {
        if !self.should_relieve(now) {
            return;
        }
        let mut issued = self.relieve_calls(now);
        issued |= self.relieve_sessions(now, true);
        issued |= self.relieve_spans(now);
        if self.spans.is_empty() && !self.lane.has_spans_in_memory() && self.jobs.len(true) == 0 {
            issued |= self.relieve_sessions(now, false);
        }
        if let Some(disk) = &mut self.disk
            && !issued
            && !self.outbox.has_gathered()
            && self.jobs.for_disk().0 == 0
            && self.lane.writing().0 == 0
        {
            // It goes the usual way meanwhile; and to look through all of it takes time.
            disk.is_relieving = false;
            disk.relieve_after = Some(now + RELIEF_PAUSE);
        }
    }

    /// True while memory is being relieved to disk.
    pub(super) fn is_relieving(&self, now: Instant) -> bool {
        let wants_to = self.disk.as_ref().is_some_and(|disk| disk.is_relieving);
        let is_at_work = self.lane.writing().0 + self.jobs.for_disk().0 > 0;
        (wants_to || is_at_work) && self.disk_takes_more(now)
    }

    fn should_relieve(&mut self, now: Instant) -> bool {
        let fullness = self.fullness_to_come();
        let is_outage = self.rest.is_outage() || self.traces.is_outage();
        let takes_more = self.disk_takes_more(now);
        let Some(disk) = &mut self.disk else {
            return false;
        };
        if fullness <= RELIEVED {
            disk.is_relieving = false;
        } else if is_too_full(fullness, is_outage)
            && disk.relieve_after.is_none_or(|then| now >= then)
        {
            disk.is_relieving = true;
        }
        disk.is_relieving && takes_more
    }

    /// How full memory is once all that is on its way to disk has arrived there.
    fn fullness_to_come(&self) -> f64 {
        let mut leaving = self.lane.writing().1;
        leaving.add(self.jobs.for_disk().1);
        self.outbox.fullness_without(leaving)
    }

    fn relief_room(&self) -> usize {
        if self.fullness_to_come() <= RELIEVED {
            return 0;
        }
        WRITES.saturating_sub(self.lane.writing().0 + self.jobs.for_disk().0)
    }

    fn relieve_calls(&mut self, now: Instant) -> bool {
        let free = self.lane.free_in_memory(self.relief_room());
        for number in &free {
            self.write(*number, now);
        }
        !free.is_empty()
    }

    /// Writes what sessions have to say, of those that HoneyHive knows or is told of, or of the others.
    fn relieve_sessions(&mut self, now: Instant, only_known: bool) -> bool {
        let ids: Vec<_> = self.sessions.by_age().take(LOOKED_AT).collect();
        let mut issued = false;
        let mut room = self.relief_room();
        for id in ids {
            if room == 0 {
                break;
            }
            let is_known = self.sessions.has_start(id) || self.lane.knows(id);
            let waits = self.sessions.awaits_end(id) || self.sessions.awaits_spans(id);
            if waits || is_known != only_known || self.is_behind(id) {
                continue;
            }
            if self.seal_session(id, true, now) {
                issued = true;
                room = self.relief_room();
            }
        }
        issued
    }

    fn relieve_spans(&mut self, now: Instant) -> bool {
        if self.relief_room() > 0 {
            self.assign_strays(now);
        }
        let mut issued = false;
        while self.relief_room() > 0 {
            let behind = self.spans.next_batch_behind(&mut self.ledger);
            let Some(batch) = behind.or_else(|| self.spans.next_batch(&mut self.ledger)) else {
                break;
            };
            self.seal_spans(batch, true);
            issued = true;
        }
        issued
    }

    /// Asks for what is on disk, as far as there is room for it.
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

    fn read(&mut self, recalled: Vec<Recalled>, now: Instant) {
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
            self.labels.unstarted(&start);
        }
    }

    /// Takes in that a record on disk has its outcome.
    fn settled(&mut self, number: Number, now: Instant) {
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
