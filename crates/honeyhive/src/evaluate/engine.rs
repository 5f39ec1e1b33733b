//! The engine decides which trial runs when, and when nothing more begins.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde::Serialize;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::clock::after;
use super::guarded;
use super::journal::Journal;
use super::progress::Progress;
use super::rate::Pace;
use super::report::RunStatus;
use super::results::{Outcome, TrialReport};
use super::settings::{CancelOn, ErrorLimit, OnProgress, StopWhen};
use super::trial::{Ended, Job, Work};

/// The time that running trials get after the run was cancelled.
const GRACE: Duration = Duration::from_secs(5);
/// The share of the delivery queue from which on no further trial begins.
const FULL: f64 = 0.5;
/// The longest wait for the delivery queue to shrink.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// `Control` holds the settings of a run besides its trials.
pub(super) struct Control {
    pub(super) max_workers: usize,
    pub(super) pace: Option<Pace>,
    pub(super) max_errors: Option<ErrorLimit>,
    pub(super) stop_when: Vec<Box<StopWhen>>,
    pub(super) on_progress: Vec<Box<OnProgress>>,
    pub(super) cancel_on: Vec<CancelOn>,
    pub(super) journal: Option<Journal>,
}

/// `TrialsOutcome` is the outcome of all trials.
pub(super) struct TrialsOutcome {
    pub(super) trials: Vec<TrialReport>,
    /// The reason for which no further trial began, where something ended the run.
    pub(super) stopped: Option<RunStatus>,
    pub(super) journal_problem: Option<io::Error>,
}

/// Runs all jobs. `finished` holds the trials that an earlier process has run.
pub(super) async fn drive<I, G, O>(
    work: Arc<Work<I, G, O>>,
    jobs: Vec<Job<I, G>>,
    finished: Vec<TrialReport>,
    mut control: Control,
) -> TrialsOutcome
where
    I: Send + Sync + 'static,
    G: Send + Sync + 'static,
    O: Serialize + Send + Sync + 'static,
{
    let mut signals = std::mem::take(&mut control.cancel_on);
    let mut cancel = pin!(first(&mut signals));
    let mut engine = Engine::new(work, jobs, finished, control);
    let mut is_cancelled = false;
    loop {
        engine.begin_what_can();
        if engine.has_ended() {
            return engine.outcome();
        }
        let wake = engine.wakes_at();
        tokio::select! {
            biased;
            Some(ended) = engine.running.join_next_with_id() => engine.ended(ended),
            () = &mut cancel, if !is_cancelled => {
                is_cancelled = true;
                engine.cancel();
            }
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => engine.woken(),
        }
    }
}

/// Resolves as soon as one of the signals does.
async fn first(signals: &mut [CancelOn]) {
    poll_fn(|task| {
        match signals
            .iter_mut()
            .any(|signal| signal.as_mut().poll(task).is_ready())
        {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

struct Engine<I, G, O> {
    work: Arc<Work<I, G, O>>,
    control: Control,
    jobs: std::vec::IntoIter<Job<I, G>>,
    /// The trials that run again, by the time when they do.
    waiting: BTreeMap<(Instant, u64), Job<I, G>>,
    waited: u64,
    running: JoinSet<Ended<I, G>>,
    /// The reports of running trials, for tasks that are dropped.
    places: HashMap<Id, TrialReport>,
    progress: Progress,
    began: Instant,
    trials: Vec<TrialReport>,
    stopped: Option<RunStatus>,
    /// The time at which running trials are dropped.
    ends_at: Option<Instant>,
    full: Option<Full>,
    journal_problem: Option<io::Error>,
}

/// The time since which the delivery queue has been too full, and its lowest fullness since.
struct Full {
    since: Instant,
    least: f64,
}

impl<I, G, O> Engine<I, G, O>
where
    I: Send + Sync + 'static,
    G: Send + Sync + 'static,
    O: Serialize + Send + Sync + 'static,
{
    fn new(
        work: Arc<Work<I, G, O>>,
        jobs: Vec<Job<I, G>>,
        finished: Vec<TrialReport>,
        control: Control,
    ) -> Self {
        let mut progress = Progress::of(jobs.len() + finished.len());
        finished.iter().for_each(|trial| progress.add(trial));
        Self {
            work,
            control,
            jobs: jobs.into_iter(),
            waiting: BTreeMap::new(),
            waited: 0,
            running: JoinSet::new(),
            places: HashMap::new(),
            progress,
            began: Instant::now(),
            trials: finished,
            stopped: None,
            ends_at: None,
            full: None,
            journal_problem: None,
        }
    }

    fn has_ended(&self) -> bool {
        let has_more = self.stopped.is_none() && (!self.waiting.is_empty() || self.jobs.len() > 0);
        self.running.is_empty() && !has_more
    }

    fn begin_what_can(&mut self) {
        while self.can_begin() {
            let Some(job) = self.next_job() else { return };
            if let Some(pace) = &mut self.control.pace {
                pace.begin(Instant::now());
            }
            let place = TrialReport::not_run(&job.row.id, job.row.position, job.trial);
            let work = Arc::clone(&self.work);
            let task = self.running.spawn(async move { work.attempt(job).await });
            self.places.insert(task.id(), place);
        }
    }

    fn can_begin(&mut self) -> bool {
        self.stopped.is_none()
            && self.running.len() < self.control.max_workers
            && self.opens_at().is_none()
            && !self.is_delivery_full()
    }

    fn opens_at(&self) -> Option<Instant> {
        self.control.pace.as_ref()?.opens_at(Instant::now())
    }

    /// Returns a trial that runs again, where its time has come, else a new one.
    fn next_job(&mut self) -> Option<Job<I, G>> {
        match self.waiting.first_entry() {
            Some(first) if first.key().0 <= Instant::now() => Some(first.remove()),
            _ => self.jobs.next(),
        }
    }

    fn is_delivery_full(&mut self) -> bool {
        let fullness = self.work.events.tracer.fullness();
        if fullness <= FULL {
            self.full = None;
            return false;
        }
        let now = Instant::now();
        let full = self.full.get_or_insert(Full {
            since: now,
            least: fullness,
        });
        if fullness < full.least {
            *full = Full {
                since: now,
                least: fullness,
            };
        }
        // Trials begin again after the longest wait; items past the queue's bound are dropped as always, and the report
        // says so.
        now.duration_since(full.since) < PATIENCE
    }

    /// Returns the time of the next work, apart from trials that end.
    fn wakes_at(&self) -> Option<Instant> {
        if self.stopped.is_some() {
            return self.ends_at;
        }
        if self.running.len() >= self.control.max_workers {
            return None;
        }
        let retry = self.waiting.keys().next().map(|(at, _)| *at);
        let due = if self.jobs.len() > 0 {
            Some(Instant::now())
        } else {
            retry
        };
        let paced = due.map(|due| self.opens_at().map_or(due, |opens| opens.max(due)));
        match &self.full {
            Some(_) => paced.map(|at| at.max(Instant::now() + PAUSE)),
            None => paced,
        }
    }

    fn woken(&mut self) {
        if self.ends_at.is_some_and(|at| at <= Instant::now()) {
            self.running.abort_all();
            self.ends_at = None;
        }
    }

    fn cancel(&mut self) {
        self.stopped.get_or_insert(RunStatus::Cancelled);
        self.ends_at = Some(Instant::now() + GRACE);
    }

    fn ended(&mut self, ended: Result<(Id, Ended<I, G>), JoinError>) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, ended),
            Err(error) => (error.id(), Ended::Done(self.dropped(&error))),
        };
        self.places.remove(&id);
        match ended {
            Ended::Done(trial) => self.done(trial),
            Ended::Again(job, wait) => {
                self.waited += 1;
                self.waiting.insert((after(wait), self.waited), job);
            }
        }
    }

    /// Returns the report of a trial whose task was dropped, or panicked outside the program's own work.
    fn dropped(&self, error: &JoinError) -> TrialReport {
        let mut left = self.places[&error.id()].clone();
        if error.is_panic() {
            left.outcome = Outcome::Panicked;
            left.error = Some(error.to_string());
        }
        left
    }

    fn done(&mut self, trial: TrialReport) {
        self.progress.add(&trial);
        self.progress.running = self.running.len();
        self.progress.elapsed = self.began.elapsed();
        if let Some(journal) = &mut self.control.journal
            && trial.outcome() != Outcome::NotRun
            && let Err(problem) = journal.add(&trial)
        {
            self.journal_problem.get_or_insert(problem);
        }
        self.trials.push(trial);
        for tell in &self.control.on_progress {
            // A panic of the program's callback does not end the run.
            let _ = guarded::made(|| tell(&self.progress));
        }
        self.stop_where_told();
    }

    fn stop_where_told(&mut self) {
        let (errors, total) = (self.progress.errors(), self.progress.total());
        let is_exceeded = |limit: ErrorLimit| limit.is_exceeded(errors, total);
        if self.control.max_errors.is_some_and(is_exceeded) {
            self.stopped.get_or_insert(RunStatus::Failed);
        }
        let mut decisions = self.control.stop_when.iter();
        if decisions.any(|decide| guarded::made(|| decide(&self.progress)) == Ok(true)) {
            self.stopped.get_or_insert(RunStatus::Cancelled);
        }
    }

    fn outcome(mut self) -> TrialsOutcome {
        let waiting = std::mem::take(&mut self.waiting).into_values();
        let left: Vec<_> = waiting.chain(self.jobs.by_ref()).map(Job::left).collect();
        self.trials.extend(left);
        TrialsOutcome {
            trials: self.trials,
            stopped: self.stopped,
            journal_problem: self.journal_problem,
        }
    }
}
