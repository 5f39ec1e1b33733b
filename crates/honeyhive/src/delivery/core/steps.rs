//! The tests step the core and check how much a step looks at, and what goes on while the disk stands still.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;
use tokio::time::Instant;

use super::random::{plan, span};
use super::state::{Core, Effect, Event};
use crate::delivery::disk::{Recalled, Request, Response};
use crate::delivery::lane::Number;
use crate::delivery::plan::Plan;
use crate::delivery::seal::Sealer;
use crate::delivery::sealed::{Body, Target};
use crate::delivery::work;
use crate::enrichment::Enrichment;
use crate::log::CallSite;
use crate::model::id::SessionId;
use crate::outbox::{
    BATCH, Bounds, Closed, Command, Inbox, Inputs, Outbox, Outcome, Record, Reply, RunUnderway,
    SessionEnd, StartRecord, Timing, Update, fit_span,
};
use crate::session::StartupSession;
use crate::settings::DropPolicy;
use crate::spool::{Found, Kind, Refused, Shelf, Ticket};
use crate::wire::{Answer, Failure, Retry};

struct Steps {
    core: Core,
    sealer: Sealer,
    outbox: Arc<Outbox>,
    inbox: Inbox,
    now: Instant,
    /// HoneyHive gives this answer.
    answer: fn() -> Result<Answer, Failure>,
    /// HoneyHive gives this answer to spans instead.
    to_spans: Option<fn() -> Result<Answer, Failure>>,
    /// HoneyHive gives this answer to calls from disk instead.
    to_disk: Option<fn() -> Result<Answer, Failure>>,
    disk_is_full: bool,
    /// The flag tells whether starts are answered only when the test does it.
    starts_by_hand: bool,
    unanswered: Vec<Number>,
    calls: Vec<Target>,
    /// The disk was given these calls, and does not say that it has them.
    written: Vec<Target>,
    /// The disk was told the outcome of these calls, and does not say that it knows.
    settling: Vec<Number>,
    /// No step has looked at more.
    most: usize,
}

impl Steps {
    fn new(shelf: Option<Shelf>, answer: fn() -> Result<Answer, Failure>) -> Self {
        let bounds = Bounds::new(usize::MAX, usize::MAX / 16, DropPolicy::Newest, false);
        let outbox = Arc::new(Outbox::new(bounds).local(true));
        let plan: Plan = plan(&outbox, usize::MAX, Duration::ZERO);
        let startup = StartupSession::new(Arc::clone(&outbox), "own".to_owned(), None);
        let mut steps = Self {
            core: Core::new(&plan, Arc::clone(&outbox), Arc::new(startup), shelf),
            sealer: Sealer::new(&plan),
            outbox,
            inbox: Inbox::default(),
            now: Instant::now(),
            answer,
            to_spans: None,
            to_disk: None,
            disk_is_full: false,
            starts_by_hand: false,
            unanswered: Vec::new(),
            calls: Vec::new(),
            written: Vec::new(),
            settling: Vec::new(),
            most: 0,
        };
        steps.step(vec![Event::Begin]);
        steps
    }

    fn start(&self) -> Arc<StartRecord> {
        self.start_of(false)
    }

    fn start_of(&self, request: bool) -> Arc<StartRecord> {
        let inputs = Inputs::Object(serde_json::Map::new());
        let mut start =
            StartRecord::new(SessionId::new(), "chat".into(), inputs, SystemTime::now());
        start.will_end = request;
        let start = Arc::new(start);
        self.outbox.push_start(&start, CallSite::here()).unwrap();
        start
    }

    /// Lets the disk find spans of an earlier process and read them back.
    fn recall_spans(&mut self) {
        self.recall(Kind::Traces, Body::Plain(Vec::new()));
    }

    /// Lets the disk find a start of an earlier process and read it back.
    fn recall_start(&mut self) {
        self.recall(Kind::Start, Body::Json("{}".into()));
    }

    fn recall(&mut self, kind: Kind, body: Body) {
        let found = Found {
            items: 1,
            ..Found::default()
        };
        let call = Recalled::Call(Ticket::of(kind), body);
        let responses = [Response::Looked(0, Ok(found)), Response::Read(vec![call])];
        self.step(responses.map(Event::Disk).into());
    }

    fn update(&self, session: SessionId) {
        let update = Enrichment::new().metadata(serde_json::json!({"step": 1}));
        let update = Update::Enrich(Box::new(update));
        let record = Record::Update(session, update, Timing::Soon);
        self.outbox.push(record);
    }

    fn span(&self, session: SessionId) {
        self.push(span(session, SessionId::new()));
    }

    fn span_of_a_run(&self) {
        let mut span = span(SessionId::new(), SessionId::new());
        span.attributes
            .push(KeyValue::new("honeyhive_metadata.run_id", "r"));
        self.push(span);
    }

    fn push(&self, mut span: SpanData) {
        let load = fit_span(&mut span);
        self.outbox.push_span(span, load);
    }

    /// Makes a tick, and carries out its effects until there are no more.
    fn tick(&mut self) {
        self.now += Duration::from_millis(100);
        self.step(vec![Event::Tick]);
    }

    /// Makes the ticks of so much time.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.tick();
        }
    }

    /// Answers one start, some time later.
    fn answer_a_start(&mut self, later: Duration) {
        self.now += later;
        let number = self.unanswered.remove(0);
        self.step(vec![Event::Answered(number, (self.answer)())]);
    }

    /// Answers all starts that are under way, some time later.
    fn answer_the_starts(&mut self, later: Duration) {
        self.now += later;
        let numbers = std::mem::take(&mut self.unanswered);
        let answers = numbers
            .into_iter()
            .map(|number| Event::Answered(number, (self.answer)()));
        self.step(answers.collect());
    }

    fn answer_to(&self, number: Number, target: Target) -> Result<Answer, Failure> {
        let call = self.core.lane.get(number);
        let of_disk = self
            .to_disk
            .filter(|_| call.is_some_and(|it| it.home.is_disk()));
        let of_spans = self.to_spans.filter(|_| target.is_traces());
        of_disk.or(of_spans).unwrap_or(self.answer)()
    }

    fn batches(&self) -> usize {
        let traces = self.calls.iter().filter(|target| target.is_traces());
        traces.count()
    }

    fn step(&mut self, mut events: Vec<Event<'_>>) {
        loop {
            self.outbox.take(&mut self.inbox);
            work::take();
            let gathered = Event::Gathered(&mut self.inbox);
            let effects = self
                .core
                .step([gathered].into_iter().chain(events), self.now);
            self.most = self.most.max(work::take());
            events = Vec::new();
            for effect in effects {
                match effect {
                    Effect::Seal(number, open) => {
                        events.push(Event::Sealed(number, self.sealer.seal(open)));
                    }
                    Effect::Call { number, target, .. } => {
                        self.calls.push(target);
                        if self.starts_by_hand && matches!(target, Target::Start(_)) {
                            self.unanswered.push(number);
                            continue;
                        }
                        let answer = self.answer_to(number, target);
                        events.push(Event::Answered(number, answer));
                    }
                    Effect::Answer(answered) => answered.send(),
                    Effect::Disk(Request::Write { number, .. }) if self.disk_is_full => {
                        let full = Response::Written(number, Err(Refused::Full));
                        events.push(Event::Disk(full));
                    }
                    Effect::Disk(Request::Write { target, .. }) => self.written.push(target),
                    Effect::Disk(Request::Settle(number, _)) => self.settling.push(number),
                    // The disk of this test never responds.
                    Effect::Disk(_) | Effect::Cut => {}
                }
            }
            if events.is_empty() {
                return;
            }
        }
    }
}

const OUTAGE: fn() -> Result<Answer, Failure> = || {
    Err(Failure::Transient {
        retry: Retry::Soon,
        detail: String::new(),
    })
};

const REFUSED: fn() -> Result<Answer, Failure> = || {
    let message = String::new();
    let status = 401;
    Err(Failure::Refused { status, message })
};

#[test]
fn a_step_looks_at_no_more_however_much_waits_in_an_outage() {
    const SESSIONS: usize = 10_000;
    let mut steps = Steps::new(None, OUTAGE);
    for _ in 0..SESSIONS {
        let session = steps.start().id;
        steps.span(session);
        // The session begins elsewhere.
        steps.span(SessionId::new());
    }
    steps.tick();
    steps.most = 0;
    for _ in 0..100 {
        steps.tick();
    }
    assert!(!steps.calls.is_empty());
    assert_eq!(steps.outbox.stats().pending, 3 * SESSIONS as u64);
    assert!(steps.most <= 4 * BATCH, "{} of {SESSIONS}", steps.most);
    steps.core.end();
}

#[test]
fn calls_that_have_failed_in_an_outage_go_within_a_second_of_its_end() {
    let mut steps = Steps::new(None, OUTAGE);
    for _ in 0..200 {
        let session = steps.start().id;
        steps.span(session);
    }
    steps.pass(Duration::from_secs(600));
    steps.answer = || Ok(Answer::default());
    while steps.core.routes.rest.is_outage() {
        steps.tick();
    }
    steps.pass(Duration::from_secs(1));
    assert_eq!(steps.outbox.stats().delivered, 200 + 200);
    steps.core.end();
}

#[test]
fn calls_go_to_disk_once_an_outage_of_their_route_lasts_though_memory_has_room() {
    let mut steps = Steps::new(Some(Shelf::default()), OUTAGE);
    let sessions: Vec<_> = (0..20).map(|_| steps.start().id).collect();
    steps.span(SessionId::new());
    while !steps.core.routes.rest.is_outage() {
        steps.tick();
    }
    let began = steps.now;
    let lasts = Duration::from_secs(3);
    while steps.now < began + lasts - Duration::from_millis(100) {
        assert_eq!(steps.written, []);
        steps.tick();
    }
    steps.tick();
    steps.written.sort_by_key(|target| target.id());
    let mut starts: Vec<_> = sessions.into_iter().map(Target::Start).collect();
    starts.sort_by_key(|target| target.id());
    assert_eq!(steps.written, starts);
    steps.core.end();
}

#[test]
fn updates_go_to_disk_behind_spans_that_were_read_back() {
    for is_sealed_before in [false, true] {
        let mut steps = Steps::new(Some(Shelf::default()), OUTAGE);
        let elsewhere = SessionId::new();
        if is_sealed_before {
            steps.update(elsewhere);
            steps.tick();
            steps.recall_spans();
        } else {
            steps.recall_spans();
            steps.update(elsewhere);
        }
        for _ in 0..16 {
            steps.start();
        }
        steps.pass(Duration::from_secs(10));
        let is_written = steps.written.contains(&Target::Update(elsewhere));
        assert!(is_written, "{is_sealed_before}: {:?}", steps.written);
        steps.core.end();
    }
}

#[test]
fn an_update_behind_spans_that_were_read_back_goes_once_they_have_their_outcome() {
    let mut steps = Steps::new(Some(Shelf::default()), OUTAGE);
    steps.recall_spans();
    let elsewhere = SessionId::new();
    steps.update(elsewhere);
    steps.tick();
    steps.tick();
    assert!(steps.calls.iter().all(|target| target.is_traces()));
    steps.answer = || Ok(Answer::default());
    while steps.settling.is_empty() {
        steps.tick();
    }
    let settled = Response::Settled(steps.settling[0]);
    steps.step(vec![Event::Disk(settled)]);
    steps.tick();
    assert_eq!(steps.calls.last(), Some(&Target::Update(elsewhere)));
    assert_eq!(steps.outbox.stats().pending, 0);
    steps.core.end();
}

#[test]
fn spans_stay_in_memory_in_an_outage_of_theirs_alone() {
    let mut steps = Steps::new(Some(Shelf::default()), || Ok(Answer::default()));
    steps.to_spans = Some(OUTAGE);
    steps.span(SessionId::new());
    while !steps.core.routes.traces.is_outage() {
        steps.tick();
    }
    steps.pass(Duration::from_secs(10));
    assert_eq!(steps.written, []);
    steps.core.end();
}

#[test]
fn sessions_start_though_updates_have_to_follow_spans_to_a_full_disk() {
    let shelf = Shelf::with(&Ticket::of(Kind::Traces));
    let mut steps = Steps::new(Some(shelf), || Ok(Answer::default()));
    steps.to_spans = Some(OUTAGE);
    steps.disk_is_full = true;
    steps.recall_spans();
    (0..40).for_each(|_| steps.update(SessionId::new()));
    let ten_seconds = 100;
    for tick in 0..ten_seconds {
        let start = steps.start();
        steps.tick();
        steps.tick();
        let is_made = steps.calls.contains(&Target::Start(start.id));
        assert!(is_made, "{tick}");
    }
    steps.core.end();
}

#[test]
fn a_call_on_disk_that_is_refused_for_itself_has_the_key_refused_twice_a_minute_at_most() {
    let mut steps = Steps::new(Some(Shelf::default()), || Ok(Answer::default()));
    steps.to_disk = Some(REFUSED);
    steps.recall_start();
    let on_disk = steps.calls[0];
    let minute = 600;
    for _ in 0..minute {
        steps.start();
        steps.tick();
    }
    let made = steps.calls.iter().filter(|target| **target == on_disk);
    assert_eq!(made.count(), 2);
    steps.core.end();
}

#[test]
fn a_call_on_disk_is_made_again_once_the_key_is_accepted_for_another() {
    let mut steps = Steps::new(Some(Shelf::default()), REFUSED);
    steps.recall_start();
    assert_eq!(steps.calls.len(), 1);
    steps.pass(Duration::from_secs(6));
    assert_eq!(
        steps.calls.len(),
        1,
        "it waits for somebody to put that right"
    );
    steps.answer = || Ok(Answer::default());
    let start = steps.start();
    steps.tick();
    steps.tick();
    let on_disk = steps.calls[0];
    assert_eq!(steps.calls, [on_disk, Target::Start(start.id), on_disk]);
    steps.core.end();
}

#[test]
fn who_awaits_a_session_has_an_answer_though_the_disk_stands_still() {
    let shelf = Shelf::default();
    let mut steps = Steps::new(Some(shelf), || Ok(Answer::default()));
    let start = steps.start();
    let (reply, answer) = Reply::blocking();
    let confirm = Command::Confirm(Arc::clone(&start), reply);
    steps.outbox.command(confirm);
    for _ in 0..12 {
        steps.tick();
    }
    assert_eq!(answer.try_recv(), Ok(Ok(())));
    assert!(matches!(steps.calls[..], [Target::Start(id)] if id == start.id));
}

/// Returns sessions that each have a span, and a flush of all; the starts are under way.
fn flushed(sessions: usize, timeout: Duration) -> Steps {
    let mut steps = Steps::new(None, || Ok(Answer::default()));
    steps.starts_by_hand = true;
    for _ in 0..sessions {
        let session = steps.start().id;
        steps.span(session);
    }
    let (reply, _answer) = Reply::blocking();
    steps.outbox.command(Command::Flush(timeout, reply));
    steps.step(Vec::new());
    steps
}

#[test]
fn spans_of_a_flush_go_together_however_slowly_the_starts_of_their_sessions_are_answered() {
    let mut steps = flushed(600, Duration::from_secs(3_600));
    for answered in 1..=600 {
        assert_eq!(steps.batches(), usize::from(answered > 512));
        steps.answer_a_start(Duration::from_millis(900));
    }
    assert_eq!(steps.batches(), 2);
    assert_eq!(steps.outbox.stats().pending, 0);
    steps.core.end();
}

/// More starts wait than go at a time, until so many answers, each some time after the last, have made room for more.
fn assert_widens_by(
    answers: usize,
    later: Duration,
    starts: usize,
    answer: fn(&mut Steps, Duration),
) {
    let mut steps = Steps::new(None, || Ok(Answer::default()));
    steps.starts_by_hand = true;
    for _ in 0..starts {
        steps.start();
    }
    steps.tick();
    assert_eq!(steps.unanswered.len(), 16);
    for _ in 0..answers {
        answer(&mut steps, later);
    }
    assert_eq!(steps.unanswered.len(), 64);
    while !steps.unanswered.is_empty() {
        answer(&mut steps, Duration::from_millis(1));
    }
    assert_eq!(steps.outbox.stats().pending, 0);
    steps.core.end();
}

#[test]
fn more_calls_go_at_a_time_where_answers_take_long() {
    let later = Duration::from_millis(25);
    assert_widens_by(1_400, later, 2_000, Steps::answer_a_start);
}

#[test]
fn more_calls_go_at_a_time_where_late_answers_come_together() {
    let later = Duration::from_millis(200);
    assert_widens_by(200, later, 16_000, Steps::answer_the_starts);
}

#[test]
fn a_start_that_hangs_keeps_no_span_of_another_session_beyond_a_second_or_half_the_flush() {
    for (timeout, then) in [(3_600, 1_000), (1, 500)] {
        let mut steps = flushed(10, Duration::from_secs(timeout));
        for _ in 0..9 {
            steps.answer_a_start(Duration::ZERO);
        }
        let answered = steps.now;
        while steps.batches() == 0 {
            steps.tick();
        }
        assert_eq!(steps.now - answered, Duration::from_millis(then));
        assert_eq!(steps.outbox.stats().delivered, 9 + 9);
        steps.core.end();
    }
}

#[test]
fn new_sessions_keep_no_span_that_a_flush_waits_for() {
    let mut steps = flushed(2, Duration::from_secs(3_600));
    // The start of the second session hangs; others begin and are answered all the time.
    steps.answer_a_start(Duration::ZERO);
    for _ in 0..9 {
        let session = steps.start().id;
        steps.span(session);
        steps.tick();
        let newest = steps.unanswered.len() - 1;
        steps.unanswered.swap(0, newest);
        steps.answer_a_start(Duration::ZERO);
        assert_eq!(steps.batches(), 0);
    }
    steps.tick();
    assert_eq!(steps.batches(), 1);
    steps.core.end();
}

#[test]
fn spans_without_a_flush_go_twice_a_second_at_most_while_starts_are_answered_late() {
    let mut steps = Steps::new(None, || Ok(Answer::default()));
    steps.starts_by_hand = true;
    for _ in 0..100 {
        let session = steps.start().id;
        steps.span(session);
    }
    steps.tick();
    steps.now += Duration::from_secs(2);
    for _ in 0..100 {
        steps.answer_a_start(Duration::from_millis(30));
    }
    assert_eq!(steps.batches(), 6, "in three seconds");
    assert_eq!(steps.outbox.stats().pending, 0);
    steps.core.end();
}

/// Makes ticks for some seconds, each with so many new spans of a run.
fn seconds_of_a_run(steps: &mut Steps, seconds: usize, spans_a_tick: usize) {
    for _ in 0..10 * seconds {
        (0..spans_a_tick).for_each(|_| steps.span_of_a_run());
        steps.tick();
    }
}

#[test]
fn spans_of_a_run_wait_for_a_whole_batch_or_a_minute_or_the_end_of_the_run() {
    let mut steps = Steps::new(None, || Ok(Answer::default()));
    let run = RunUnderway::new(&steps.outbox);
    seconds_of_a_run(&mut steps, 51, 1);
    assert_eq!(steps.batches(), 0, "510 of 512 wait");
    seconds_of_a_run(&mut steps, 1, 1);
    assert_eq!(steps.batches(), 1);
    seconds_of_a_run(&mut steps, 58, 0);
    assert_eq!(steps.batches(), 1);
    seconds_of_a_run(&mut steps, 3, 0);
    assert_eq!(steps.batches(), 2, "nobody waits more than a minute");
    steps.span_of_a_run();
    seconds_of_a_run(&mut steps, 3, 0);
    assert_eq!(steps.batches(), 2);
    drop(run);
    steps.tick();
    assert_eq!(steps.batches(), 3);
    assert_eq!(steps.outbox.stats().pending, 0);
    steps.core.end();
}

#[test]
fn a_run_keeps_no_span_of_anything_else_and_none_that_a_flush_waits_for() {
    let mut steps = Steps::new(None, || Ok(Answer::default()));
    let _run = RunUnderway::new(&steps.outbox);
    steps.span_of_a_run();
    steps.span(SessionId::new());
    seconds_of_a_run(&mut steps, 2, 0);
    assert_eq!(steps.batches(), 1);
    steps.span_of_a_run();
    steps.tick();
    let (reply, _answer) = Reply::blocking();
    let flush = Command::Flush(Duration::from_secs(1), reply);
    steps.outbox.command(flush);
    steps.step(Vec::new());
    assert_eq!((steps.batches(), steps.outbox.stats().pending), (2, 0));
    steps.core.end();
}

#[test]
fn a_step_of_a_run_does_not_look_at_all_spans_that_wait() {
    let mut steps = Steps::new(None, || Ok(Answer::default()));
    let _run = RunUnderway::new(&steps.outbox);
    (0..500).for_each(|_| steps.span_of_a_run());
    steps.tick();
    steps.most = 0;
    for _ in 0..100 {
        steps.step(Vec::new());
    }
    assert!(steps.most < 100, "{}", steps.most);
    steps.core.end();
}

fn end() -> SessionEnd {
    SessionEnd::of_work(SystemTime::now(), Duration::ZERO, Outcome::Complete)
}

#[test]
fn a_server_that_is_stopped_ends_the_sessions_of_requests_under_way_and_no_others() {
    let mut steps = Steps::new(None, || Ok(Answer::default()));
    let [running, ended, late] = [(); 3].map(|()| steps.start_of(true));
    let by_hand = steps.start();
    steps.tick();
    assert_eq!(steps.calls.len(), 4, "all starts");
    steps.outbox.push_end(&ended, end());
    let held = steps.start_of(true);
    steps.outbox.close(Closed::Server);
    steps.outbox.push_end(&late, end());
    let late_id = late.id;
    drop(late);
    // A second server of a clone is stopped, too.
    for _ in 0..2 {
        steps.outbox.command(Command::CutOff);
        steps.step(Vec::new());
        steps.tick();
    }
    let ends = |id| {
        let of_it = |target: &&Target| matches!(target, Target::Update(it) if *it == id);
        steps.calls.iter().filter(of_it).count()
    };
    let found = [running.id, ended.id, late_id, by_hand.id, held.id].map(ends);
    // The end of the last goes with its start.
    assert_eq!(found, [1, 1, 1, 0, 0], "{:?}", steps.calls);
    let stats = steps.outbox.stats();
    assert_eq!((stats.pending, stats.dropped.total()), (0, 1));
    // Five starts, the end of one, one that came too late, and three of those that were cut off.
    assert_eq!(stats.accepted, 10);
    steps.core.end();
}
