//! One HTTP client, with one connection pool, serves REST and OTLP.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use opentelemetry_http::Bytes;

use super::answer::{self, Answer, Failure, Retry, said};
#[cfg(feature = "client")]
use super::api_call::{self, ApiCall, ApiFailure, MOST_OF_AN_ANSWER};
use super::bodies::{legacy_start, legacy_update};
use super::compression::Compression;
use super::hints;
use super::payload::Payload;
use super::route::Route;
use super::transport::{Address, HttpCall, Invalid, Transport, Unanswered, Wanted};
use crate::error::BuildError;
use crate::log;
use crate::model::id::SessionId;
use crate::secret::ApiKey;
use crate::settings::{Keys, Settings};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const CLIENT_TIMESTAMP: HeaderName = HeaderName::from_static("hh-client-timestamp");

/// Spans come in large batches, so an answer to them may take longer than one to a session: as long as
/// OpenTelemetry's exporters wait. Few batches go at a time, so one that hangs holds others up.
const TRACES_TIMEOUT: Duration = Duration::from_secs(10);

/// The client calls the API of one deployment, for one key.
#[derive(Debug)]
pub(crate) struct Client {
    transport: Transport,
    addresses: Addresses,
    /// Every call has these headers, and calls with JSON have theirs.
    headers: HeaderMap,
    json_headers: HeaderMap,
    timeout: Duration,
    source: HeaderValue,
    /// The project is for the legacy route of sessions; the current route needs only the key.
    project: Option<String>,
    /// The keys must never be seen in messages about a call.
    keys: Keys,
    compression: Arc<Compression>,
    legacy_sessions: Route,
    legacy_events: Route,
}

/// The addresses of calls are parsed once.
#[derive(Debug)]
struct Addresses {
    /// The server is for calls whose path has an id.
    server: Address,
    sessions: Address,
    traces: Address,
    legacy_sessions: Address,
    legacy_events: Address,
}

impl Addresses {
    fn of(server: &str) -> Result<Self, Invalid> {
        let server = Address::of(server)?;
        Ok(Self {
            sessions: server.below("/v1/sessions")?,
            traces: server.below("/opentelemetry/v1/traces")?,
            legacy_sessions: server.below("/session/start")?,
            legacy_events: server.below("/events")?,
            server,
        })
    }
}

impl Client {
    pub(super) fn new(
        settings: &Settings,
        compression: Arc<Compression>,
    ) -> Result<Self, BuildError> {
        let headers = headers(settings);
        let addresses = Addresses::of(&settings.server_url);
        Ok(Self {
            transport: Transport::new(settings)?,
            addresses: addresses.map_err(BuildError::http_client)?,
            json_headers: with_json(headers.clone()),
            headers,
            timeout: settings.api_timeout,
            source: settings.source_header.clone(),
            project: settings.project.clone(),
            keys: settings.keys.clone(),
            compression,
            legacy_sessions: Route::default(),
            legacy_events: Route::default(),
        })
    }

    /// Starts a session, on the route that this deployment has.
    pub(crate) async fn start_session(
        &self,
        items: u64,
        session: Bytes,
    ) -> Result<Answer, Failure> {
        let start = |address, body| self.rest(items, Method::POST, address, body);
        let Addresses {
            sessions,
            legacy_sessions,
            ..
        } = &self.addresses;
        self.legacy_sessions
            .choose(
                true,
                || start(sessions, session.clone()),
                || {
                    let project = self.project.as_deref();
                    start(legacy_sessions, legacy_start(&session, project).into())
                },
            )
            .await
    }

    /// Updates a session or an event, on the route that this deployment has.
    pub(crate) async fn update_event(
        &self,
        items: u64,
        event_id: SessionId,
        update: Bytes,
    ) -> Result<Answer, Failure> {
        let put = |address: &Address, body| self.rest(items, Method::PUT, address, body);
        // A deployment that has the current route answers 404 for the session itself.
        let not_found_tells = !self.legacy_sessions.is_current();
        self.legacy_events
            .choose(
                not_found_tells,
                || async {
                    let path = format!("/v1/events/{event_id}");
                    let event = self.addresses.server.below(&path).map_err(unusable)?;
                    put(&event, update.clone()).await
                },
                || {
                    let update = legacy_update(event_id, &update).into();
                    put(&self.addresses.legacy_events, update)
                },
            )
            .await
    }

    /// Sends a batch of spans. Where the compression may be what the server refuses, the same spans go once more
    /// without.
    pub(crate) async fn export_traces(
        &self,
        items: u64,
        payload: Box<Payload>,
    ) -> Result<Answer, Failure> {
        let payload = self.compression.repack(payload);
        let answer = self.traces(items, &payload).await;
        let Some(status) = answer.as_ref().err().and_then(Failure::status) else {
            return answer;
        };
        let Some(plain) = self.compression.without(&payload, status) else {
            return answer;
        };
        let second = self.traces(items, &plain).await;
        if second.is_ok() {
            self.compression.give_up(status);
        }
        second
    }

    // The calls from here on are functions that return futures: an `async fn` would hold its arguments a second time.
    fn traces(
        &self,
        items: u64,
        payload: &Payload,
    ) -> impl Future<Output = Result<Answer, Failure>> + use<'_> {
        let mut headers = self.headers.clone();
        headers.extend(payload.headers.clone());
        headers.insert(HeaderName::from_static("x-source"), self.source.clone());
        let call = HttpCall {
            method: Method::POST,
            address: self.addresses.traces.clone(),
            headers,
            body: payload.bytes.clone(),
        };
        let timeout = TRACES_TIMEOUT.max(self.timeout);
        self.send(items, call, timeout)
    }

    fn rest(
        &self,
        items: u64,
        method: Method,
        address: &Address,
        body: Bytes,
    ) -> impl Future<Output = Result<Answer, Failure>> + use<'_> {
        let call = HttpCall {
            method,
            address: address.clone(),
            headers: self.json_headers(),
            body,
        };
        self.send(items, call, self.timeout)
    }

    fn send(
        &self,
        items: u64,
        call: HttpCall,
        timeout: Duration,
    ) -> impl Future<Output = Result<Answer, Failure>> + use<'_> {
        let carried = self.carry(Some(items), call, timeout, Wanted::Beginning);
        async move {
            match carried.await {
                Ok(response) => answer::read(response, &self.keys),
                Err(unanswered) => Err(Failure::Transient {
                    retry: Retry::Soon,
                    detail: unanswered.detail,
                }),
            }
        }
    }

    /// Makes a call of the typed client, with the key that it takes.
    #[cfg(feature = "client")]
    pub(crate) async fn ask(&self, call: &ApiCall) -> Result<Answer, ApiFailure> {
        let Some(key) = self.keys.of(call.takes) else {
            return Err(ApiFailure::MissingKey(call.takes));
        };
        let mut headers = self.json_headers();
        if let Some(bearer) = key.bearer() {
            headers.insert(AUTHORIZATION, bearer);
        }
        if call.body.is_none() {
            headers.remove(CONTENT_TYPE);
        }
        let body = call.body.clone().unwrap_or_default();
        let address = self.addresses.server.below(&call.path);
        let http = HttpCall {
            method: call.method.clone(),
            address: address.map_err(|error| ApiFailure::unsent(error.to_string()))?,
            headers,
            body,
        };
        let wanted = Wanted::Whole(MOST_OF_AN_ANSWER);
        let response = self.carry(None, http, call.timeout, wanted).await;
        api_call::read(response, &self.keys, key.kind())
    }

    fn json_headers(&self) -> HeaderMap {
        let mut headers = self.json_headers.clone();
        headers.insert(CLIENT_TIMESTAMP, nanoseconds_now().into());
        headers
    }

    /// Sends a call, and says in the log how that went.
    fn carry(
        &self,
        items: Option<u64>,
        call: HttpCall,
        timeout: Duration,
        wanted: Wanted,
    ) -> impl Future<Output = Result<Response<Bytes>, Unanswered>> + use<'_> {
        let passing = Passing {
            method: call.method.clone(),
            address: call.address.clone(),
            items: Counted(items),
            bytes: call.body.len(),
        };
        let sent = self.transport.send(call, timeout, wanted);
        async move {
            let began = Instant::now();
            match sent.await {
                Ok(response) => {
                    passing.was_answered(response.status(), began.elapsed());
                    Ok(response)
                }
                Err(unanswered) => Err(passing.was_unanswered(unanswered, began.elapsed())),
            }
        }
    }
}

/// The log tells of this call.
struct Passing {
    method: Method,
    address: Address,
    items: Counted,
    bytes: usize,
}

impl Passing {
    fn was_answered(&self, status: StatusCode, after: Duration) {
        let Self {
            method,
            address,
            items,
            bytes,
        } = self;
        let status = status.as_u16();
        log::passing(format_args!(
            "{method} {address}: {items}{bytes} bytes, status {status} after {after:?}"
        ));
    }

    /// Returns the reason with what to do about it.
    fn was_unanswered(&self, mut unanswered: Unanswered, after: Duration) -> Unanswered {
        let (method, url) = (self.method.as_str(), self.address.to_string());
        let detail = hints::explained(method, &url, &said(&unanswered.detail));
        let items = &self.items;
        log::passing(format_args!("{detail} ({items}after {after:?})"));
        unanswered.detail = detail;
        unanswered
    }
}

/// The count of items of delivery stands in a message; empty for a call of the typed client.
struct Counted(Option<u64>);

impl fmt::Display for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(1) => formatter.write_str("1 item, "),
            Some(items) => write!(formatter, "{items} items, "),
        }
    }
}

/// Adds the headers of a call with JSON. The time is set anew for each call.
fn with_json(mut headers: HeaderMap) -> HeaderMap {
    headers.insert(ACCEPT, JSON);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CLIENT_TIMESTAMP, 0.into());
    headers
}

/// Returns the failure of a call that cannot be made. The settings were checked, so there is none.
fn unusable(error: impl fmt::Display) -> Failure {
    Failure::Refused {
        status: 0,
        message: error.to_string(),
    }
}

fn headers(settings: &Settings) -> HeaderMap {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    const AGENT: &str = concat!("honeyhive-rust/", env!("CARGO_PKG_VERSION"));
    let mut headers = HeaderMap::new();
    if let Some(bearer) = settings.keys.write().and_then(ApiKey::bearer) {
        headers.insert(AUTHORIZATION, bearer);
    }
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for (name, value) in [
        ("hh-client-version", VERSION),
        ("hh-client-language", "rust"),
        ("hh-client-package", "honeyhive"),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    headers
}

fn nanoseconds_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}
