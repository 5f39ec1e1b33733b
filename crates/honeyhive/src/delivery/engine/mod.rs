//! The loop of the delivery thread: it takes in what has gathered, sends what is due, and settles what has
//! come back.

mod answers;
mod dispatch;
mod from_disk;
mod last_writes;
mod room;
mod sampled;
mod to_disk;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use from_disk::FromDisk;

use crate::delivery::changes::{Changes, Operation};
use crate::delivery::confirms::Confirms;
use crate::delivery::gate::Gate;
use crate::delivery::ledger::{Answered, Ledger, Tally};
use crate::delivery::notices::Notices;
use crate::delivery::sampling::{Held, Sampler};
use crate::delivery::sessions::Sessions;
use crate::delivery::sink::Parcel;
use crate::delivery::spans::{self, Spans};
use crate::delivery::spooling::Spooling;
use crate::delivery::{Plan, later};
use crate::enrichment::Enrichment;
use crate::error::StartError;
use crate::model::id::SessionId;
use crate::outbox::{Command, Inbox, Load, Outbox, Record, Reply, StartRecord, Timing, Update};
use crate::session::StartupSession;
use crate::settings::SessionTransport;
use crate::wire::{Answer, Failure};

/// How often the outbox is looked into. Requests never wake this thread.
const TICK: Duration = Duration::from_millis(100);
/// Calls under way at a time.
const REST_WIDTH: usize = 16;
const TRACES_WIDTH: usize = 4;
/// A call that has come back.
enum Done {
    Session(Operation, Result<Answer, Failure>),
    Traces(Consignment, Result<Answer, Failure>),
    /// One that is on disk; by its number, and whether it was spans.
    Spooled(u64, bool, Result<Answer, Failure>),
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
    /// Since when the first of its spans has waited.
    since: Instant,
    /// The start of one of its sessions may be on disk, where it found no room itself.
    is_behind_disk: bool,
}

impl Consignment {
    const fn new(parcel: Parcel, tally: Tally, since: Instant) -> Self {
        Self {
            parcel,
            tally,
            since,
            attempts: 0,
            successes_before: None,
            retry_at: None,
            is_behind_disk: false,
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
    confirms: Confirms,
    spans: Spans,
    /// Where not everything is sent.
    sampler: Option<Sampler>,
    /// Encoded spans that wait for their (next) try.
    consignments: Vec<Consignment>,
    rest: Gate,
    traces: Gate,
    rest_in_flight: usize,
    traces_in_flight: usize,
    calls: JoinSet<Done>,
    notices: Notices,
    spooling: Option<Spooling>,
    from_disk: FromDisk,
    /// Memory is not relieved again before this.
    relieve_after: Option<Instant>,
    /// The disk has taken nothing lately; it is asked again then.
    refused_until: Option<Instant>,
    /// Told where what is under way has to end, so that it can go to disk.
    cut: watch::Sender<bool>,
    /// Everything ends by then.
    stop_at: Option<Instant>,
    last_writes_at: Option<Instant>,
    /// The backlog is looked through for what is due, however long it is.
    look_for_due: bool,
}

impl Engine {
    pub(crate) fn new(plan: Plan, outbox: Arc<Outbox>, startup: Arc<StartupSession>) -> Self {
        let redactor = &plan.redactor;
        Self {
            spare: Inbox::default(),
            ledger: Ledger::new(Arc::clone(&outbox)),
            sessions: Sessions::new(window(&plan), Arc::clone(redactor)),
            confirms: Confirms::new(plan.patience),
            spans: Spans::new(Arc::clone(redactor)),
            sampler: Sampler::new(plan.sampling, plan.most_items, plan.most_bytes),
            consignments: Vec::new(),
            rest: Gate::new(REST_WIDTH),
            traces: Gate::new(TRACES_WIDTH),
            rest_in_flight: 0,
            traces_in_flight: 0,
            calls: JoinSet::new(),
            notices: Notices::default(),
            spooling: plan
                .spool
                .clone()
                .map(|(spool, destination)| Spooling::new(spool, destination)),
            from_disk: FromDisk::default(),
            relieve_after: None,
            refused_until: None,
            cut: watch::Sender::new(false),
            stop_at: None,
            last_writes_at: None,
            look_for_due: true,
            plan,
            outbox,
            startup,
        }
    }

    /// Runs until it is told to stop; then the last answers are the caller's to send, once what is left
    /// has been accounted for.
    pub(crate) async fn run(mut self) -> Vec<Answered> {
        self.look_for_left_spools(Instant::now());
        let mut next_tick = Instant::now() + TICK;
        loop {
            let deadlines = [self.ledger.next_deadline(), self.last_writes_at()];
            let wake_at = deadlines
                .into_iter()
                .flatten()
                .fold(next_tick, Instant::min);
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
                self.look_for_left_spools(now);
            }
            self.drain(now);
            self.relieve(now).await;
            self.make_room();
            self.dispatch(now).await;
            if self.last_writes_at().is_some_and(|then| now >= then) {
                self.spool_the_rest(now).await;
                self.ledger.end_by(now);
            }
            self.confirms.settle(now);
            let answers = self.ledger.answers(now);
            if self.stop_at.is_some() && self.ledger.next_deadline().is_none() {
                return answers;
            }
            answers.into_iter().for_each(Answered::send);
        }
    }

    /// Takes in what has gathered in the outbox.
    fn drain(&mut self, now: Instant) {
        let mut inbox = std::mem::take(&mut self.spare);
        self.outbox.take(&mut inbox);
        self.note_events(&inbox);
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
        self.decide(now);
    }

    fn take_in(&mut self, record: Record, now: Instant) {
        let tally = self.ledger.accept(record.load());
        match record {
            Record::Start(start) => self.take_in_start(start, tally, now),
            Record::Update(id, update, timing) => {
                let redactor = &self.plan.redactor;
                let changes = match update {
                    Update::Enrich(enrichment) => Changes::of(*enrichment, redactor),
                    Update::End(end) => Changes::of_end(end, redactor),
                };
                self.update(id, changes, timing, tally, now);
            }
            Record::Moved(start, to) => self.moved(&start, to, now),
            Record::Adopted(span, session) => self.spans.adopt(span, session),
            Record::Ignored(span) => self.spans.ignore(span),
            Record::Ended(id) => {
                let id = self.spans.current(id);
                self.sessions.ended(id, now);
                self.request_ended(id, now);
            }
        }
    }

    fn take_in_start(&mut self, start: Arc<StartRecord>, tally: Tally, now: Instant) {
        if self.holds(start.id) {
            self.hold(start.id, Held::Start(start, tally), now);
        } else {
            self.begin(start, tally, now);
        }
    }

    fn begin(&mut self, start: Arc<StartRecord>, tally: Tally, now: Instant) {
        if self.plan.transport == SessionTransport::Rest {
            return self.sessions.start(start, tally, now);
        }
        // Its spans tell HoneyHive of it; those of the tracer's own may not know that they are.
        start.settle(Ok(()));
        if self.startup.is_begun_by(&start) {
            self.spans.unstarted(&start);
        }
        let changes = Changes::of_start(&start, &self.plan.redactor);
        if changes.is_empty() {
            self.ledger.delivered(tally);
        } else {
            self.change(start.id, changes, Timing::Soon, tally, now);
        }
    }

    fn change(
        &mut self,
        id: SessionId,
        changes: Changes,
        timing: Timing,
        tally: Tally,
        now: Instant,
    ) {
        if timing == Timing::WithTheEnd {
            self.sessions.await_end(id, now);
        }
        self.sessions
            .change(id, changes, tally, &mut self.ledger, now);
        if timing == Timing::AfterSpans {
            self.sessions.await_spans(id, now);
        }
    }

    fn moved(&mut self, start: &StartRecord, to: SessionId, now: Instant) {
        if start.is_fresh {
            self.spans.moved(start, to);
        } else if start.was_withdrawn() {
            // Others may know the id: what they record under it stays there.
            self.spans.unstarted(start);
        }
        if start.was_withdrawn() {
            self.move_held(start, to, now);
            if let Some((changes, tally)) = self.sessions.withdraw(start, &mut self.ledger) {
                self.update(to, changes, start.timing(), tally, now);
            }
        } else if !start.is_linked() {
            self.note_move(start.id, to, now);
        }
    }

    /// A session that was created and then left says where its story goes on.
    fn note_move(&mut self, from: SessionId, to: SessionId, now: Instant) {
        let note = Enrichment::new().metadata(serde_json::json!({ "moved_to": to }));
        let load = Load::one(note.bytes());
        self.outbox.accept_late(load);
        let tally = self.ledger.accept(load);
        let changes = Changes::of(note, &self.plan.redactor);
        self.sessions
            .change(from, changes, tally, &mut self.ledger, now);
    }

    fn obey(&mut self, command: Command, now: Instant) {
        self.look_for_due = true;
        match command {
            Command::Confirm(start, reply) => self.confirm(start, reply, now),
            Command::Flush(timeout, reply) => self.flush(timeout, reply, now),
            Command::Stop(timeout, reply) => {
                self.stop_at = Some(later(now, timeout));
                self.decide_all(now);
                self.plan_last_writes(now, timeout);
                self.flush(timeout, reply, now);
            }
        }
    }

    /// Somebody awaits the answer to this start, so it is not held back.
    fn confirm(
        &mut self,
        start: Arc<StartRecord>,
        reply: Reply<Result<(), StartError>>,
        now: Instant,
    ) {
        if self.holds(start.current_id()) {
            // Nothing will be said of it, or not before its end.
            return reply.send(Ok(()));
        }
        self.sessions.hold_no_longer(start.id, now);
        self.confirms.add(start, reply, now);
        if self.rest.width(now) == 0 {
            self.confirms.outage(self.notices.last_detail());
        }
    }

    fn flush(
        &mut self,
        timeout: Duration,
        reply: Reply<Result<crate::FlushReport, crate::FlushError>>,
        now: Instant,
    ) {
        self.ledger.flush(timeout, now, reply);
        if let Some(stop_at) = self.stop_at {
            self.ledger.end_by(stop_at);
            self.sessions.await_no_longer();
        } else {
            self.sessions.defer_awaiting(&mut self.ledger);
        }
        self.sessions.forget_backoff();
        if let Some(spooling) = &mut self.spooling {
            spooling.forget_backoff();
        }
        for consignment in &mut self.consignments {
            consignment.retry_at = None;
        }
        self.rest.poke(now);
        self.traces.poke(now);
    }
}

/// A call, unless it has to end before it has an answer.
async fn unless_cut(
    mut cut: watch::Receiver<bool>,
    call: impl Future<Output = Result<Answer, Failure>>,
) -> Result<Answer, Failure> {
    tokio::select! {
        biased;
        answer = call => answer,
        _ = cut.wait_for(|is_cut| *is_cut) => Err(Failure::Transient {
            retry_after: None,
            may_have_it: true,
            detail: "the tracer was shut down".to_owned(),
        }),
    }
}

/// How long what a session has to say is held back.
fn window(plan: &Plan) -> Duration {
    match plan.transport {
        SessionTransport::Rest => plan.window,
        // Until its spans have had time to create it.
        SessionTransport::Otlp => plan.window.saturating_add(2 * spans::DELAY),
    }
}
