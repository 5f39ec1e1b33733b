//! One HTTP client, with one connection pool, for REST and OTLP.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use opentelemetry_http::Bytes;

use super::answer::{self, Answer, Failure, said};
use super::bodies::{legacy_start, legacy_update};
use super::compression::Compression;
use super::hints;
use super::payload::Payload;
use super::route::Route;
use super::transport::Transport;
use crate::error::BuildError;
use crate::log;
use crate::model::id::SessionId;
use crate::secret::ApiKey;
use crate::settings::Settings;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Spans come in large batches, so an answer to them may take longer than one to a session: as long as
/// OpenTelemetry's exporters wait. Few batches go at a time, so one that hangs holds others up.
const TRACES_TIMEOUT: Duration = Duration::from_secs(10);

/// The API of one deployment, for one key.
#[derive(Debug)]
pub(crate) struct Client {
    transport: Transport,
    base: String,
    /// What every call has.
    headers: HeaderMap,
    timeout: Duration,
    source: HeaderValue,
    /// What the legacy route of sessions takes; the current one goes by the key.
    project: Option<String>,
    /// Never to be seen in what HoneyHive says of a call.
    key: Option<ApiKey>,
    compression: Arc<Compression>,
    legacy_sessions: Route,
    legacy_events: Route,
}

impl Client {
    pub(super) fn new(
        settings: &Settings,
        compression: Arc<Compression>,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            transport: Transport::new(settings)?,
            base: settings.server_url.clone(),
            headers: headers(settings),
            timeout: settings.api_timeout,
            source: settings.source_header.clone(),
            project: settings.project.clone(),
            key: settings.write_key.clone(),
            compression,
            legacy_sessions: Route::default(),
            legacy_events: Route::default(),
        })
    }

    /// Starts a session, on the route that this deployment has.
    pub(crate) async fn start_session(
        &self,
        items: u64,
        session: &[u8],
    ) -> Result<Answer, Failure> {
        self.legacy_sessions
            .choose(
                true,
                || self.rest(items, Method::POST, "/v1/sessions", session.to_vec()),
                || {
                    self.rest(
                        items,
                        Method::POST,
                        "/session/start",
                        legacy_start(session, self.project.as_deref()),
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
        update: &[u8],
    ) -> Result<Answer, Failure> {
        let path = format!("/v1/events/{event_id}");
        // Where sessions have their current route, it is this one session that is not found.
        let not_found_tells = !self.legacy_sessions.is_current();
        self.legacy_events
            .choose(
                not_found_tells,
                || self.rest(items, Method::PUT, &path, update.to_vec()),
                || {
                    self.rest(
                        items,
                        Method::PUT,
                        "/events",
                        legacy_update(event_id, update),
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
        let mut headers = payload.headers;
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
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, JSON);
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(
            HeaderName::from_static("hh-client-timestamp"),
            HeaderValue::from(nanoseconds_now()),
        );
        self.send(items, method, path, headers, body.into(), self.timeout)
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
        let url = format!("{}{path}", self.base);
        let (began, bytes) = (Instant::now(), body.len());
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        *request.uri_mut() = url.parse().map_err(unusable)?;
        request.headers_mut().clone_from(&self.headers);
        request.headers_mut().extend(headers);
        match self.transport.send(request, timeout).await {
            Ok(response) => {
                let status = response.status().as_u16();
                log::debug(format_args!(
                    "{method} {url}: {}, {bytes} bytes, status {status} after {:?}",
                    counted(items),
                    began.elapsed()
                ));
                answer::read(response, self.key.as_ref())
            }
            Err(unanswered) => {
                let detail = hints::explained(method.as_str(), &url, &said(&unanswered.detail));
                log::debug(format_args!(
                    "{detail} ({}, after {:?})",
                    counted(items),
                    began.elapsed()
                ));
                Err(Failure::Transient {
                    retry_after: None,
                    detail,
                })
            }
        }
    }
}

/// So many items, in words.
fn counted(items: u64) -> String {
    match items {
        1 => "1 item".to_owned(),
        _ => format!("{items} items"),
    }
}

/// A call that cannot be made. The settings were checked, so there is none.
fn unusable(error: impl std::fmt::Display) -> Failure {
    Failure::Refused {
        status: 0,
        message: error.to_string(),
    }
}

fn headers(settings: &Settings) -> HeaderMap {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    const AGENT: &str = concat!("honeyhive-rust/", env!("CARGO_PKG_VERSION"));
    let mut headers = HeaderMap::new();
    if let Some(bearer) = settings.write_key.as_ref().and_then(ApiKey::bearer) {
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
