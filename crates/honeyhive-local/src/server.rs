//! A running server has a handle.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::background::Background;
use crate::config::{Config, Limits};
use crate::error::StartError;
use crate::exchange::Entrance;
use crate::fault::Fault;
use crate::model::{LocalEvent, LocalRun, LocalSession, LocalStats, RecordedRequest};
use crate::query::Query;
use crate::reply::Reply;
use crate::shared::Shared;
use crate::store::{Failed, Reading};
use crate::{api, read};

/// `LocalServer` is a HoneyHive on this machine; dropping it stops the server.
///
/// Reading it never waits for the network: what is returned is a copy of what it holds now.
///
/// ```
/// # fn main() -> Result<(), honeyhive_local::StartError> {
/// let server = honeyhive_local::LocalServer::builder().start_blocking()?;
/// println!("HH_API_URL={}", server.url());
/// assert!(server.sessions().is_empty());
/// # Ok(())
/// # }
/// ```
pub struct LocalServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    background: Background,
}

impl LocalServer {
    pub(crate) fn launch(
        listener: TcpListener,
        config: Config,
        limits: Limits,
        file: Option<&Path>,
    ) -> Result<Self, StartError> {
        let address = listener.local_addr().map_err(StartError::Background)?;
        let shared = Arc::new(Shared::new(config, limits, file)?);
        let router = api::routes().merge(read::routes());
        let router = router
            .fallback(async || Reply::not_found())
            .method_not_allowed_fallback(wrong_method)
            .with_state(Arc::clone(&shared));
        let entrance = Entrance::new(Arc::clone(&shared), router);
        let background = Background::start(listener, entrance);
        Ok(Self {
            address,
            shared,
            background: background.map_err(StartError::Background)?,
        })
    }

    /// Returns the address for clients, such as `http://127.0.0.1:7777`.
    #[must_use]
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }

    /// Returns the address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the sessions, oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<LocalSession> {
        self.read(|reading| reading.sessions())
    }

    /// Returns the session of this id.
    #[must_use]
    pub fn session(&self, session_id: &str) -> Option<LocalSession> {
        self.read(|reading| reading.session(session_id))
    }

    /// Returns the events of a session, in the order they came; an unknown session has none.
    #[must_use]
    pub fn events(&self, session_id: &str) -> Vec<LocalEvent> {
        self.read(|reading| reading.events(session_id))
    }

    /// Returns the events that belong to no session, in the order they came.
    #[must_use]
    pub fn orphans(&self) -> Vec<LocalEvent> {
        self.read(|reading| reading.orphaned_events())
    }

    /// Looks for sessions and events by their fields.
    pub fn query(&self) -> Query<'_> {
        Query::new(&self.shared)
    }

    /// Makes a dataset of these datapoints (objects with `inputs`, `ground_truth`, `history`, `metadata`) and returns its
    /// id, so that a test of an experiment needs no calls before it.
    ///
    /// ```
    /// # fn main() -> Result<(), honeyhive_local::StartError> {
    /// use serde_json::json;
    ///
    /// let server = honeyhive_local::LocalServer::builder().start_blocking()?;
    /// let dataset = server.seed_dataset("capitals", [
    ///     json!({ "inputs": { "country": "France" }, "ground_truth": { "capital": "Paris" } }),
    /// ]);
    /// assert_eq!(dataset.len(), 24);
    /// # Ok(())
    /// # }
    /// ```
    pub fn seed_dataset(&self, name: &str, datapoints: impl IntoIterator<Item = Value>) -> String {
        let datapoints: Vec<Value> = datapoints.into_iter().collect();
        let seeded = api::seed_dataset(name, &datapoints);
        let id = seeded.id.clone();
        // A store in memory cannot refuse the dataset.
        let _ = self
            .shared
            .write_blocking(move |writing| seeded.keep(writing));
        id
    }

    /// Returns the runs of experiments, oldest first.
    #[must_use]
    pub fn runs(&self) -> Vec<LocalRun> {
        let runs = self.read(|reading| reading.records("run"));
        let runs = runs.into_iter().map(serde_json::from_value);
        runs.filter_map(Result::ok).collect()
    }

    /// Returns the calls that came in, in order. Pages and `/api` are not among them.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.requests().snapshot()
    }

    /// Returns counters of everything that the server keeps: the cheapest thing to wait on.
    #[must_use]
    pub fn stats(&self) -> LocalStats {
        self.shared.stats()
    }

    /// Returns a session as text: its name, then its events as `name [type]`, children indented by two spaces and
    /// ordered by start time. The text is empty for an unknown session.
    #[must_use]
    pub fn tree(&self, session_id: &str) -> String {
        let tree = self.read(|reading| reading.tree(session_id));
        tree.map(|tree| tree.text()).unwrap_or_default()
    }

    /// Makes calls fail from now on. Of several faults, the first that fits a call is played.
    pub fn fail(&self, fault: Fault) {
        self.shared.faults().add(fault);
    }

    /// Makes no more calls fail. A call that already hangs goes on hanging.
    pub fn heal(&self) {
        self.shared.faults().clear();
    }

    /// Forgets sessions, events, requests and counts; faults stay.
    pub fn clear(&self) {
        // A store in memory cannot refuse to clear, and a file that is full has then room again.
        let _ = self.shared.write_blocking(|writing| writing.clear());
        self.shared.clear_log();
    }

    /// Waits until `condition` holds; says whether it did within `timeout`.
    ///
    /// The condition is asked now and whenever anything changes, so a test needs no sleep. Any executor
    /// will do.
    ///
    /// ```
    /// # async fn wait(server: honeyhive_local::LocalServer) {
    /// use std::time::Duration;
    ///
    /// let arrived = server.wait_until(Duration::from_secs(5), |s| s.stats().events == 3);
    /// assert!(arrived.await);
    /// # }
    /// ```
    pub async fn wait_until(
        &self,
        timeout: Duration,
        mut condition: impl FnMut(&Self) -> bool,
    ) -> bool {
        let mut changes = self.shared.feed.watch();
        // The timer runs on the server's runtime: the caller's may have no timer, or a paused one.
        let mut timer = JoinSet::new();
        timer.spawn_on(
            async move { tokio::time::sleep(timeout).await },
            self.background.handle(),
        );
        while !condition(self) {
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return false },
                _ = timer.join_next() => return condition(self),
            }
        }
        true
    }

    /// Waits as [`wait_until`](Self::wait_until) does, in code that is not async.
    pub fn wait_until_blocking(
        &self,
        timeout: Duration,
        mut condition: impl FnMut(&Self) -> bool,
    ) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let seen = self.shared.feed.rounds();
            if condition(self) {
                return true;
            }
            if !self.shared.feed.wait_past(seen, deadline) {
                return condition(self);
            }
        }
    }
}

impl LocalServer {
    /// Reads the store; a read that fails, as of a file that was taken away, finds nothing.
    fn read<T: Default>(&self, read: impl FnOnce(&Reading<'_>) -> Result<T, Failed>) -> T {
        self.shared.read_blocking(read).unwrap_or_default()
    }
}

async fn wrong_method(method: Method) -> Reply {
    let message = format!("this path does not take {method}");
    Reply::refusal(StatusCode::METHOD_NOT_ALLOWED, &message)
}

impl fmt::Debug for LocalServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalServer")
            .field("url", &self.url())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
