//! [`Core`] keeps the state of delivery, and steps from event to event.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::disk_side::DiskSide;
use super::ending::Stop;
use super::under_way::UnderWay;
use crate::delivery::confirms::Confirms;
use crate::delivery::disk;
use crate::delivery::intake::Intake;
use crate::delivery::lane::{Lane, Number};
use crate::delivery::ledger::{Answered, Ledger};
use crate::delivery::notices::Notices;
use crate::delivery::piles::Piles;
use crate::delivery::plan::Plan;
use crate::delivery::routes::Routes;
use crate::delivery::seal::{Open, Product};
use crate::delivery::sealed::{Body, Target};
use crate::outbox::{Inbox, Outbox};
use crate::report::DropReason;
use crate::session::StartupSession;
use crate::spool::Shelf;
use crate::wire::{Answer, Failure};

/// The core handles these events.
#[derive(Debug)]
pub(in crate::delivery) enum Event<'a> {
    /// Delivery begins.
    Begin,
    /// The time for periodic work has come.
    Tick,
    /// The outbox was looked into.
    Gathered(&'a mut Inbox),
    /// A pile has been sealed.
    Sealed(Number, Product),
    /// HoneyHive has answered a call.
    Answered(Number, Result<Answer, Failure>),
    /// The disk has answered.
    Disk(disk::Response),
}

/// The core asks the driver for these effects.
#[derive(Debug)]
pub(in crate::delivery) enum Effect {
    Seal(Number, Open),
    Call {
        number: Number,
        target: Target,
        items: u64,
        body: Body,
    },
    /// Calls that are under way end without an answer.
    Cut,
    Disk(disk::Request),
    /// A flush has ended.
    Answer(Answered),
}

/// The core's fields stand in the order in which an item goes through them.
#[derive(Debug)]
pub(in crate::delivery) struct Core {
    pub(super) outbox: Arc<Outbox>,
    /// The intake finds the owners of records and spans.
    pub(super) intake: Intake,
    /// The piles are open, or are being sealed.
    pub(super) piles: Piles,
    /// The lane holds the calls that wait or are under way.
    pub(super) lane: Lane,
    /// The routes tell whether HoneyHive takes calls, and how many.
    pub(super) routes: Routes,
    /// The disk side is there where there is a spool.
    pub(super) disk: Option<DiskSide>,
    /// The ledger keeps the accounts, and the flushes that wait.
    pub(super) ledger: Ledger,
    /// The confirms are the callers that wait for the answer to a start.
    pub(super) confirms: Confirms,
    pub(super) notices: Notices,
    pub(super) under_way: UnderWay,
    pub(super) stop: Option<Stop>,
    pub(super) effects: Vec<Effect>,
}

impl Core {
    pub(in crate::delivery) fn new(
        plan: &Plan,
        outbox: Arc<Outbox>,
        startup: Arc<StartupSession>,
        shelf: Option<Shelf>,
    ) -> Self {
        let folder = plan.spool.as_ref().map(|(spool, _)| spool.folder());
        Self {
            intake: Intake::new(plan, startup),
            piles: Piles::new(plan),
            lane: Lane::new(),
            routes: Routes::new(plan),
            disk: shelf.map(DiskSide::new),
            ledger: Ledger::new(Arc::clone(&outbox)),
            confirms: Confirms::new(plan.answer_timeout),
            notices: Notices::new(Arc::clone(&plan.url), folder),
            under_way: UnderWay::default(),
            stop: None,
            effects: Vec::new(),
            outbox,
        }
    }

    /// Takes in events, and returns the effects to carry out.
    pub(in crate::delivery) fn step<'a>(
        &mut self,
        events: impl IntoIterator<Item = Event<'a>>,
        now: Instant,
    ) -> Vec<Effect> {
        for event in events {
            self.take_event(event, now);
        }
        self.go_on(now);
        std::mem::take(&mut self.effects)
    }

    fn take_event(&mut self, event: Event<'_>, now: Instant) {
        match event {
            Event::Begin => self.look_at_disk(now),
            Event::Tick => self.tick(now),
            Event::Gathered(inbox) => self.take(inbox, now),
            Event::Sealed(number, product) => self.sealed(number, product, now),
            Event::Answered(number, answer) => self.answered(number, answer, now),
            Event::Disk(response) => self.disk_answered(response, now),
        }
    }

    fn tick(&mut self, now: Instant) {
        self.decide(now);
        self.notices.drops(&self.outbox.stats(), now);
        self.look_at_disk(now);
        self.free_spans_behind_disk();
    }

    fn go_on(&mut self, now: Instant) {
        if self.is_writing_the_rest() {
            self.go_on_writing_the_rest(now);
        } else {
            self.lane.wake(now);
            self.rescue_spans(now);
            self.outlast_an_outage(now);
            self.relieve(now);
            self.make_room(now);
            self.follow_to_disk(now);
            if !self.is_looking_first(now) {
                self.seal_what_is_due(now);
                self.send(now);
            }
            self.read_back(now);
            self.begin_writing_the_rest(now);
        }
        self.confirms.settle(now);
        if !self.is_writing_the_rest() {
            let answers = self.ledger.answers(now);
            self.effects.extend(answers.into_iter().map(Effect::Answer));
        }
    }

    /// Returns the time of the next work besides the ticks.
    pub(in crate::delivery) fn next_deadline(&self) -> Option<Instant> {
        let stop = self.stop.as_ref().and_then(Stop::next_deadline);
        let flush = self.ledger.next_deadline();
        let flush = flush.filter(|_| !self.is_writing_the_rest());
        [stop, flush].into_iter().flatten().min()
    }

    /// Returns the time by which a shutdown has to have ended.
    #[cfg(feature = "client")]
    pub(in crate::delivery) fn stops_at(&self) -> Option<Instant> {
        self.stop.as_ref().map(Stop::at)
    }

    /// Returns true once the shutdown is over and no caller waits any more.
    pub(in crate::delivery) fn has_ended(&self) -> bool {
        self.stop.is_some() && self.ledger.next_deadline().is_none()
    }

    /// Accounts for the items that are left.
    pub(in crate::delivery) fn end(self) {
        let ledger = self.ledger;
        let calls = self.lane.into_calls().map(|call| call.claim);
        let left = calls
            .chain(self.piles.into_claims())
            .chain(self.intake.into_claims());
        for claim in left {
            ledger.leave(claim, DropReason::ShutDown);
        }
    }
}

/// The folder is searched for files of ended processes in this interval.
pub(super) const LOOK: Duration = Duration::from_secs(2);
