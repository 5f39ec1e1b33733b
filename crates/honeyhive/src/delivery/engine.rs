//! The loop of the delivery thread.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Plan;
use super::gate::{Gate, asked_for, backoff};
use super::ledger::{Answered, Ledger, Tally};
use super::notices::Notices;
use super::sessions::{Changes, Operation, Sessions};
use super::sink::Parcel;
use super::spans::{self, Batch, Spans};
use crate::api::{Answer, Failure};
use crate::config::SessionTransport;
use crate::enrichment::Enrichment;
use crate::error::Error;
use crate::id::SessionId;
use crate::outbox::{Command, DropReason, Inbox, Load, Outbox, Record, Reply, StartRecord, Update};
use crate::session::StartupSession;

/// How often the outbox is looked into. Requests never wake this thread.
const TICK: Duration = Duration::from_millis(100);
/// So much is looked through whenever a call comes back; more only at every tick.
const SMALL_BACKLOG: usize = 1_024;
/// Calls under way at a time.
const REST_WIDTH: usize = 16;
const TRACES_WIDTH: usize = 4;
/// A call that failed so often, while others got through, is given up.
const MOST_ATTEMPTS: u32 = 8;

/// A session that HoneyHive does not know is asked for again so often, after this time and then twice as
/// long each time.
const UNKNOWN_ATTEMPTS: u32 = 3;
const UNKNOWN_WAIT: Duration = Duration::from_millis(500);

const SESSIONS: &str = "sessions";
const TRACES: &str = "spans";

/// A call that has come back.
enum Done {
    Session(Operation, Result<Answer, Failure>),
    Traces(Consignment, Result<Answer, Failure>),
}

/// Encoded spans on their way.
#[derive(Debug, Clone)]
struct Consignment {
    parcel: Parcel,
    tally: Tally,
    attempts: u32,
    /// How many others had got through when this first failed.
    successes_before: Option<u64>,
    /// Not tried again before this.
    retry_at: Option<Instant>,
}

impl Consignment {
    const fn new(parcel: Parcel, tally: Tally) -> Self {
        Self {
            parcel,
            tally,
            attempts: 0,
            successes_before: None,
            retry_at: None,
        }
    }
}

pub(crate) struct Engine {
    plan: Plan,
    outbox: Arc<Outbox>,
    startup: Arc<StartupSession>,
    /// Room for what gathers next, so that nobody who pushes has to make it.
    spare: Inbox,
    ledger: Ledger,
    sessions: Sessions,
    spans: Spans,
    /// Encoded spans that wait for their (next) try.
    consignments: Vec<Consignment>,
    rest: Gate,
    traces: Gate,
    rest_in_flight: usize,
    traces_in_flight: usize,
    calls: JoinSet<Done>,
    notices: Notices,
    stopping: bool,
    /// The backlog is looked through for what is due, however long it is.
    look_for_due: bool,
}

impl Engine {
    pub(crate) fn new(plan: Plan, outbox: Arc<Outbox>, startup: Arc<StartupSession>) -> Self {
        Self {
            spare: Inbox::default(),
            ledger: Ledger::new(Arc::clone(&outbox)),
            sessions: Sessions::new(window(&plan)),
            spans: Spans::new(),
            consignments: Vec::new(),
            rest: Gate::new(REST_WIDTH),
            traces: Gate::new(TRACES_WIDTH),
            rest_in_flight: 0,
            traces_in_flight: 0,
            calls: JoinSet::new(),
            notices: Notices::default(),
            stopping: false,
            look_for_due: true,
            plan,
            outbox,
            startup,
        }
    }

    /// Runs until it is told to stop; then the last answers are the caller's to send, once what is left
    /// has been accounted for.
    pub(crate) async fn run(mut self) -> Vec<Answered> {
        let mut next_tick = Instant::now() + TICK;
        loop {
            let wake_at = self
                .ledger
                .next_deadline()
                .map_or(next_tick, |then| then.min(next_tick));
            tokio::select! {
                () = sleep_until(wake_at) => {}
                () = self.outbox.wake() => {}
                Some(done) = self.calls.join_next() => self.came_back(done.ok()),
            }
            let now = Instant::now();
            if now >= next_tick {
                next_tick = now + TICK;
                self.look_for_due = true;
                self.notices.drops(&self.outbox.stats(), now);
            }
            self.drain(now);
            self.dispatch(now).await;
            let answers = self.ledger.answers(now);
            if self.stopping && self.ledger.next_deadline().is_none() {
                return answers;
            }
            answers.into_iter().for_each(Answered::send);
        }
    }

    /// Takes in what has gathered in the outbox.
    fn drain(&mut self, now: Instant) {
        let mut inbox = std::mem::take(&mut self.spare);
        self.outbox.take(&mut inbox);
        for record in inbox.records.drain(..) {
            self.take_in(record, now);
        }
        for span in inbox.spans.drain(..) {
            let tally = self.ledger.accept(crate::outbox::span_load(&span));
            self.spans.take_in(span, tally, now);
        }
        for command in inbox.commands.drain(..) {
            self.obey(command, now);
        }
        inbox.shrink();
        self.spare = inbox;
    }

    fn take_in(&mut self, record: Record, now: Instant) {
        let tally = self.ledger.accept(record.load());
        match record {
            Record::Start(start) => self.take_in_start(start, tally, now),
            Record::Update(id, update) => {
                let changes = match update {
                    Update::Enrich(enrichment) => Changes::of(*enrichment),
                    Update::End(end) => Changes::of_end(end),
                };
                self.change(id, changes, tally, now);
            }
            Record::Moved(start, to) => self.moved(&start, to, now),
            Record::Adopted(span, session) => self.spans.adopt(span, session),
        }
    }

    fn take_in_start(&mut self, start: Arc<StartRecord>, tally: Tally, now: Instant) {
        if self.plan.transport == SessionTransport::Otlp {
            // Its spans tell HoneyHive of it; those of the tracer's own may not know that they are.
            start.settle(Ok(()));
            if self.startup.is_begun_by(&start) {
                self.spans.unstarted(&start);
            }
            self.ledger.delivered(tally);
        } else {
            self.sessions.start(start, tally, now);
        }
    }

    fn change(&mut self, id: SessionId, changes: Changes, tally: Tally, now: Instant) {
        let id = self.spans.current(id);
        self.sessions
            .change(id, changes, tally, &mut self.ledger, now);
    }

    fn moved(&mut self, start: &StartRecord, to: SessionId, now: Instant) {
        self.spans.moved(start, to);
        if start.was_withdrawn() {
            self.sessions.withdraw(start, to, &mut self.ledger, now);
        } else {
            let note = serde_json::json!({ "moved_to": to });
            let note = Enrichment::new().metadata(note);
            let load = Load::one(note.bytes());
            self.outbox.accept_late(load);
            let tally = self.ledger.accept(load);
            self.sessions
                .change(start.id, Changes::of(note), tally, &mut self.ledger, now);
        }
    }

    fn obey(&mut self, command: Command, now: Instant) {
        self.look_for_due = true;
        match command {
            Command::Confirm(start, reply) => self.confirm(&start, reply, now),
            Command::Flush(timeout, reply) => self.flush(timeout, reply, now),
            Command::Stop(timeout, reply) => {
                self.stopping = true;
                self.flush(timeout, reply, now);
            }
        }
    }

    fn confirm(&mut self, start: &StartRecord, reply: Reply<Result<(), Error>>, now: Instant) {
        match start.outcome() {
            Some(outcome) => reply.send(outcome.clone()),
            // Nobody is kept waiting for the end of an outage.
            None if self.rest.width(now) == 0 => reply.send(Err(Error::Unconfirmed {
                detail: self.notices.last_detail().to_owned(),
            })),
            None => self.sessions.confirm(start.id, reply, now),
        }
    }

    fn flush(
        &mut self,
        timeout: Duration,
        reply: Reply<Result<crate::FlushReport, crate::FlushError>>,
        now: Instant,
    ) {
        self.ledger.flush(timeout, now, reply);
        self.sessions.forget_backoff();
        for consignment in &mut self.consignments {
            consignment.retry_at = None;
        }
        self.rest.poke(now);
        self.traces.poke(now);
    }

    /// Makes the calls that are due, as many as the gates let through.
    async fn dispatch(&mut self, now: Instant) {
        let backlog = self.sessions.len() + self.spans.len();
        let look_for_due = std::mem::take(&mut self.look_for_due) || backlog <= SMALL_BACKLOG;
        if look_for_due {
            if self.spans.is_due(now, &self.ledger) {
                self.assign_spans(now);
            }
            self.sessions
                .queue_due(now, &self.ledger, self.updates_may_go());
        }
        while self.rest_in_flight < self.rest.width(now) {
            let Some(operation) = self.sessions.next() else {
                break;
            };
            self.call(operation, now);
        }
        if look_for_due {
            self.gather_spans(now).await;
        }
        while self.traces_in_flight < self.traces.width(now) {
            let Some(consignment) = self.next_consignment(now) else {
                break;
            };
            self.deliver(consignment, now);
        }
    }

    fn next_consignment(&mut self, now: Instant) -> Option<Consignment> {
        let is_due = |it: &Consignment| it.retry_at.is_none_or(|then| now >= then);
        let index = self.consignments.iter().position(is_due)?;
        Some(self.consignments.remove(index))
    }

    /// Without REST starts a session exists once its spans have arrived, so a flush sends those first.
    fn updates_may_go(&self) -> bool {
        self.plan.transport == SessionTransport::Rest
            || (self.traces_in_flight == 0 && self.consignments.is_empty() && self.spans.len() == 0)
    }

    fn call(&mut self, operation: Operation, now: Instant) {
        if self.rest.is_unauthorized(now) {
            return self.give_up(
                &operation,
                DropReason::Unauthorized,
                &Error::Dropped(DropReason::Unauthorized),
            );
        }
        self.rest_in_flight += 1;
        let call = operation.call(&self.plan.origin);
        let sink = self.plan.sink.clone();
        self.calls
            .spawn(async move { Done::Session(operation, sink.call(call).await) });
    }

    fn deliver(&mut self, consignment: Consignment, now: Instant) {
        if self.traces.is_unauthorized(now) {
            return self
                .ledger
                .dropped(consignment.tally, DropReason::Unauthorized);
        }
        self.traces_in_flight += 1;
        let sink = self.plan.sink.clone();
        self.calls.spawn(async move {
            let answer = sink.deliver(consignment.parcel.clone()).await;
            Done::Traces(consignment, answer)
        });
    }

    /// Finds the session of spans that are about to go. The tracer's own may begin with that: its start
    /// is not held back, since they wait for it.
    fn assign_spans(&mut self, now: Instant) {
        let mut begun = None;
        let startup = &self.startup;
        self.spans.assign(|span| {
            let session = startup.get_or_start_late(span.start_time, |start| begun = Some(start));
            session.id()
        });
        if let Some(start) = begun {
            let id = start.id;
            let record = Record::Start(start);
            self.outbox.accept_late(record.load());
            self.take_in(record, now);
            self.sessions.hold_no_longer(id, now);
        }
    }

    /// Encodes batches while there is room to send them.
    async fn gather_spans(&mut self, now: Instant) {
        while self.traces_in_flight + self.consignments.len() < TRACES_WIDTH
            && self.spans.is_due(now, &self.ledger)
        {
            let Some(batch) = self.next_batch() else {
                return;
            };
            match self.plan.sink.pack(batch.spans).await {
                Some(parcel) => self
                    .consignments
                    .push(Consignment::new(parcel, batch.tally)),
                None => self.ledger.dropped(batch.tally, DropReason::Rejected),
            }
        }
    }

    fn next_batch(&mut self) -> Option<Batch> {
        let Self {
            spans,
            sessions,
            ledger,
            plan,
            ..
        } = self;
        let by_rest = plan.transport == SessionTransport::Rest;
        spans.next_batch(&plan.origin, ledger, |id| {
            by_rest && sessions.start_is_pending(id)
        })
    }

    fn came_back(&mut self, done: Option<Done>) {
        let now = Instant::now();
        match done {
            Some(Done::Session(operation, answer)) => {
                self.rest_in_flight -= 1;
                self.session_came_back(operation, answer, now);
            }
            Some(Done::Traces(consignment, answer)) => {
                self.traces_in_flight -= 1;
                self.traces_came_back(consignment, answer, now);
            }
            // A call of ours neither panics nor is aborted.
            None => {}
        }
    }

    fn session_came_back(
        &mut self,
        operation: Operation,
        answer: Result<Answer, Failure>,
        now: Instant,
    ) {
        let failure = match answer {
            Ok(answer) => return self.session_succeeded(&operation, &answer, now),
            Err(failure) => failure,
        };
        if is_about_to_exist(&operation, &failure) {
            return self.wait_for_spans(operation, now);
        }
        self.notices.failure(SESSIONS, &failure, now);
        match failure {
            Failure::Transient {
                retry_after,
                detail,
            } => {
                self.sessions.unconfirmed(operation.id, &detail);
                self.retry_session(operation, retry_after, now);
            }
            Failure::Refused { status, message } => {
                let reason = drop_reason(status);
                if reason == DropReason::Unauthorized {
                    self.rest.refused_the_key(now);
                }
                self.give_up(&operation, reason, &Error::Rejected { status, message });
            }
        }
    }

    fn wait_for_spans(&mut self, operation: Operation, now: Instant) {
        self.outbox.count_retry();
        let at = now + UNKNOWN_WAIT * (1 << operation.attempts);
        self.sessions.retry(operation, at, &mut self.ledger);
    }

    fn session_succeeded(&mut self, operation: &Operation, answer: &Answer, now: Instant) {
        if self.rest.succeeded() {
            self.notices.recovered(SESSIONS);
        }
        if operation.start.is_some() && answer.session_id().is_some_and(|id| id != operation.id) {
            self.notices.other_id(now);
        }
        self.sessions.succeeded(operation, &mut self.ledger);
    }

    fn retry_session(&mut self, mut operation: Operation, after: Option<Duration>, now: Instant) {
        let before = *operation
            .successes_before
            .get_or_insert(self.rest.successes());
        if operation.attempts + 1 >= MOST_ATTEMPTS && self.rest.successes() > before {
            let reason = DropReason::RetriesExhausted;
            return self.give_up(&operation, reason, &Error::Dropped(reason));
        }
        self.outbox.count_retry();
        self.rest.failed(now, after);
        let at = now + after.map_or_else(|| backoff(operation.attempts + 1), asked_for);
        self.sessions.retry(operation, at, &mut self.ledger);
    }

    fn give_up(&mut self, operation: &Operation, reason: DropReason, error: &Error) {
        if let Some(start) = &operation.start {
            self.spans.unstarted(start);
        }
        let ledger = &mut self.ledger;
        self.sessions
            .failed(operation, error, |tally| ledger.dropped(tally, reason));
    }

    fn traces_came_back(
        &mut self,
        consignment: Consignment,
        answer: Result<Answer, Failure>,
        now: Instant,
    ) {
        let failure = match answer {
            Ok(answer) => return self.traces_succeeded(&consignment, &answer, now),
            Err(failure) => failure,
        };
        if let Failure::Refused { status: 413, .. } = failure
            && let Some(halves) = self.plan.sink.halves(&consignment.parcel)
        {
            return self.try_halves(consignment.tally, halves);
        }
        self.notices.failure(TRACES, &failure, now);
        match failure {
            Failure::Transient { retry_after, .. } => {
                self.retry_traces(consignment, retry_after, now)
            }
            Failure::Refused { status, .. } => {
                let reason = drop_reason(status);
                if reason == DropReason::Unauthorized {
                    self.traces.refused_the_key(now);
                }
                self.ledger.dropped(consignment.tally, reason);
            }
        }
    }

    fn traces_succeeded(&mut self, consignment: &Consignment, answer: &Answer, now: Instant) {
        if self.traces.succeeded() {
            self.notices.recovered(TRACES);
        }
        let Some((count, message)) = self.plan.sink.rejected(answer) else {
            return self.ledger.delivered(consignment.tally);
        };
        self.notices.rejected_spans(count, &message, now);
        let (rejected, taken) = consignment.tally.split(count);
        self.ledger.dropped(rejected, DropReason::Rejected);
        self.ledger.delivered(taken);
    }

    fn try_halves(&mut self, tally: Tally, halves: [(Parcel, u64); 2]) {
        let mut rest = tally;
        for (parcel, count) in halves {
            let (tally, left) = rest.split(count);
            rest = left;
            self.consignments.push(Consignment::new(parcel, tally));
        }
    }

    fn retry_traces(
        &mut self,
        mut consignment: Consignment,
        after: Option<Duration>,
        now: Instant,
    ) {
        let before = *consignment
            .successes_before
            .get_or_insert(self.traces.successes());
        consignment.attempts += 1;
        if consignment.attempts >= MOST_ATTEMPTS && self.traces.successes() > before {
            return self
                .ledger
                .dropped(consignment.tally, DropReason::RetriesExhausted);
        }
        self.outbox.count_retry();
        self.traces.failed(now, after);
        let wait = after.map_or_else(|| backoff(consignment.attempts), asked_for);
        consignment.retry_at = Some(now + wait);
        self.consignments.push(consignment);
    }
}

/// A session that was linked to and that nobody has begun is created by its spans, which come a little
/// later than what it has to say itself.
const fn is_about_to_exist(operation: &Operation, failure: &Failure) -> bool {
    matches!(failure, Failure::Refused { status: 404, .. })
        && operation.start.is_none()
        && operation.attempts < UNKNOWN_ATTEMPTS
}

/// How long what a session has to say is held back.
fn window(plan: &Plan) -> Duration {
    match plan.transport {
        SessionTransport::Rest => plan.window,
        // Until its spans have had time to create it.
        SessionTransport::Otlp => plan.window.saturating_add(2 * spans::DELAY),
    }
}

const fn drop_reason(status: u16) -> DropReason {
    match status {
        401 | 403 => DropReason::Unauthorized,
        413 => DropReason::TooLarge,
        _ => DropReason::Rejected,
    }
}
