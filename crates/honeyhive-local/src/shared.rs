//! The connections and the handle share a state.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::body::Bodies;
use crate::config::{Config, Limits};
use crate::fault::Plan;
use crate::model::LocalStats;
use crate::reply::Reply;
use crate::store::{Failed, Feed, Kind, Reading, Requests, Store, StoreError, Writing};
use crate::work::off_thread;

/// A handler gets the state as a `Server`.
pub(crate) type Server = Arc<Shared>;

/// `Shared` is the state of a server.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) feed: Arc<Feed>,
    store: Store,
    pub(crate) bodies: Bodies,
    requests: Mutex<Requests>,
    faults: Mutex<Plan>,
    /// The number of OTLP metrics and logs that were answered and not kept.
    pub(crate) data_points: AtomicU64,
    pub(crate) log_records: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        limits: Limits,
        file: Option<&Path>,
    ) -> Result<Self, StoreError> {
        let feed = Arc::new(Feed::default());
        Ok(Self {
            config,
            store: Store::open(file, limits, Arc::clone(&feed))?,
            feed,
            bodies: Bodies::default(),
            requests: Mutex::new(Requests::new(limits)),
            faults: Mutex::default(),
            data_points: AtomicU64::new(0),
            log_records: AtomicU64::new(0),
        })
    }

    /// Reads on a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Reading<'_>) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Reply> {
        let shared = Arc::clone(self);
        off_thread(move || shared.store.read(read))
            .await?
            .map_err(Reply::from)
    }

    /// Writes, and returns once the write is committed.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Reply> {
        self.store.write(work).await.map_err(Reply::from)
    }

    pub(crate) fn read_blocking<T>(
        &self,
        read: impl FnOnce(&Reading<'_>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        self.store.read(read)
    }

    pub(crate) fn write_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Failed> {
        self.store.write_blocking(work)
    }

    /// Forgets sessions, events, records, requests and counts.
    pub(crate) fn clear_log(&self) {
        self.change_requests(Requests::clear);
        self.data_points.store(0, Ordering::Relaxed);
        self.log_records.store(0, Ordering::Relaxed);
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the log of requests, then wakes the callers that wait for changes.
    pub(crate) fn change_requests<T>(&self, change: impl FnOnce(&mut Requests) -> T) -> T {
        let result = change(&mut self.requests());
        self.feed.announce([]);
        result
    }

    pub(crate) fn announce_request(&self, sequence: u64) {
        self.feed
            .announce([(Kind::Request, sequence.to_string(), true)]);
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Plan> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stats(&self) -> LocalStats {
        let totals = self.store.totals();
        let requests = self.requests();
        LocalStats {
            sessions: totals.sessions,
            events: totals.events - totals.orphans,
            orphans: totals.orphans,
            pending_updates: totals.pending_updates,
            bytes: totals.bytes,
            requests: requests.total(),
            under_way: requests.under_way(),
            most_under_way: requests.most_under_way(),
            data_points: self.data_points.load(Ordering::Relaxed),
            log_records: self.log_records.load(Ordering::Relaxed),
            dropped_sessions: totals.dropped_sessions,
            dropped_events: totals.dropped_events,
            dropped_updates: totals.dropped_updates,
            dropped_requests: requests.dropped(),
        }
    }
}
