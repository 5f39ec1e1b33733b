//! Steps of the core one by one: how much they look at, and what goes on while the disk stands still.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::random::{plan, span};
use super::state::{Core, Effect, Event};
use crate::delivery::plan::Plan;
use crate::delivery::seal::Sealer;
use crate::delivery::sealed::Target;
use crate::delivery::work;
use crate::model::id::SessionId;
use crate::outbox::{BATCH, Bounds, Command, Inbox, Inputs, Outbox, Reply, StartRecord, fit_span};
use crate::session::StartupSession;
use crate::settings::DropPolicy;
use crate::spool::Shelf;
use crate::wire::{Answer, Failure};

struct Steps {
    core: Core,
    sealer: Sealer,
    outbox: Arc<Outbox>,
    inbox: Inbox,
    now: Instant,
    /// How HoneyHive answers.
    answer: fn() -> Result<Answer, Failure>,
    calls: Vec<Target>,
    /// The most that a step has looked at.
    most: usize,
}

impl Steps {
    fn new(shelf: Option<Arc<Shelf>>, answer: fn() -> Result<Answer, Failure>) -> Self {
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
            calls: Vec::new(),
            most: 0,
        };
        steps.step(vec![Event::Begin]);
        steps
    }

    fn start(&self) -> Arc<StartRecord> {
        let inputs = Inputs::Object(serde_json::Map::new());
        let start = StartRecord::new(SessionId::new(), "chat".into(), inputs, SystemTime::now());
        let start = Arc::new(start);
        self.outbox.push_start(&start).unwrap();
        start
    }

    fn span(&self, session: SessionId) {
        let mut span = span(session, SessionId::new());
        let load = fit_span(&mut span);
        self.outbox.push_span(span, load);
    }

    /// A tick, and what follows from it until nothing more does.
    fn tick(&mut self) {
        self.now += Duration::from_millis(100);
        self.step(vec![Event::Tick]);
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
                        events.push(Event::Answered(number, (self.answer)()));
                    }
                    Effect::Answer(answered) => answered.send(),
                    // The disk stands still: nothing comes back from it.
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
        retry_after: None,
        detail: String::new(),
    })
};

#[test]
fn a_step_looks_at_no_more_however_much_waits_in_an_outage() {
    const SESSIONS: usize = 10_000;
    let mut steps = Steps::new(None, OUTAGE);
    for _ in 0..SESSIONS {
        let session = steps.start().id;
        steps.span(session);
        // Of a session that was begun elsewhere.
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
fn who_awaits_a_session_has_an_answer_though_the_disk_stands_still() {
    let shelf = Arc::new(Shelf::default());
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
