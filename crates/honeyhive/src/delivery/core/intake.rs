//! Records and spans come from the outbox, get their session, and join a pile.

use std::sync::Arc;

use opentelemetry_sdk::trace::SpanData;
use tokio::time::Instant;

use super::state::Core;
use crate::attributes::EXPERIMENT;
use crate::delivery::claim::Claim;
use crate::delivery::intake::{Held, session_of};
use crate::delivery::piles::{Place, Waiting};
use crate::model::id::SessionId;
use crate::model::object::Object;
use crate::outbox::strays::Stray;
use crate::outbox::{Inbox, Inputs, Record, StartRecord, Timing, Update, span_load};
use crate::settings::SessionTransport;

impl Core {
    /// Takes in the records that have gathered in the outbox.
    pub(super) fn take(&mut self, inbox: &mut Inbox, now: Instant) {
        self.note_events(inbox);
        for record in inbox.records.drain(..) {
            self.take_record(record, now);
        }
        for span in inbox.spans.drain(..) {
            self.take_span(span, now);
        }
        for command in inbox.commands.drain(..) {
            self.obey(command, now);
        }
        inbox.shrink();
        self.decide(now);
    }

    pub(super) fn take_record(&mut self, record: Record, now: Instant) {
        let claim = self.ledger.accept(record.load());
        match record {
            Record::Start(start) => self.take_start(start, claim, now),
            Record::Update(id, update, timing) => {
                self.update(id, vec![update], timing, claim, now);
            }
            Record::Moved(start, to) => self.moved(&start, to, now),
            Record::Adopted(span, session) => self.intake.labels.adopt(span, session),
            Record::Ignored(span) => self.intake.labels.ignore(span),
            Record::Root(root) => self.intake.labels.note_request(*root),
            Record::RootEnded(end) => {
                let went = end.went;
                if let Some(session) = self.intake.labels.note_end(*end) {
                    self.root_ended(session, went, claim.epoch(), now);
                }
            }
            Record::Exempt(id) => self.exempt(self.intake.labels.current(id), now),
            Record::Ended(id) => {
                let id = self.intake.labels.current(id);
                self.piles.sessions.note_end(id, now);
                self.request_ended(id, now);
            }
        }
    }

    pub(super) fn take_start(&mut self, start: Arc<StartRecord>, claim: Claim, now: Instant) {
        if self.holds(start.id) {
            self.hold(start.id, Held::Start(start, claim), now);
        } else {
            self.begin(start, claim, now);
        }
    }

    pub(super) fn begin(&mut self, start: Arc<StartRecord>, claim: Claim, now: Instant) {
        let id = start.id;
        if self.intake.transport == SessionTransport::Rest {
            let is_urgent = self.ledger.is_urgent(&claim);
            self.piles.sessions.add_start(start, claim, now);
            self.piles.sessions.unblock(id);
            if is_urgent {
                self.piles.sessions.hold_no_longer(id, now);
            }
            return;
        }
        // The session's spans create it at HoneyHive; spans of the tracer's own session may not carry its id.
        start.settle(Ok(()));
        if self.intake.startup.is_begun_by(&start) {
            self.intake.labels.unstarted(&start);
        }
        let began_with = start.as_update();
        if began_with.is_empty() {
            self.ledger.delivered(claim);
        } else {
            let update = Update::Enrich(Box::new(began_with));
            self.change(id, vec![update], Timing::Soon, claim, now);
        }
    }

    pub(super) fn change(
        &mut self,
        id: SessionId,
        updates: Vec<Update>,
        timing: Timing,
        claim: Claim,
        now: Instant,
    ) {
        let is_known = self.lane.knows(id) || self.start_is_pending(id);
        if timing == Timing::WithTheEnd && !is_known {
            self.piles.sessions.await_end(id, now);
        }
        let is_urgent = self.ledger.is_urgent(&claim);
        self.piles
            .sessions
            .add_updates(id, updates, claim, &mut self.ledger, now);
        if timing == Timing::AfterSpans && !is_known {
            self.piles.sessions.await_spans(id, now);
        }
        if is_urgent {
            self.piles.sessions.hold_no_longer(id, now);
        }
    }

    /// Returns true while HoneyHive does not know the session's start, for which its spans wait.
    pub(super) fn start_is_pending(&self, id: SessionId) -> bool {
        self.piles.sessions.has_start(id)
            || self.piles.jobs.holds_start(id)
            || self.lane.holds_start(id)
    }

    fn take_span(&mut self, span: SpanData, now: Instant) {
        self.intake.labels.note_parent(&span);
        self.intake.labels.note_name(&span);
        let session = session_of(&span).map(|id| self.intake.labels.current(id));
        let waiting = Waiting {
            claim: self.ledger.accept(span_load(&span)),
            is_of_run: self.outbox.has_run() && is_of_run(&span),
            span,
            since: now,
            session,
        };
        match session {
            Some(session) => self.add_span(waiting, session, now),
            None => self.piles.spans.add_stray(waiting),
        }
    }

    pub(super) fn add_span(&mut self, waiting: Waiting, session: SessionId, now: Instant) {
        if self.holds(session) {
            self.hold_span(waiting, session, now);
        } else {
            let place = self.place_of(session);
            self.piles.spans.add(waiting, session, place);
        }
    }

    /// Returns the place where the spans of a session wait.
    pub(super) fn place_of(&self, session: SessionId) -> Place {
        let by_rest = self.intake.transport == SessionTransport::Rest && !self.has_rescued();
        if by_rest && self.start_is_pending(session) {
            Place::Held
        } else if self.has_start_on_disk(session) {
            Place::Behind
        } else {
            Place::Free
        }
    }

    /// Finds the session of spans without one. The tracer's own session may begin with them: its start is not held
    /// back, since the spans wait for it.
    pub(super) fn assign_strays(&mut self, now: Instant) {
        for waiting in self.piles.spans.take_strays() {
            if self.intake.labels.is_ignored(&waiting.span) {
                self.ledger.withdrawn(waiting.claim);
                continue;
            }
            let session = match self.intake.labels.adopter(&waiting.span) {
                Some(session) => session,
                None => match self.request_session(&waiting, now) {
                    Some(session) => session,
                    None => self.own_session(&waiting, now),
                },
            };
            let is_root = self.intake.labels.is_root(&waiting.span);
            let ended = self.intake.labels.take_end(&waiting.span);
            let epoch = waiting.claim.epoch();
            self.add_span(waiting, session, now);
            if is_root {
                self.request_ended(session, now);
            }
            if let Some(went) = ended {
                self.root_ended(session, went, epoch, now);
            }
        }
    }

    /// Returns the session of a request that only another library's instrumentation sees.
    fn request_session(&mut self, waiting: &Waiting, now: Instant) -> Option<SessionId> {
        let mut begun = None;
        let session =
            self.intake
                .labels
                .session_of_request(&waiting.span, |name, started_at| {
                    let inputs = Inputs::Object(Object::new());
                    let start =
                        StartRecord::new(SessionId::new(), Arc::clone(name), inputs, started_at);
                    begun.insert(Arc::new(start)).id
                })?;
        if let Some(start) = begun {
            if self.intake.transport == SessionTransport::Otlp {
                self.intake.labels.unstarted(&start);
            }
            self.begin_late(start, waiting.claim.epoch(), now);
        }
        Some(session)
    }

    fn own_session(&mut self, waiting: &Waiting, now: Instant) -> SessionId {
        if let Some(stray) = Stray::of(&waiting.span) {
            self.notices.stray(stray);
        }
        let mut begun = None;
        let began_at = waiting.span.start_time;
        let startup = Arc::clone(&self.intake.startup);
        let session = startup.get_or_start_late(began_at, |start| begun = Some(start));
        if session.start.is_left_to_spans() {
            self.intake.labels.unstarted(&session.start);
        }
        if let Some(start) = begun {
            self.begin_late(start, waiting.claim.epoch(), now);
        }
        session.id()
    }

    /// Begins a session because of a span: a flush that waits for the span waits for the start, too.
    fn begin_late(&mut self, start: Arc<StartRecord>, epoch: u64, now: Instant) {
        let id = start.id;
        let load = Record::Start(Arc::clone(&start)).load();
        self.outbox.accept_late(load);
        let claim = self.ledger.accept_in(load, epoch);
        self.take_start(start, claim, now);
        self.piles.sessions.hold_no_longer(id, now);
    }
}

/// Returns true for a span that carries the id of a run.
fn is_of_run(span: &SpanData) -> bool {
    let [(_, run_id), ..] = EXPERIMENT;
    let mut keys = span.attributes.iter().map(|it| it.key.as_str());
    keys.any(|key| key == run_id)
}
