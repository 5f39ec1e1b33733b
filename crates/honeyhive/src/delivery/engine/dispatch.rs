//! What is due goes out, as far as the gates let it.

use std::sync::Arc;

use tokio::time::Instant;

use super::from_disk::Share;
use super::{Consignment, Done, Engine, TRACES_WIDTH, unless_cut};
use crate::delivery::changes::Operation;
use crate::delivery::sessions::Urgency;
use crate::delivery::spans::Batch;
use crate::delivery::spooling::Spooling;
use crate::error::StartError;
use crate::outbox::strays::Stray;
use crate::outbox::{Record, StartRecord};
use crate::report::DropReason;
use crate::settings::SessionTransport;

/// So much is looked through whenever a call comes back; more only at every tick.
const SMALL_BACKLOG: usize = 1_024;

impl Engine {
    /// Makes the calls that are due, as many as the gates let through.
    pub(super) async fn dispatch(&mut self, now: Instant) {
        let backlog = self.sessions.len() + self.spans.len();
        let look_for_due = std::mem::take(&mut self.look_for_due) || backlog <= SMALL_BACKLOG;
        if look_for_due {
            if self.spans.is_due(now, &self.ledger) {
                self.assign_spans(now);
            }
            let urgency = self.urgency();
            self.sessions.queue_due(now, &self.ledger, urgency);
        }
        self.dispatch_spooled(Share::Half, now);
        while self.rest_in_flight < self.rest.width(now) {
            let Some(operation) = self.sessions.next() else {
                break;
            };
            if self.belongs_on_disk(&operation) {
                self.spool_operation(operation, now);
            } else {
                self.call(operation, now);
            }
        }
        if look_for_due {
            self.spool_spans_behind_their_start(now).await;
            self.gather_spans(now).await;
        }
        while self.traces_in_flight < self.traces.width(now) {
            let Some(consignment) = self.next_consignment(now) else {
                break;
            };
            self.deliver(consignment, now);
        }
        self.dispatch_spooled(Share::Whole, now);
    }

    fn next_consignment(&mut self, now: Instant) -> Option<Consignment> {
        let disk_is_empty = self.spooling.as_ref().is_none_or(Spooling::is_empty);
        let is_due = |it: &Consignment| {
            it.retry_at.is_none_or(|then| now >= then) && (disk_is_empty || !it.is_behind_disk)
        };
        let index = self.consignments.iter().position(is_due)?;
        Some(self.consignments.remove(index))
    }

    /// An event exists once its span has arrived, and without REST starts so does a session: a flush sends
    /// spans first.
    fn urgency(&self) -> Urgency {
        let spans_have_gone =
            self.traces_in_flight == 0 && self.consignments.is_empty() && self.spans.len() == 0;
        match self.plan.transport {
            _ if spans_have_gone => Urgency::Counts,
            SessionTransport::Rest => Urgency::CountsForSessions,
            SessionTransport::Otlp => Urgency::DoesNotCount,
        }
    }

    fn call(&mut self, operation: Operation, now: Instant) {
        if self.rest.is_unauthorized(now) {
            return self.give_up(
                &operation,
                DropReason::Unauthorized,
                &StartError::Dropped {
                    reason: DropReason::Unauthorized,
                },
            );
        }
        self.rest_in_flight += 1;
        let call = operation.call(&self.plan.origin);
        let sink = self.plan.sink.clone();
        let cut = self.cut.subscribe();
        self.calls.spawn(async move {
            let answer = unless_cut(cut, sink.call(call)).await;
            Done::Session(operation, answer)
        });
    }

    fn deliver(&mut self, consignment: Consignment, now: Instant) {
        if self.traces.is_unauthorized(now) {
            return self
                .ledger
                .dropped(consignment.tally, DropReason::Unauthorized);
        }
        self.traces_in_flight += 1;
        let sink = self.plan.sink.clone();
        let cut = self.cut.subscribe();
        self.calls.spawn(async move {
            let answer = unless_cut(cut, sink.deliver(consignment.parcel.clone())).await;
            Done::Traces(consignment, answer)
        });
    }

    /// Finds the session of spans that are about to go. The tracer's own may begin with that: its start
    /// is not held back, since they wait for it.
    pub(super) fn assign_spans(&mut self, now: Instant) {
        let mut begun = None;
        let mut own = None;
        let Self {
            startup, notices, ..
        } = self;
        let ignored = self.spans.assign(|span| {
            if let Some(stray) = Stray::of(span) {
                notices.stray(stray);
            }
            let session = startup.get_or_start_late(span.start_time, |start| begun = Some(start));
            own.insert(session).id()
        });
        for tally in ignored {
            self.ledger.withdrawn(tally);
        }
        if let Some(session) = own
            && session.start.is_left_to_spans()
        {
            self.spans.unstarted(&session.start);
        }
        if let Some(start) = begun {
            self.begin_late(start, now);
        }
        self.hold_spans(now);
    }

    fn begin_late(&mut self, start: Arc<StartRecord>, now: Instant) {
        let id = start.id;
        let record = Record::Start(start);
        self.outbox.accept_late(record.load());
        self.take_in(record, now);
        self.sessions.hold_no_longer(id, now);
    }

    /// Encodes batches while there is room to send them.
    async fn gather_spans(&mut self, now: Instant) {
        while self.traces_in_flight + self.free_consignments() < TRACES_WIDTH
            && self.spans.is_due(now, &self.ledger)
        {
            let Some(batch) = self.next_batch() else {
                return;
            };
            match self.plan.sink.pack(batch.spans).await {
                Some(parcel) => {
                    self.consignments
                        .push(Consignment::new(parcel, batch.tally, batch.since))
                }
                None => self.ledger.dropped(batch.tally, DropReason::Rejected),
            }
        }
    }

    fn free_consignments(&self) -> usize {
        let free = self.consignments.iter().filter(|it| !it.is_behind_disk);
        free.count()
    }

    fn next_batch(&mut self) -> Option<Batch> {
        let Self {
            spans,
            sessions,
            ledger,
            plan,
            spooling,
            ..
        } = self;
        let by_rest = plan.transport == SessionTransport::Rest;
        spans.next_batch(&plan.origin, ledger, |id| {
            (by_rest && sessions.start_is_pending(id))
                || spooling.as_ref().is_some_and(|it| it.has_start(id))
        })
    }
}
