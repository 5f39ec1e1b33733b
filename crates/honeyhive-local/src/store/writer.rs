//! One thread writes: it commits together what has queued up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fs::File, io};

use rusqlite::Connection;

use super::checkpoints::Checkpoints;
use super::failed::Failed;
use super::feed::{Feed, Kind};
use super::totals::Totals;
use super::write::Writing;
use crate::config::Limits;

/// A commit has at most this many writes.
const MOST_TOGETHER: usize = 512;

/// A commit takes in writes for at most this time, so that the first of them does not wait long.
const LONGEST_TOGETHER: Duration = Duration::from_millis(5);

/// A `Finish` ends a write, once its commit has succeeded or failed.
type Finish = Box<dyn FnOnce(Result<(), Failed>) + Send>;
type Job = Box<dyn FnOnce(&mut Writing<'_>) -> Finish + Send>;

/// `Announced` has changes as the feed takes them: kind, id, and whether the thing is new.
type Announced = Vec<(Kind, String, bool)>;

/// `Writer` is the handle on the writing thread; dropping it writes what has queued up and ends the thread.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// A `WriterState` belongs to the writing thread.
#[derive(Debug)]
pub(super) struct WriterState {
    pub(super) connection: Arc<Mutex<Connection>>,
    pub(super) totals: Arc<Mutex<Totals>>,
    pub(super) feed: Arc<Feed>,
    pub(super) limits: Limits,
    /// The lock, which is held as long as the thread lives.
    pub(super) lock: Option<File>,
    /// The checkpoints; `None` for a store in memory.
    pub(super) checkpoints: Option<Checkpoints>,
}

impl Writer {
    pub(super) fn start(state: WriterState) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let builder = thread::Builder::new().name("honeyhive-store".to_owned());
        let thread = builder.spawn(move || state.work(&queue))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Queues a write; `on_done` is called with its result, after the commit.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, Failed> + Send + 'static,
        on_done: impl FnOnce(Result<T, Failed>) + Send + 'static,
    ) {
        let job: Job = Box::new(move |writing| {
            let done = writing.attempt(work);
            Box::new(move |committed: Result<(), Failed>| on_done(committed.and(done)))
        });
        if let Some(jobs) = &self.jobs {
            // The thread lives as long as this sender.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // Joining fails only where the thread panicked, and a drop must not.
            let _ = thread.join();
        }
    }
}

impl WriterState {
    fn work(self, queue: &mpsc::Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let (finishes, committed) = self.commit(first, queue);
            let committed = committed.map(|changes| self.announce(changes));
            for finish in finishes {
                finish(committed.clone());
            }
            if let Some(checkpoints) = &self.checkpoints {
                checkpoints.after_commit();
            }
        }
        drop(self.checkpoints);
        let connection = locked(&self.connection);
        // The file alone is whole after this; a failure leaves the log beside it, which is as good.
        let _ = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
        drop(connection);
        drop(self.lock);
    }

    fn announce(&self, changes: Announced) {
        if !changes.is_empty() {
            self.feed.announce(changes);
        }
    }

    /// Runs what has queued up in one transaction; returns what has changed, or why nothing has.
    fn commit(
        &self,
        first: Job,
        queue: &mpsc::Receiver<Job>,
    ) -> (Vec<Finish>, Result<Announced, Failed>) {
        let connection = locked(&self.connection);
        let began = connection.execute_batch("BEGIN IMMEDIATE");
        let mut totals = *locked(&self.totals);
        let mut writing = Writing::new(&connection, &mut totals, self.limits);
        let until = Instant::now() + LONGEST_TOGETHER;
        let mut finishes = vec![first(&mut writing)];
        while writing.broken().is_none() && finishes.len() < MOST_TOGETHER && Instant::now() < until
        {
            let Ok(job) = queue.try_recv() else { break };
            finishes.push(job(&mut writing));
        }
        if let Some(failed) = writing.broken().cloned() {
            return (finishes, Err(failed));
        }
        let changes = writing.into_changes();
        let committed = began.and_then(|()| connection.execute_batch("COMMIT"));
        if let Err(error) = committed {
            // The rollback fails where the database has rolled back by itself, which is all right.
            let _ = connection.execute_batch("ROLLBACK");
            return (finishes, Err(error.into()));
        }
        *locked(&self.totals) = totals;
        (finishes, Ok(changes))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
