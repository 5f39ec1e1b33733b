//! The client hides nothing: every header as it came, bodies piece by piece, HTTP/1 and HTTP/2.

use std::net::SocketAddr;

use bytes::Bytes;
use honeyhive::SessionId;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

type Http = legacy::Client<HttpConnector, Full<Bytes>>;

/// A `Client` asks one server.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    http1: Http,
    http2: Http,
}

impl Client {
    /// Returns a client that opens a connection a request over HTTP/1, and one for all over HTTP/2.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self::with_idle_connections(address, 0)
    }

    /// Makes a client as [`new`](Self::new) does, with connections that serve one request after the other.
    #[must_use]
    pub fn keeping_connections(address: SocketAddr) -> Self {
        Self::with_idle_connections(address, usize::MAX)
    }

    fn with_idle_connections(address: SocketAddr, connections: usize) -> Self {
        let http1 = legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(connections)
            .build_http();
        let http2 = legacy::Client::builder(TokioExecutor::new())
            .http2_only(true)
            .build_http();
        Self {
            address,
            http1,
            http2,
        }
    }

    /// Begins a request.
    pub fn request(&self, method: &str, path: &str) -> Call {
        let mut request = Request::new(Full::default());
        *request.method_mut() = method.parse::<Method>().expect("a method");
        *request.uri_mut() = format!("http://{}{path}", self.address)
            .parse()
            .expect("a path");
        Call {
            http: self.http1.clone(),
            http2: self.http2.clone(),
            request,
        }
    }
}

/// A `Call` is a request that has not been sent yet.
#[derive(Debug)]
#[must_use = "a call is made by `.send()`, `.attempt()` or `.open()`"]
pub struct Call {
    http: Http,
    http2: Http,
    request: Request<Full<Bytes>>,
}

impl Call {
    /// Adds a header, which may be there already.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name: HeaderName = name.parse().expect("a header's name");
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a header's value");
        self.request.headers_mut().append(name, value);
        self
    }

    /// Sets the session that the request belongs to.
    pub fn in_session(self, id: SessionId) -> Self {
        self.header("x-session-id", id.to_string())
    }

    /// Sets a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Sets a body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Full::new(body.into());
        self
    }

    /// Sends over HTTP/2 with prior knowledge.
    pub fn http2(mut self) -> Self {
        self.http = self.http2.clone();
        *self.request.version_mut() = http::Version::HTTP_2;
        self
    }

    /// Returns the head of the answer, as soon as it is there.
    pub async fn open(self) -> Opened {
        Opened(self.http.request(self.request).await.expect("an answer"))
    }

    /// Returns the whole answer.
    pub async fn send(self) -> Answer {
        self.attempt().await.expect("a whole answer")
    }

    /// Returns the whole answer, or what went wrong on the connection.
    ///
    /// # Errors
    ///
    /// Where the connection ends before the answer does.
    pub async fn attempt(self) -> Result<Answer, String> {
        let response = self.http.request(self.request).await;
        Opened(response.map_err(|error| format!("no head: {error}"))?)
            .rest()
            .await
    }
}

/// An `Opened` answer has its body still to come.
#[derive(Debug)]
pub struct Opened(pub Response<Incoming>);

impl Opened {
    /// Returns the session that the answer names.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        session_id(self.0.headers())
    }

    /// Returns the next piece of the body.
    pub async fn piece(&mut self) -> Bytes {
        let frame = self.0.frame().await.expect("the body goes on");
        let frame = frame.expect("the body does not fail");
        frame.into_data().expect("data")
    }

    /// Returns the rest of the answer.
    ///
    /// # Errors
    ///
    /// Where the connection ends before the answer does.
    pub async fn rest(self) -> Result<Answer, String> {
        let (head, body) = self.0.into_parts();
        let body = body.collect().await;
        let body = body.map_err(|error| format!("no whole body: {error}"))?;
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            trailers: body.trailers().cloned(),
            body: body.to_bytes(),
        })
    }
}

/// An `Answer` is whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The trailers, where there are any.
    pub trailers: Option<HeaderMap>,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// Returns the session that the answer names: exactly one well-formed UUID in lower case.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        session_id(&self.headers)
    }

    /// Returns the body as text.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    /// Returns the only value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        only(&self.headers, name)
    }

    /// Returns the answer without the session, as a client sees it that knows nothing of HoneyHive.
    #[must_use]
    pub fn without_session(&self) -> (u16, HeaderMap, Bytes) {
        let mut headers = self.headers.clone();
        headers.remove("x-session-id");
        headers.remove("date");
        (self.status, headers, self.body.clone())
    }
}

/// Returns the session that these headers name: exactly one well-formed UUID in lower case.
#[must_use]
pub fn session_id(headers: &HeaderMap) -> SessionId {
    let text = only(headers, "x-session-id").expect("the answer names its session");
    let id: SessionId = text.parse().expect("the session's id is a UUID");
    assert_eq!(id.to_string(), text, "in lower case, with hyphens");
    id
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    assert!(values.next().is_none(), "{name} comes once");
    Some(value.to_str().expect("a header of text"))
}
