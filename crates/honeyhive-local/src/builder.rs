//! A server is configured and started here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::config::{ApiKey, Config, Limits, UnknownUpdates};
use crate::error::StartError;
use crate::server::LocalServer;

impl LocalServer {
    /// Builds a server on any free port of `127.0.0.1`, until configured otherwise.
    pub fn builder() -> LocalServerBuilder {
        LocalServerBuilder::default()
    }
}

/// `LocalServerBuilder` configures a [`LocalServer`]; [`LocalServer::builder`] makes one.
///
/// ```
/// # fn main() -> Result<(), honeyhive_local::StartError> {
/// let server = honeyhive_local::LocalServer::builder()
///     .api_key("hh_local")
///     .max_sessions(100)
///     .start_blocking()?;
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is started"]
pub struct LocalServerBuilder {
    address: SocketAddr,
    allow_remote: bool,
    config: Config,
    limits: Limits,
    max_bytes: Option<u64>,
    file: Option<PathBuf>,
}

impl Default for LocalServerBuilder {
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            allow_remote: false,
            config: Config::default(),
            limits: Limits::default(),
            max_bytes: None,
            file: None,
        }
    }
}

impl LocalServerBuilder {
    /// Listens on this address instead of any free port of `127.0.0.1`.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Listens on this port; 0, the default, means any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Allows an address that other machines can reach; refused by default, and without a key.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.allow_remote = allow;
        self
    }

    /// Answers requests that ask for this host name too, such as `host.docker.internal`.
    ///
    /// On a loopback address only `localhost` and loopback addresses are answered otherwise, so that no web page
    /// reaches the server under a name of its own.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.config.hosts.push(name.into());
        self
    }

    /// Keeps everything in this file, which is made where there is none; without a file, in memory.
    ///
    /// Writes that were answered with 200 are there after the program was killed. Only one server at a time can use a file.
    pub fn persist(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Answers 401 to clients that do not send this bearer key, the project key.
    ///
    /// The pages and `/api` stay open on a loopback address and ask for the key on any other.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.config.keys.project = Some(ApiKey::new(key.into()));
        self
    }

    /// Takes this key for what tracing writes, and for nothing else; the project key stays good for that, too.
    pub fn ingestion_api_key(mut self, key: impl Into<String>) -> Self {
        self.config.keys.ingestion = Some(ApiKey::new(key.into()));
        self
    }

    /// Takes this key, and no other, on `/v1/projects/{project_id}/…`, and nowhere else.
    pub fn data_plane_api_key(mut self, key: impl Into<String>) -> Self {
        self.config.keys.data_plane = Some(ApiKey::new(key.into()));
        self
    }

    /// Answers 404 on `/v1/…`, as a deployment that only knows the legacy routes does.
    pub fn without_v1_routes(mut self) -> Self {
        self.config.v1_routes = false;
        self
    }

    /// Decides what becomes of an update of a session or event that is not known (yet).
    pub fn unknown_updates(mut self, policy: UnknownUpdates) -> Self {
        self.config.unknown_updates = policy;
        self
    }

    /// Keeps this many sessions, 10,000 by default; the oldest goes first, with its events.
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.limits.sessions = sessions;
        self
    }

    /// Keeps this many events, orphans included, 100,000 by default; the oldest goes first.
    pub fn max_events(mut self, events: usize) -> Self {
        self.limits.events = events;
        self
    }

    /// Keeps this many bytes of sessions, events and records, about; the oldest goes first. 64 MiB in memory and
    /// 2 GiB in a file by default.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Keeps this many requests, 10,000 by default; the oldest goes first.
    pub fn max_requests(mut self, requests: usize) -> Self {
        self.limits.requests = requests;
        self
    }

    /// Keeps this many bytes of requests, 64 MiB by default; the oldest request goes first.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.limits.request_bytes = bytes;
        self
    }

    /// Answers 413 to a body larger than this, 16 MiB by default, before or after decompression.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.config.max_body_bytes = bytes;
        self
    }

    /// Sets the time in which a client must send a request's head, and again its body: 30 s by default. An idle
    /// connection is closed after that time, too.
    pub fn client_timeout(mut self, timeout: Duration) -> Self {
        self.config.client_timeout = timeout;
        self
    }

    /// Serves this many connections at a time, 1,024 by default; others wait for one of them to end.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.config.max_connections = connections.max(1);
        self
    }

    /// Starts the server on a thread and a runtime of its own; the caller's thread is not held up meanwhile.
    ///
    /// # Errors
    ///
    /// When the address is not loopback and that was not allowed or there is no key, when it cannot be listened on,
    /// when the file cannot be used, or when no thread can be started.
    pub async fn start(self) -> Result<LocalServer, StartError> {
        let (sender, receiver) = oneshot::channel();
        let starting = thread::Builder::new().name("honeyhive-local-start".to_owned());
        let started = starting.spawn(move || drop(sender.send(self.start_blocking())));
        started.map_err(StartError::Background)?;
        let gone = |_| StartError::Background(io::Error::other("the starting thread has ended"));
        receiver.await.map_err(gone)?
    }

    /// Starts the server in code that is not async.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn start_blocking(mut self) -> Result<LocalServer, StartError> {
        let listener = self.listen()?;
        let usual = match self.file {
            Some(_) => Limits::FILE_BYTES,
            None => self.limits.bytes,
        };
        self.limits.bytes = self.max_bytes.unwrap_or(usual);
        self.config.loopback = self.is_loopback();
        LocalServer::launch(listener, self.config, self.limits, self.file.as_deref())
    }

    fn listen(&self) -> Result<TcpListener, StartError> {
        let address = self.address;
        if !self.is_loopback() {
            if !self.allow_remote {
                return Err(StartError::NotLoopback { address });
            }
            if !self.config.keys.any_is_set() {
                return Err(StartError::RemoteWithoutKey { address });
            }
        }
        let bound = TcpListener::bind(address);
        bound.map_err(|source| StartError::Bind { address, source })
    }

    fn is_loopback(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }
}
