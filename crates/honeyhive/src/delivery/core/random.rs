//! The test runs the core by chance: records, answers and times in any order, against a simple model of the promises.
//!
//! `HH_CORE_ROUNDS` says how many rounds are played (default 150), `HH_CORE_SEED` from which seed on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use serde_json::json;
use tokio::time::Instant;

use super::state::{Core, Effect, Event};
use crate::attributes::{EVENT_ID, SESSION_ID};
use crate::delivery::lane::Number;
use crate::delivery::plan::{Origin, Plan};
use crate::delivery::redactor::Redactor;
use crate::delivery::seal::{Open, Sealer};
use crate::delivery::sealed::{Body, Target};
use crate::delivery::sink::Sink;
use crate::enrichment::Enrichment;
use crate::log::CallSite;
use crate::model::id::SessionId;
use crate::outbox::{
    Bounds, Command, Inbox, Inputs, Outbox, Record, Reply, StartRecord, Timing, Update, fit_span,
};
use crate::redaction::{Redaction, Rules};
use crate::sampling::SessionSampling;
use crate::session::StartupSession;
use crate::settings::{DropPolicy, SessionTransport};
use crate::wire::{Answer, Failure, Retry};

/// The numbers come by chance, the same for a seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % bound
    }

    fn pick<T>(&mut self, from: &mut Vec<T>) -> Option<T> {
        let index = self.below(from.len().max(1) as u64) as usize;
        (index < from.len()).then(|| from.swap_remove(index))
    }
}

/// The call goes to this target, with spans of these sessions and events.
struct Made {
    number: Number,
    target: Target,
    about: BTreeSet<SessionId>,
}

struct World {
    chance: Chance,
    outbox: Arc<Outbox>,
    core: Core,
    sealer: Sealer,
    inbox: Inbox,
    now: Instant,
    sessions: Vec<SessionId>,
    events: Vec<SessionId>,
    open: Vec<(Number, Open)>,
    made: Vec<Made>,
    under_way: BTreeSet<Number>,
    /// The spans have no outcome yet; they are counted by session and by event.
    spans_left: BTreeMap<SessionId, u64>,
    /// The starts have no outcome yet.
    starts_left: BTreeSet<SessionId>,
    /// HoneyHive takes everything once it is healed.
    is_healed: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let policy = [DropPolicy::Newest, DropPolicy::Oldest][chance.below(2) as usize];
        let most = [20, 10_000][chance.below(2) as usize];
        let bounds = Bounds::new(most, usize::MAX / 16, policy, false);
        let outbox = Arc::new(Outbox::new(bounds).local(true));
        let window = Duration::from_millis(500 * chance.below(2));
        let plan = plan(&outbox, most, window);
        let startup = StartupSession::new(Arc::clone(&outbox), "own".to_owned(), None);
        Self {
            core: Core::new(&plan, Arc::clone(&outbox), Arc::new(startup), None),
            sealer: Sealer::new(&plan),
            chance,
            outbox,
            inbox: Inbox::default(),
            now: Instant::now(),
            sessions: Vec::new(),
            events: Vec::new(),
            open: Vec::new(),
            made: Vec::new(),
            under_way: BTreeSet::new(),
            spans_left: BTreeMap::new(),
            starts_left: BTreeSet::new(),
            is_healed: false,
        }
    }

    fn play(&mut self) {
        for _ in 0..200 {
            self.one_move();
        }
        self.is_healed = true;
        let (reply, _answer) = Reply::blocking();
        self.outbox.command(Command::Flush(Duration::MAX, reply));
        for _ in 0..2_000 {
            if self.outbox.stats().pending == 0 {
                return;
            }
            self.seal();
            self.answer();
            self.pass(Duration::from_secs(1));
        }
        panic!(
            "something is kept waiting without a reason: {:#?}",
            self.core
        );
    }

    fn one_move(&mut self) {
        match self.chance.below(16) {
            0 | 1 => self.start(),
            2..4 => self.enrich(),
            4..6 => self.span(),
            6 => self.enrich_event(),
            7 | 8 => self.seal(),
            9..13 => self.answer(),
            13 => {
                let (reply, _answer) = Reply::blocking();
                self.outbox
                    .command(Command::Flush(Duration::from_secs(5), reply));
                self.pass(Duration::ZERO);
            }
            _ => {
                let pause = Duration::from_millis(self.chance.below(3_000));
                self.pass(pause);
            }
        }
    }

    fn start(&mut self) {
        let id = SessionId::new();
        let inputs = Inputs::Object(serde_json::Map::new());
        let start = StartRecord::new(id, "chat".into(), inputs, SystemTime::now());
        if self
            .outbox
            .push_start(&Arc::new(start), CallSite::here())
            .is_ok()
        {
            self.starts_left.insert(id);
        }
        self.sessions.push(id);
    }

    fn enrichment(&mut self) -> Update {
        let note = json!({"step": self.chance.below(1_000)});
        Update::Enrich(Box::new(match self.chance.below(3) {
            0 => Enrichment::new().metadata(note),
            1 => Enrichment::new().outputs(note),
            _ => Enrichment::new().metrics(note),
        }))
    }

    fn enrich(&mut self) {
        let index = self.chance.below(self.sessions.len().max(1) as u64) as usize;
        let known = self.sessions.get(index).copied();
        // Some sessions are begun by nobody.
        let id = known.filter(|_| self.chance.below(8) > 0);
        let id = id.unwrap_or_else(SessionId::new);
        let timing = [Timing::Soon, Timing::WithTheEnd][self.chance.below(2) as usize];
        let update = self.enrichment();
        self.outbox.push(Record::Update(id, update, timing));
    }

    fn span(&mut self) {
        let index = self.chance.below(self.sessions.len().max(1) as u64) as usize;
        let Some(session) = self.sessions.get(index).copied() else {
            return;
        };
        let event = SessionId::new();
        let mut span = span(session, event);
        let before = self.outbox.stats().pending;
        let load = fit_span(&mut span);
        self.outbox.push_span(span, load);
        if self.outbox.stats().pending > before {
            *self.spans_left.entry(event).or_default() += 1;
        }
        self.events.push(event);
    }

    fn enrich_event(&mut self) {
        let index = self.chance.below(self.events.len().max(1) as u64) as usize;
        if let Some(event) = self.events.get(index).copied() {
            let update = self.enrichment();
            self.outbox
                .push(Record::Update(event, update, Timing::AfterSpans));
        }
    }

    /// Seals the oldest pile: the sealing thread keeps the order.
    fn seal(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let (number, open) = self.open.remove(0);
        let product = self.sealer.seal(open);
        self.step(vec![Event::Sealed(number, product)]);
    }

    fn answer(&mut self) {
        let Some(made) = self.chance.pick(&mut self.made) else {
            return;
        };
        assert!(
            self.under_way.remove(&made.number),
            "each call has one answer"
        );
        let answer = self.answer_to(&made);
        let is_final = match &answer {
            Ok(_) => true,
            Err(Failure::Refused { status, .. }) => *status != 404 || !made.target.is_update(),
            Err(Failure::Transient { .. }) => false,
        };
        if is_final {
            self.has_outcome(&made);
        }
        self.step(vec![Event::Answered(made.number, answer)]);
    }

    fn answer_to(&mut self, made: &Made) -> Result<Answer, Failure> {
        let message = String::new();
        match self.chance.below(10) {
            _ if self.is_healed => Ok(Answer::default()),
            0..6 => Ok(Answer::default()),
            6 if made.target.is_update() => Err(Failure::Refused {
                status: 404,
                message,
            }),
            7 => Err(Failure::Refused {
                status: 400,
                message,
            }),
            _ => Err(Failure::Transient {
                retry: Retry::Soon,
                detail: String::new(),
            }),
        }
    }

    fn has_outcome(&mut self, made: &Made) {
        match made.target {
            Target::Start(id) => drop(self.starts_left.remove(&id)),
            Target::Update(_) => {}
            Target::Traces => {
                for id in &made.about {
                    self.spans_left.remove(id);
                }
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.step(vec![Event::Tick]);
    }

    fn step(&mut self, events: Vec<Event<'_>>) {
        self.outbox.take(&mut self.inbox);
        let gathered = Event::Gathered(&mut self.inbox);
        let effects = self
            .core
            .step([gathered].into_iter().chain(events), self.now);
        for effect in effects {
            match effect {
                Effect::Seal(number, open) => self.open.push((number, open)),
                Effect::Call {
                    number,
                    target,
                    body,
                    ..
                } => self.call(number, target, &body),
                Effect::Answer(answered) => answered.send(),
                Effect::Cut | Effect::Disk(_) => panic!("there is no disk"),
            }
        }
        self.audit();
    }

    /// A call goes out: nothing that must precede it is left.
    fn call(&mut self, number: Number, target: Target, body: &Body) {
        assert!(
            self.under_way.insert(number),
            "a call is made once at a time"
        );
        let mut about = BTreeSet::new();
        if let Body::Plain(spans) = body {
            for span in spans {
                let id = |key: &str| {
                    let attribute = span.attributes.iter().find(|it| it.key.as_str() == key);
                    SessionId::from_correlation_id(&attribute.unwrap().value.as_str())
                };
                let (session, event) = (id(SESSION_ID), id(EVENT_ID));
                let is_dropped = self.outbox.stats().dropped.queue_full > 0;
                assert!(
                    is_dropped || !self.starts_left.contains(&session),
                    "spans wait for the start of their session"
                );
                about.insert(event);
            }
        }
        if let Target::Update(id) = target {
            let is_dropped = self.outbox.stats().dropped.queue_full > 0;
            assert!(
                is_dropped || !self.spans_left.contains_key(&id),
                "an update of an event waits for its span"
            );
            assert!(
                is_dropped || !self.starts_left.contains(&id),
                "an update waits for the start"
            );
        }
        if let Some(id) = target.id() {
            let mut others = self.made.iter().filter(|it| it.target.id() == Some(id));
            assert!(others.next().is_none(), "one call of a session at a time");
        }
        self.made.push(Made {
            number,
            target,
            about,
        });
    }

    fn audit(&self) {
        let stats = self.outbox.stats();
        let outcomes = stats.delivered + stats.pending + stats.dropped.total();
        assert_eq!(stats.accepted, outcomes, "{stats:?}");
    }
}

/// Returns a plan that delivers nothing anywhere.
pub(super) fn plan(outbox: &Arc<Outbox>, most: usize, window: Duration) -> Plan {
    let rules = Rules::new(&Redaction::none()).unwrap();
    Plan {
        url: "http://localhost".into(),
        origin: Origin {
            source: "tests".into(),
            project: None,
        },
        transport: SessionTransport::Rest,
        window,
        answer_timeout: Duration::from_secs(10),
        redactor: Arc::new(Redactor::new(rules, Arc::clone(outbox))),
        sampling: SessionSampling::default(),
        most_items: most,
        most_bytes: usize::MAX / 16,
        sink: Sink::Nowhere,
        spool: None,
        captures_content: true,
    }
}

pub(super) fn span(session: SessionId, event: SessionId) -> SpanData {
    let id = SpanId::from_bytes(event.to_bytes()[..8].try_into().unwrap());
    let trace = TraceId::from_bytes(event.to_bytes());
    SpanData {
        span_context: SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::NONE),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "work".into(),
        start_time: SystemTime::now(),
        end_time: SystemTime::now(),
        attributes: vec![
            KeyValue::new(SESSION_ID, session.to_string()),
            KeyValue::new(EVENT_ID, event.to_string()),
        ],
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("tests").build(),
    }
}

fn number_of(variable: &str, default: u64) -> u64 {
    let value = std::env::var(variable).ok();
    value.and_then(|it| it.parse().ok()).unwrap_or(default)
}

#[test]
fn the_promises_hold_whatever_comes_in_whichever_order() {
    let first = number_of("HH_CORE_SEED", 0);
    for seed in first..first + number_of("HH_CORE_ROUNDS", 150) {
        let played = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            world.play();
            world.core.end();
        });
        assert!(played.is_ok(), "HH_CORE_SEED={seed} HH_CORE_ROUNDS=1");
    }
}
