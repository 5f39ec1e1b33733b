//! [`TlsFront`], [`Gateway`], [`ConnectProxy`] and [`RefusingProxy`] put a HoneyHive behind TLS, and behind a company's
//! proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificates::Identity;
use super::loopback::Loopback;

/// A `TlsFront` ends TLS in front of a server.
#[derive(Debug)]
pub struct TlsFront(Loopback);

impl TlsFront {
    /// Starts in front of a server, with a certificate.
    #[must_use]
    pub fn start(upstream: SocketAddr, identity: &Identity) -> Self {
        let acceptor = TlsAcceptor::from(identity.config());
        Self(Loopback::start(move |client| {
            end_tls(acceptor.clone(), client, upstream)
        }))
    }

    /// Returns the address that the front listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.0.address
    }
}

async fn end_tls(acceptor: TlsAcceptor, client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(upstream).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

type Upstream = Client<HttpConnector, Incoming>;

/// A `Gateway` ends TLS and HTTP in front of a server, as a load balancer does, by the protocols that it offers.
#[derive(Debug)]
pub struct Gateway {
    loopback: Loopback,
    versions: Versions,
}

/// `Versions` has the versions of HTTP in which requests came.
type Versions = Arc<Mutex<Vec<Version>>>;

impl Gateway {
    /// Starts in front of a server, offering these protocols: `h2`, `http/1.1`.
    #[must_use]
    pub fn start(upstream: SocketAddr, identity: &Identity, protocols: &[&str]) -> Self {
        let acceptor = TlsAcceptor::from(identity.config_offering(protocols));
        let versions = Versions::default();
        let noted = Arc::clone(&versions);
        let loopback = Loopback::start(move |client| {
            let (acceptor, versions) = (acceptor.clone(), Arc::clone(&noted));
            async move { pass_on(acceptor.accept(client).await?, upstream, versions).await }
        });
        Self { loopback, versions }
    }

    /// Returns the address that the gateway listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.loopback.address
    }

    /// Returns the versions of HTTP in which requests came.
    #[must_use]
    pub fn versions(&self) -> Vec<Version> {
        let versions = self.versions.lock();
        versions.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn pass_on(
    client: TlsStream<TcpStream>,
    upstream: SocketAddr,
    versions: Versions,
) -> io::Result<()> {
    let http: Upstream = Client::builder(TokioExecutor::new()).build_http();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let mut versions = versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.push(request.version());
        let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
        let uri = format!("http://{upstream}{path}").parse();
        *request.uri_mut() = uri.expect("a path");
        *request.version_mut() = Version::HTTP_11;
        http.request(request)
    });
    auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(client), service)
        .await
        .map_err(io::Error::other)
}

/// A `ConnectProxy` is an HTTP proxy that takes `CONNECT` to any host, and leads all of them to one server.
#[derive(Debug)]
pub struct ConnectProxy {
    loopback: Loopback,
    asked_for: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// Starts in front of a server.
    #[must_use]
    pub fn start(upstream: SocketAddr) -> Self {
        let asked_for = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&asked_for);
        let loopback = Loopback::start(move |client| connect(client, upstream, Arc::clone(&noted)));
        Self {
            loopback,
            asked_for,
        }
    }

    /// Returns the address for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.loopback.address)
    }

    /// Returns the hosts that were asked for.
    #[must_use]
    pub fn asked_for(&self) -> Vec<String> {
        let asked_for = self.asked_for.lock();
        asked_for.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn connect(
    client: TcpStream,
    upstream: SocketAddr,
    asked_for: Arc<Mutex<Vec<String>>>,
) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let host = head
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.split(' ').next());
    let Some(host) = host else {
        return client
            .write_all(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            .await;
    };
    asked_for
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(host.to_owned());
    let mut server = TcpStream::connect(upstream).await?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// A `RefusingProxy` is an HTTP proxy that lets nobody through.
#[derive(Debug)]
pub struct RefusingProxy(Loopback);

impl RefusingProxy {
    /// Starts a proxy that asks everybody for a login.
    #[must_use]
    pub fn start() -> Self {
        Self(Loopback::start(refuse))
    }

    /// Returns the address for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }
}

async fn refuse(client: TcpStream) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    client.write_all(answer).await
}
