//! One HTTP client, with one connection pool, for REST and OTLP.

use std::error::Error as StdError;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
};
use reqwest::{Certificate, ClientBuilder, Method, RequestBuilder, Response, StatusCode};

use super::bodies::{legacy_start, legacy_update};
use crate::error::BuildError;
use crate::model::id::SessionId;
use crate::secret::ApiKey;
use crate::settings::Settings;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Spans come in large batches, so an answer to them may take longer than one to a session: as long as
/// OpenTelemetry's exporters wait. Few batches go at a time, so one that hangs holds others up.
const TRACES_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an answer is read.
const ANSWER_LIMIT: usize = 64 * 1024;

/// How much of HoneyHive's message is repeated in errors and logs.
const MESSAGE_LIMIT: usize = 200;

/// What HoneyHive said to a call that succeeded.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The one field that is read of the answer to a session start. It need not be there.
    pub(crate) fn session_id(&self) -> Option<SessionId> {
        #[derive(serde::Deserialize)]
        struct Fields {
            session_id: SessionId,
        }
        serde_json::from_slice(&self.body)
            .ok()
            .map(|fields: Fields| fields.session_id)
    }
}

/// Why a call did not succeed.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// Worth another try, after the time the server asked for where it did.
    Transient {
        retry_after: Option<Duration>,
        /// The call may have been processed all the same.
        may_have_it: bool,
        detail: String,
    },
    /// The same call would be refused again.
    Refused { status: u16, message: String },
}

impl Failure {
    const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Transient { .. } => None,
        }
    }
}

/// Bytes that are ready to go out.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: opentelemetry_http::Bytes,
}

/// The API of one deployment, for one key.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    timeout: Duration,
    source: HeaderValue,
    /// What the legacy route of sessions takes; the current one goes by the key.
    project: Option<String>,
    /// Never to be seen in what HoneyHive says of a call.
    key: Option<ApiKey>,
    legacy_sessions: Route,
    legacy_events: Route,
}

impl Client {
    pub(crate) fn new(settings: &Settings) -> Result<Self, BuildError> {
        let http = builder(settings)?
            .user_agent(concat!("honeyhive-rust/", env!("CARGO_PKG_VERSION")))
            .default_headers(default_headers(settings))
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(Duration::from_secs(60))
            .connect_timeout(settings.api_timeout)
            .build()
            .map_err(|error| BuildError::HttpClient {
                source: error.into(),
            })?;
        Ok(Self {
            http,
            base: settings.server_url.clone(),
            timeout: settings.api_timeout,
            source: header_value(&settings.source),
            project: settings.project.clone(),
            key: settings.write_key.clone(),
            legacy_sessions: Route::default(),
            legacy_events: Route::default(),
        })
    }

    /// Starts a session, on the route that this deployment has.
    pub(crate) async fn start_session(&self, session: &[u8]) -> Result<Answer, Failure> {
        self.legacy_sessions
            .choose(
                true,
                || self.rest(Method::POST, "/v1/sessions", session.to_vec()),
                || {
                    self.rest(
                        Method::POST,
                        "/session/start",
                        legacy_start(session, self.project.as_deref()),
                    )
                },
            )
            .await
    }

    /// Updates a session or an event, likewise.
    pub(crate) async fn update_event(
        &self,
        event_id: SessionId,
        update: &[u8],
    ) -> Result<Answer, Failure> {
        let path = format!("/v1/events/{event_id}");
        // Where sessions have their current route, it is this one session that is not found.
        let not_found_tells = self.legacy_sessions.legacy.get() != Some(&false);
        self.legacy_events
            .choose(
                not_found_tells,
                || self.rest(Method::PUT, &path, update.to_vec()),
                || self.rest(Method::PUT, "/events", legacy_update(event_id, update)),
            )
            .await
    }

    /// Sends a batch of spans.
    pub(crate) async fn export_traces(&self, payload: Payload) -> Result<Answer, Failure> {
        let request = self
            .request(Method::POST, "/opentelemetry/v1/traces")
            .timeout(TRACES_TIMEOUT.max(self.timeout))
            .header("x-source", self.source.clone())
            .headers(payload.headers)
            .body(payload.bytes);
        self.answer_of(request.send().await).await
    }

    async fn rest(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Answer, Failure> {
        let request = self
            .request(method, path)
            .timeout(self.timeout)
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, JSON)
            .header("hh-client-timestamp", nanoseconds_now())
            .body(body);
        self.answer_of(request.send().await).await
    }

    async fn answer_of(&self, response: reqwest::Result<Response>) -> Result<Answer, Failure> {
        let response = response.map_err(network_failure)?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let body = read_limited(response).await;
        if status.is_success() {
            // A success whose body breaks off is a success all the same.
            return Ok(Answer {
                body: body.unwrap_or_default(),
            });
        }
        // Redacted first: half a key is a secret too.
        let message = shortened(&self.redacted(&message_in(&body.unwrap_or_default())));
        if is_transient(status) {
            let detail = format!("status {}: {message}", status.as_u16());
            return Err(Failure::Transient {
                retry_after,
                // These say that nothing was done; of the others one cannot know.
                may_have_it: !matches!(status.as_u16(), 425 | 429 | 503),
                detail,
            });
        }
        Err(Failure::Refused {
            status: status.as_u16(),
            message,
        })
    }

    fn redacted(&self, text: &str) -> String {
        match &self.key {
            Some(key) => text.replace(key.expose(), "<redacted>"),
            None => text.to_owned(),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }
}

/// Whether a deployment has the current route of a call or only the legacy one: found out by the
/// first answers, then remembered for the process.
#[derive(Debug, Default)]
struct Route {
    legacy: OnceLock<bool>,
}

impl Route {
    /// Calls the route there is. `not_found_tells`: a 404 may mean that there is no such route.
    async fn choose<A, B>(
        &self,
        not_found_tells: bool,
        current: impl FnOnce() -> A,
        legacy: impl FnOnce() -> B,
    ) -> Result<Answer, Failure>
    where
        A: Future<Output = Result<Answer, Failure>>,
        B: Future<Output = Result<Answer, Failure>>,
    {
        match self.legacy.get() {
            Some(false) => return current().await,
            Some(true) => return legacy().await,
            None => {}
        }
        let answer = current().await;
        let missing = match &answer {
            Err(failure) if not_found_tells => matches!(failure.status(), Some(404 | 405)),
            Err(failure) => failure.status() == Some(405),
            Ok(_) => false,
        };
        if !missing {
            self.remember(&answer, false);
            return answer;
        }
        // 404 can also mean that this one session is unknown: only a success of the other route tells.
        let second = legacy().await;
        self.remember(&second, true);
        second
    }

    fn remember(&self, answer: &Result<Answer, Failure>, legacy: bool) {
        if answer.is_ok() && self.legacy.set(legacy).is_ok() && legacy {
            tracing::info!(target: "honeyhive", "this HoneyHive has only the legacy routes; they are used from now on");
        }
    }
}

/// With the platform's roots (`SSL_CERT_FILE` is honoured), those of the settings besides, and the proxies of
/// the environment. Plain HTTP needs no roots, and so does not load them.
fn builder(settings: &Settings) -> Result<ClientBuilder, BuildError> {
    let builder = reqwest::Client::builder();
    if !settings.server_url.starts_with("https:") {
        return Ok(builder.tls_certs_only([]));
    }
    match &settings.ca_certificate {
        Some(pem) => Ok(builder.tls_certs_merge(certificates(pem)?)),
        None => Ok(builder),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, BuildError> {
    let certificates = Certificate::from_pem_bundle(pem).unwrap_or_default();
    if certificates.is_empty() {
        return Err(BuildError::InvalidValue {
            setting: "`.ca_certificate(..)`".into(),
            expected: "certificates as PEM",
        });
    }
    Ok(certificates)
}

fn default_headers(settings: &Settings) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(key) = &settings.write_key {
        let mut value = header_value(&format!("Bearer {}", key.expose()));
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    headers.insert(
        "hh-client-version",
        HeaderValue::from_static(env!("CARGO_PKG_VERSION")),
    );
    headers.insert("hh-client-language", HeaderValue::from_static("rust"));
    headers.insert("hh-client-package", HeaderValue::from_static("honeyhive"));
    headers
}

/// Keys were checked when the settings were read; a source that cannot be a header is left out of it.
fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

async fn read_limited(mut response: Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = ANSWER_LIMIT - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == ANSWER_LIMIT {
            break;
        }
    }
    Ok(body)
}

const fn is_transient(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        408 | 425 | 429 | 500 | 502 | 503 | 504 | 506..=599
    )
}

/// The chain of causes, without the URL (which may hold a tenant's name) at every level.
fn network_failure(error: reqwest::Error) -> Failure {
    let is_connect = error.is_connect();
    let error = error.without_url();
    let mut detail = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        detail = format!("{detail}: {cause}");
        source = cause.source();
    }
    Failure::Transient {
        retry_after: None,
        may_have_it: !is_connect,
        detail: shortened(&detail),
    }
}

/// `message` or `error` of a JSON body, else all of the text.
fn message_in(body: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let field = |name: &str| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let message = field("message").or_else(|| field("error"));
    message.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}

fn shortened(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match one_line.char_indices().nth(MESSAGE_LIMIT) {
        Some((end, _)) => format!("{}…", &one_line[..end]),
        None => one_line,
    }
}

/// Seconds, or an HTTP date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

fn nanoseconds_now() -> String {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos()
        .to_string()
}

impl Payload {
    pub(crate) fn new(
        content_type: HeaderValue,
        encoding: HeaderValue,
        bytes: opentelemetry_http::Bytes,
    ) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CONTENT_ENCODING, encoding);
        Self { headers, bytes }
    }
}
