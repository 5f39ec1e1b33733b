//! The driver owns the runtime, the HTTP calls, the threads for sealing and for the disk, and the clock. It decides
//! nothing: it tells the core what has happened, and carries out the effects that the core returns.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use opentelemetry::Context;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task;
#[cfg(feature = "client")]
use tokio::task::JoinSet;
#[cfg(feature = "client")]
use tokio::time::timeout_at;
use tokio::time::{Instant, sleep_until, timeout};

#[cfg(feature = "client")]
use super::asks;
use super::core::{Core, Effect, Event};
use super::disk::{self, Request, Response};
use super::lane::Number;
use super::ledger::Answered;
use super::plan::Plan;
use super::seal::{Open, Product, Sealer};
use super::sealed::{Body, Target};
use super::sink::Sink;
use crate::outbox::{Inbox, Outbox, wait};
use crate::session::StartupSession;
use crate::spool::Shelf;
use crate::wire::{Answer, Failure, Retry};

/// The outbox is read in this interval. Requests never wake this thread.
const TICK: Duration = Duration::from_millis(100);
/// The sealing thread gathers results for this time before it reports them: waking the driver costs more than a seal.
const TOGETHER: Duration = Duration::from_millis(1);
/// The driver waits this long at the most for the disk's last response.
const LAST_WORD: Duration = Duration::from_millis(500);

/// The piles are on their way to the sealing thread. Those of one step go together: a pile each would wake it, which
/// costs more than a seal.
type Piles = Vec<(Number, Open)>;

/// The driver hears from the threads beside it, and from calls.
#[derive(Debug)]
enum Heard {
    Sealed(Vec<(Number, Product)>),
    Disk(Response),
    Answered(Number, Result<Answer, Failure>),
}

impl Heard {
    fn add_to(self, events: &mut Vec<Event<'_>>) {
        match self {
            Self::Sealed(all) => {
                events.extend(
                    all.into_iter()
                        .map(|(number, it)| Event::Sealed(number, it)),
                );
            }
            Self::Disk(response) => events.push(Event::Disk(response)),
            Self::Answered(number, answer) => events.push(Event::Answered(number, answer)),
        }
    }
}

/// The report of a call is made however the call ends.
struct Report {
    number: Number,
    heard: UnboundedSender<Heard>,
    /// The answer is `None` until the call ends, and for good where it panics.
    answer: Option<Result<Answer, Failure>>,
}

impl Report {
    fn answered(mut self, answer: Result<Answer, Failure>) {
        self.answer = Some(answer);
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        let answer = self.answer.take().unwrap_or_else(|| Err(broke_off()));
        let _ = self.heard.send(Heard::Answered(self.number, answer));
    }
}

/// The driver does I/O for the core.
#[derive(Debug)]
pub(super) struct Driver {
    outbox: Arc<Outbox>,
    core: Core,
    sink: Sink,
    sealer: mpsc::Sender<Piles>,
    /// The piles of this step are to be sealed.
    to_seal: Piles,
    disk: Option<mpsc::Sender<Request>>,
    heard: UnboundedReceiver<Heard>,
    heard_of: UnboundedSender<Heard>,
    /// The sender ends the calls that are under way.
    cut: watch::Sender<bool>,
    /// The empty inbox is swapped in, so that no pushing thread has to allocate one.
    inbox: Inbox,
    /// The answers to the last flushes are sent once all is accounted for.
    last: Vec<Answered>,
    /// The tasks are calls of the typed client.
    #[cfg(feature = "client")]
    asks: JoinSet<()>,
}

impl Driver {
    pub(super) fn new(
        plan: Plan,
        outbox: Arc<Outbox>,
        startup: Arc<StartupSession>,
    ) -> io::Result<Self> {
        let (heard_of, heard) = unbounded_channel();
        let sealer = start_sealer(Sealer::new(&plan), heard_of.clone())?;
        let shelf = plan.spool.as_ref().map(|(settings, _)| Shelf::of(settings));
        let core = Core::new(&plan, Arc::clone(&outbox), startup, shelf.clone());
        let disk = match plan.spool.zip(shelf) {
            Some(((settings, destination), shelf)) => {
                let heard_of = heard_of.clone();
                let tell = move |response| heard_of.send(Heard::Disk(response)).is_ok();
                Some(disk::start(settings, destination, shelf, tell)?)
            }
            None => None,
        };
        Ok(Self {
            outbox,
            core,
            sink: plan.sink,
            sealer,
            to_seal: Piles::new(),
            disk,
            heard,
            heard_of,
            cut: watch::Sender::new(false),
            inbox: Inbox::default(),
            last: Vec::new(),
            #[cfg(feature = "client")]
            asks: JoinSet::new(),
        })
    }

    /// Runs until it is told to stop. The last answers are returned, and the caller sends them once the rest has been
    /// accounted for.
    pub(super) async fn run(mut self) -> Vec<Answered> {
        // The first look into the folder comes before the outbox, so that items of an earlier process belong to the
        // first flush.
        for effect in self.core.step([Event::Begin], Instant::now()) {
            self.see_to(effect);
        }
        let mut next_tick = Instant::now() + TICK;
        while !self.core.has_ended() {
            let deadline = self.core.next_deadline();
            let wake_at = deadline.map_or(next_tick, |then| then.min(next_tick));
            let mut events = Vec::new();
            tokio::select! {
                () = sleep_until(wake_at) => {}
                () = self.outbox.wake() => {}
                Some(heard) = self.heard.recv() => heard.add_to(&mut events),
            }
            while let Ok(heard) = self.heard.try_recv() {
                heard.add_to(&mut events);
            }
            if Instant::now() >= next_tick {
                next_tick = Instant::now() + TICK;
                events.push(Event::Tick);
            }
            self.step(events);
        }
        #[cfg(feature = "client")]
        self.end_asks().await;
        self.end_disk().await;
        self.core.end();
        self.last
    }

    /// Steps the core, with the outbox's records first, and carries out its effects.
    fn step(&mut self, events: Vec<Event<'_>>) {
        self.outbox.take(&mut self.inbox);
        #[cfg(feature = "client")]
        self.make_asked_calls();
        let gathered = Event::Gathered(&mut self.inbox);
        let effects = self
            .core
            .step([gathered].into_iter().chain(events), Instant::now());
        for effect in effects {
            self.see_to(effect);
        }
        if !self.to_seal.is_empty() {
            drop(self.sealer.send(std::mem::take(&mut self.to_seal)));
        }
        if !self.core.has_ended() {
            self.last.drain(..).for_each(Answered::send);
        }
    }

    fn see_to(&mut self, effect: Effect) {
        match effect {
            Effect::Seal(number, open) => self.to_seal.push((number, open)),
            Effect::Call {
                number,
                target,
                items,
                body,
            } => self.call(number, target, items, body),
            Effect::Cut => drop(self.cut.send_replace(true)),
            Effect::Disk(request) => {
                if let Some(disk) = &self.disk {
                    drop(disk.send(request));
                }
            }
            Effect::Answer(answered) => self.last.push(answered),
        }
    }

    fn call(&self, number: Number, target: Target, items: u64, body: Body) {
        let report = Report {
            number,
            heard: self.heard_of.clone(),
            answer: None,
        };
        // The call is boxed, since the runtime moves a task several times.
        let call = Box::pin(self.sink.clone().make(target, items, body));
        let cut = self.cut.subscribe();
        task::spawn(async move { report.answered(unless_cut(cut, call).await) });
    }

    /// Begins the calls of the typed client.
    #[cfg(feature = "client")]
    fn make_asked_calls(&mut self) {
        while self.asks.try_join_next().is_some() {}
        for asked in self.inbox.calls.drain(..) {
            self.asks.spawn(asks::see_to(self.sink.clone(), asked));
        }
    }

    /// Waits for calls of the typed client, as long as the stop has time.
    #[cfg(feature = "client")]
    async fn end_asks(&mut self) {
        self.outbox.take(&mut self.inbox);
        self.make_asked_calls();
        let at = self.core.stops_at().unwrap_or_else(Instant::now);
        let all = async { while self.asks.join_next().await.is_some() {} };
        let _ = timeout_at(at, all).await;
    }

    /// Waits until the disk knows all outcomes, so that the next process does not deliver the items again.
    async fn end_disk(&mut self) {
        let Some(disk) = self.disk.take() else {
            return;
        };
        if disk.send(Request::End).is_err() {
            return;
        }
        let ended = async {
            while let Some(heard) = self.heard.recv().await {
                if matches!(heard, Heard::Disk(Response::Ended)) {
                    return;
                }
            }
        };
        let _ = timeout(LAST_WORD, ended).await;
    }
}

fn start_sealer(
    mut sealer: Sealer,
    heard: UnboundedSender<Heard>,
) -> io::Result<mpsc::Sender<Piles>> {
    let (jobs, asked) = mpsc::channel();
    std::thread::Builder::new()
        .name("honeyhive-seal".to_owned())
        .spawn(move || {
            super::priority::give_way();
            wait::enter_delivery();
            // Spans that the HTTP client makes in this thread are suppressed, so that deliveries make no telemetry of
            // their own.
            let _silence = Context::enter_telemetry_suppressed_scope();
            let mut waiting = VecDeque::new();
            while let Ok(piles) = asked.recv() {
                waiting.extend(piles);
                while !waiting.is_empty() {
                    let sealed = seal_together(&mut sealer, &mut waiting);
                    if heard.send(Heard::Sealed(sealed)).is_err() {
                        return;
                    }
                    waiting.extend(asked.try_iter().flatten());
                }
            }
        })?;
    Ok(jobs)
}

/// Seals the waiting piles, as many as take no time.
fn seal_together(
    sealer: &mut Sealer,
    waiting: &mut VecDeque<(Number, Open)>,
) -> Vec<(Number, Product)> {
    let until = Instant::now() + TOGETHER;
    let mut sealed = Vec::new();
    while let Some((number, open)) = waiting.pop_front() {
        sealed.push((number, sealer.seal(open)));
        // A hook may block, so a sealed pile does not wait for the ones behind it.
        if sealer.has_hook() || Instant::now() >= until {
            break;
        }
    }
    sealed
}

/// Returns the failure of a call that has panicked.
fn broke_off() -> Failure {
    Failure::Transient {
        retry: Retry::Soon,
        detail: "the HTTP client panicked".to_owned(),
    }
}

/// Makes a call, unless it has to end before it has an answer.
async fn unless_cut(
    mut cut: watch::Receiver<bool>,
    call: impl Future<Output = Result<Answer, Failure>>,
) -> Result<Answer, Failure> {
    tokio::select! {
        biased;
        answer = call => answer,
        _ = cut.wait_for(|is_cut| *is_cut) => Err(Failure::Transient {
            retry: Retry::Soon,
            detail: "the tracer was shut down".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// A call that nobody reports would make the core wait.
    #[test]
    fn a_call_is_reported_once_whether_it_has_an_answer_or_panics() {
        let (heard_of, mut heard) = unbounded_channel();
        let report = |number| Report {
            number,
            heard: heard_of.clone(),
            answer: None,
        };
        report(1).answered(Ok(Answer::default()));
        let second = AssertUnwindSafe(report(2));
        let panicked = catch_unwind(move || {
            let _second = second;
            panic!("no way");
        });
        assert!(panicked.is_err());
        assert!(matches!(heard.try_recv(), Ok(Heard::Answered(1, Ok(_)))));
        assert!(matches!(
            heard.try_recv(),
            Ok(Heard::Answered(2, Err(Failure::Transient { .. })))
        ));
        assert!(heard.try_recv().is_err());
    }
}
