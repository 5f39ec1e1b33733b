//! One HTTP client, with one connection pool, for REST and OTLP.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use opentelemetry_http::Bytes;

use super::answer::{self, Answer, Failure, said};
#[cfg(feature = "client")]
use super::api_call::{self, ApiCall, ApiFailure, MOST_OF_AN_ANSWER};
use super::bodies::{legacy_start, legacy_update};
use super::compression::Compression;
use super::hints;
use super::payload::Payload;
use super::route::Route;
use super::transport::{Transport, Unanswered, Wanted};
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

/// The API of one deployment, for one key.
#[derive(Debug)]
pub(crate) struct Client {
    transport: Transport,
    base: String,
    /// The headers of every call, and those of calls with JSON.
    headers: HeaderMap,
    json_headers: HeaderMap,
    timeout: Duration,
    source: HeaderValue,
    /// The project for the legacy route of sessions; the current route needs only the key.
    project: Option<String>,
    /// The keys, which must never be seen in messages about a call.
    keys: Keys,
    compression: Arc<Compression>,
    legacy_sessions: Route,
    legacy_events: Route,
}

impl Client {
    pub(super) fn new(
        settings: &Settings,
        compression: Arc<Compression>,
    ) -> Result<Self, BuildError> {
        let headers = headers(settings);
        Ok(Self {
            transport: Transport::new(settings)?,
            base: settings.server_url.clone(),
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
        self.legacy_sessions
            .choose(
                true,
                || self.rest(items, Method::POST, "/v1/sessions", session.clone()),
                || {
                    self.rest(
                        items,
                        Method::POST,
                        "/session/start",
                        legacy_start(&session, self.project.as_deref()).into(),
                    )
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
        let path = format!("/v1/events/{event_id}");
        // A deployment that has the current route answers 404 for the session itself.
        let not_found_tells = !self.legacy_sessions.is_current();
        self.legacy_events
            .choose(
                not_found_tells,
                || self.rest(items, Method::PUT, &path, update.clone()),
                || {
                    self.rest(
                        items,
                        Method::PUT,
                        "/events",
                        legacy_update(event_id, &update).into(),
                    )
                },
            )
            .await
    }

    /// Sends a batch of spans. Where the compression may be what the server refuses, the same spans go once more
    /// without.
    pub(crate) async fn export_traces(
        &self,
        items: u64,
        payload: Payload,
    ) -> Result<Answer, Failure> {
        let payload = self.compression.repack(payload);
        let answer = self.traces(items, payload.clone()).await;
        let Some(status) = answer.as_ref().err().and_then(Failure::status) else {
            return answer;
        };
        let Some(plain) = self.compression.without(&payload, status) else {
            return answer;
        };
        let second = self.traces(items, plain).await;
        if second.is_ok() {
            self.compression.give_up(status);
        }
        second
    }

    async fn traces(&self, items: u64, payload: Payload) -> Result<Answer, Failure> {
        let mut headers = self.headers.clone();
        headers.extend(payload.headers);
        headers.insert(HeaderName::from_static("x-source"), self.source.clone());
        let timeout = TRACES_TIMEOUT.max(self.timeout);
        let path = "/opentelemetry/v1/traces";
        self.send(items, Method::POST, path, headers, payload.bytes, timeout)
            .await
    }

    async fn rest(
        &self,
        items: u64,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, Failure> {
        let headers = self.json_headers();
        self.send(items, method, path, headers, body, self.timeout)
            .await
    }

    async fn send(
        &self,
        items: u64,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Answer, Failure> {
        let request = self.request(method, path, headers, body);
        let request = request.map_err(unusable)?;
        let wanted = Wanted::Beginning;
        let response = self.carry(Some(items), request, timeout, wanted).await;
        match response {
            Ok(response) => answer::read(response, &self.keys),
            Err(unanswered) => Err(Failure::Transient {
                retry_after: None,
                detail: unanswered.detail,
            }),
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
        let request = self.request(call.method.clone(), &call.path, headers, body);
        let request = request.map_err(|error| ApiFailure::unsent(error.to_string()))?;
        let wanted = Wanted::Whole(MOST_OF_AN_ANSWER);
        let response = self.carry(None, request, call.timeout, wanted).await;
        api_call::read(response, &self.keys, key.kind())
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Request<Bytes>, http::uri::InvalidUri> {
        let url = [self.base.as_str(), path].concat();
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from_maybe_shared(url)?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn json_headers(&self) -> HeaderMap {
        let mut headers = self.json_headers.clone();
        headers.insert(CLIENT_TIMESTAMP, nanoseconds_now().into());
        headers
    }

    /// Sends a request, and says in the log how that went: without its query, which may hold names of the program's.
    async fn carry(
        &self,
        items: Option<u64>,
        request: Request<Bytes>,
        timeout: Duration,
        wanted: Wanted,
    ) -> Result<Response<Bytes>, Unanswered> {
        let (method, bytes) = (request.method().clone(), request.body().len());
        let url = WithoutQuery(request.uri().clone());
        let began = Instant::now();
        match self.transport.send(request, timeout, wanted).await {
            Ok(response) => {
                log::passing(format_args!(
                    "{method} {url}: {}{bytes} bytes, status {} after {:?}",
                    counted(items),
                    response.status().as_u16(),
                    began.elapsed()
                ));
                Ok(response)
            }
            Err(unanswered) => {
                let url = url.to_string();
                let detail = hints::explained(method.as_str(), &url, &said(&unanswered.detail));
                log::passing(format_args!(
                    "{detail} ({}after {:?})",
                    counted(items),
                    began.elapsed()
                ));
                Err(Unanswered {
                    detail,
                    ..unanswered
                })
            }
        }
    }
}

/// Counts items of delivery for a message; empty for a call of the typed client.
fn counted(items: Option<u64>) -> String {
    match items {
        None => String::new(),
        Some(1) => "1 item, ".to_owned(),
        Some(items) => format!("{items} items, "),
    }
}

/// A URL for the log.
struct WithoutQuery(Uri);

impl fmt::Display for WithoutQuery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(scheme), Some(authority)) = (self.0.scheme(), self.0.authority()) {
            write!(formatter, "{scheme}://{authority}")?;
        }
        formatter.write_str(self.0.path())
    }
}

/// Adds the headers of a call with JSON. The time is set anew for each call.
fn with_json(mut headers: HeaderMap) -> HeaderMap {
    headers.insert(ACCEPT, JSON);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CLIENT_TIMESTAMP, 0.into());
    headers
}

/// A call that cannot be made. The settings were checked, so there is none.
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
