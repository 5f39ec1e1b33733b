//! Piles that are due are sealed, as far as there is room to send them.

use std::sync::Arc;

use tokio::time::Instant;

use super::state::{Core, Effect};
use crate::delivery::claim::Claim;
use crate::delivery::lane::Number;
use crate::delivery::piles::{Batch, Job, JobOf, Patience, Place};
use crate::delivery::routes::{REST_WIDTH, TRACES_WIDTH};
use crate::delivery::seal::{Open, Product};
use crate::delivery::sealed::{Body, Sealed, Target};
use crate::error::StartError;
use crate::model::id::SessionId;
use crate::outbox::StartRecord;
use crate::report::DropReason;
use crate::settings::SessionTransport;

impl Core {
    /// Seals due piles: spans first, since they may create the sessions of updates.
    pub(super) fn seal_what_is_due(&mut self, now: Instant) {
        if self.piles.spans.strays_are_due(now, &self.ledger) {
            self.assign_strays(now);
        }
        let patience = self.patience();
        self.piles.spans.look(now, &self.ledger);
        let ready = self.piles.jobs.len(true) + self.lane.ready(true);
        for _ in ready..TRACES_WIDTH {
            if !self.piles.spans.free_are_due(now, &self.ledger, patience) {
                break;
            }
            let Some(batch) = self.piles.spans.next_batch(&mut self.ledger) else {
                break;
            };
            self.seal_spans(batch, false);
        }
        // Several piles are sealed at once, since each time that the sealing thread wakes up costs more than a seal.
        let mut ready = self.piles.jobs.len(false) + self.lane.ready(false);
        let width = self.routes.rest.width(now).max(REST_WIDTH);
        if ready > width / 2 {
            ready = ready.saturating_sub(self.kept_by_the_disk(now));
        }
        if ready > width / 2 {
            return;
        }
        let takes_more = self.disk_takes_more(now);
        while ready < 2 * width
            && let Some(id) = self.piles.sessions.next_due(now)
        {
            // Data behind spans on disk follow them there.
            let is_behind = if takes_more {
                self.is_behind_memory(id)
            } else {
                self.is_behind(id)
            };
            if !is_behind && self.seal_session(id, false, now) {
                ready += 1;
            }
        }
    }

    /// Returns the number of calls that have to follow others to a disk that takes no more. No session waits for them.
    fn kept_by_the_disk(&self, now: Instant) -> usize {
        let disk = self.disk.as_ref().filter(|_| !self.disk_takes_more(now));
        disk.map_or(0, |disk| self.lane.followers(&disk.shelf).len())
    }

    /// Returns how much longer the spans of a run wait for a whole batch; not at all where spans create their session.
    fn patience(&self) -> Patience {
        let may_wait = self.intake.transport == SessionTransport::Rest && self.outbox.has_run();
        if may_wait {
            Patience::Whole
        } else {
            Patience::Little
        }
    }

    /// Returns true while an item of ours must go before a session's open data: another call of it, or spans that may
    /// create it.
    pub(super) fn is_behind(&self, id: SessionId) -> bool {
        self.is_behind_own(id) || (self.has_no_start(id) && self.may_be_created(id))
    }

    /// Returns true while an item of ours in memory must go to disk before a session's open data.
    pub(super) fn is_behind_memory(&self, id: SessionId) -> bool {
        self.is_behind_own(id)
            || (self.has_no_start(id)
                && (self.may_be_created_from_piles(id) || self.lane.may_create_from_memory(id)))
    }

    fn is_behind_own(&self, id: SessionId) -> bool {
        self.lane.holds(id) || self.piles.jobs.holds(id)
    }

    /// Returns true for a session that only spans may create.
    fn has_no_start(&self, id: SessionId) -> bool {
        !(self.piles.sessions.has_start(id) || self.lane.knows(id) || self.has_start_on_disk(id))
    }

    /// Returns true while spans of ours may still create a session or an event.
    pub(super) fn may_be_created(&self, id: SessionId) -> bool {
        self.may_be_created_from_piles(id) || self.lane.may_create(id)
    }

    fn may_be_created_from_piles(&self, id: SessionId) -> bool {
        self.piles.spans.may_create(id) || self.piles.jobs.may_create(id)
    }

    /// Seals the open data of a session, whether due or not; false where there is none.
    pub(super) fn seal_session(&mut self, id: SessionId, to_disk: bool, now: Instant) -> bool {
        let Some(opened) = self.piles.sessions.open(id, now) else {
            return false;
        };
        if opened.start.is_none() && opened.updates.is_empty() {
            return false;
        }
        if let Some((start, _)) = &opened.start {
            self.under_way.note(start);
        }
        let open = Open::Session {
            id,
            start: opened.start.as_ref().map(|(start, _)| start.clone()),
            updates: opened.updates,
        };
        let number = self.piles.jobs.add(Job {
            of: JobOf::Session {
                id,
                start: opened.start,
            },
            claim: opened.claim,
            since: opened.since,
            to_disk,
        });
        self.effects.push(Effect::Seal(number, open));
        true
    }

    pub(super) fn seal_spans(&mut self, mut batch: Batch, to_disk: bool) {
        if self.has_rescued() {
            // The spans do not wait for a start that does not get through.
            let is_pending = |id: &SessionId| self.start_is_pending(*id);
            batch.about.sessions.retain(|id| !is_pending(id));
        }
        let ids = batch.about.sessions.iter().chain(&batch.about.events);
        for id in ids {
            self.piles.sessions.unblock(*id);
        }
        let labels = &self.intake.labels;
        for open in &mut batch.spans {
            open.session = labels.current(open.session);
            open.has_children = labels.has_children(&open.span);
            open.unstarted = labels.unstarted_name(open.session).cloned();
        }
        let open = Open::Spans(batch.spans);
        let number = self.piles.jobs.add(Job {
            of: JobOf::Spans(batch.about),
            claim: batch.claim,
            since: batch.since,
            to_disk,
        });
        self.effects.push(Effect::Seal(number, open));
    }

    /// Takes in the result of a seal.
    pub(super) fn sealed(&mut self, number: Number, product: Product, now: Instant) {
        let Some(job) = self.piles.jobs.remove(number) else {
            return;
        };
        let first = match (job.of, product) {
            (
                JobOf::Session { id, start },
                Product::Session {
                    start: body,
                    update,
                },
            ) => self.sealed_session(id, start, job.claim, (body, update), job.since),
            (JobOf::Spans(about), Product::Spans(body)) => {
                let mut call = Sealed::new(Target::Traces, body, job.claim, job.since);
                call.about = Some(about);
                Some(self.lane.push(call))
            }
            (of, _) => {
                self.not_sealed(of, job.claim);
                None
            }
        };
        if let Some(first) = first.filter(|_| job.to_disk) {
            self.write(first, now);
        }
    }

    /// Returns the first of the calls that carry a session's data. Data that a start has no place for follow it.
    fn sealed_session(
        &mut self,
        id: SessionId,
        start: Option<(Arc<StartRecord>, Claim)>,
        mut claim: Claim,
        (body, update): (Option<Body>, Option<Body>),
        since: Instant,
    ) -> Option<Number> {
        let mut first = None;
        match (start, body) {
            (Some((record, start_claim)), Some(body)) => {
                let start_claim = if update.is_none() {
                    self.ledger.merge(start_claim, claim.take())
                } else {
                    start_claim
                };
                let mut call = Sealed::new(Target::Start(id), body, start_claim, since);
                call.start = Some(record);
                first = Some(self.lane.push(call));
            }
            (Some(start), None) => {
                let of = JobOf::Session {
                    id,
                    start: Some(start),
                };
                self.not_sealed(of, claim);
                return None;
            }
            (None, _) => {}
        }
        let Some(body) = update else {
            self.ledger.dropped(claim, DropReason::Rejected);
            return first;
        };
        let update = Sealed::new(Target::Update(id), body, claim, since);
        let number = self.lane.push(update);
        first.or(Some(number))
    }

    /// Drops a pile that cannot be serialised.
    fn not_sealed(&mut self, of: JobOf, claim: Claim) {
        let reason = DropReason::Rejected;
        self.ledger.dropped(claim, reason);
        if let JobOf::Session { id, start } = of {
            if let Some((start, claim)) = start {
                self.ledger.dropped(claim, reason);
                start.settle(Err(StartError::Dropped { reason }));
                self.intake.labels.unstarted(&start);
            }
            self.rest_call_is_gone(id);
        }
    }

    /// Checks the items that waited for a call of this session.
    pub(super) fn rest_call_is_gone(&mut self, id: SessionId) {
        self.piles.sessions.unblock(id);
        self.release_spans(id);
    }

    /// Frees the spans of a session whose start is no longer pending.
    pub(super) fn release_spans(&mut self, id: SessionId) {
        let place = self.place_of(id);
        if place != Place::Held {
            self.piles.spans.release(id, place);
        }
    }
}
