//! [`Settings`] are what a tracer runs with, checked once, and made into what is used.

use std::borrow::Cow;
use std::ffi::OsString;
use std::time::Duration;

use http::HeaderValue;
use uuid::Uuid;

use super::choices::{DropPolicy, Encoding, OtlpCompression, OtlpProtocol, SessionTransport};
use super::client::GivenClient;
use super::environment::{Environment, Setting};
use super::keys::{ExplicitKeys, Keys};
use super::url::server_url;
use super::variables as names;
use super::variables::Variable;
use super::without_effect;
use crate::error::BuildError;
use crate::model::id::SessionId;
use crate::sampling::SessionSampling;
use crate::secret::ApiKey;
use crate::settings::Spool;

const DEFAULT_SOURCE: &str = "dev";
const DEFAULT_API_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_COALESCE_WINDOW: Duration = Duration::from_millis(500);
const DEFAULT_QUEUE_BYTES: usize = 64 * 1024 * 1024;
const DEFAULT_QUEUE_ITEMS: usize = 200_000;

/// The builder has set these; `None` means "ask the environment, then take the default".
#[derive(Debug, Clone, Default)]
pub(crate) struct Explicit {
    pub(crate) keys: ExplicitKeys,
    pub(crate) project: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) session_name: Option<String>,
    pub(crate) session_id: Option<SessionId>,
    pub(crate) server_url: Option<String>,
    pub(crate) test_mode: Option<bool>,
    pub(crate) api_timeout: Option<Duration>,
    pub(crate) otlp_protocol: Option<OtlpProtocol>,
    pub(crate) otlp_compression: Option<OtlpCompression>,
    pub(crate) session_transport: Option<SessionTransport>,
    pub(crate) coalesce_window: Option<Duration>,
    pub(crate) queue_bytes: Option<usize>,
    pub(crate) queue_items: Option<usize>,
    pub(crate) sampling: Option<SessionSampling>,
    pub(crate) drop_policy: Option<DropPolicy>,
    pub(crate) ca_certificate: Option<Vec<u8>>,
    pub(crate) spool: Option<Spool>,
    pub(crate) stderr: Option<bool>,
    pub(crate) captures_content: Option<bool>,
    pub(crate) http_client: Option<GivenClient>,
    /// The flag tells whether the environment is ignored.
    pub(crate) is_isolated: bool,
    pub(crate) needs: Needs,
}

impl Explicit {
    /// Returns whether stderr may be written to where the settings as a whole are not usable.
    pub(crate) fn may_speak(&self) -> bool {
        let read = |name: &str| {
            let is_asked = !self.is_isolated;
            is_asked.then(|| std::env::var_os(name)).flatten()
        };
        stderr(self.stderr, Environment(&read)).unwrap_or(true)
    }
}

/// A tracer or a client needs one of these keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Needs {
    /// The key has to write sessions and spans.
    #[default]
    Writing,
    /// The key has to be one that the typed client has calls for.
    #[cfg(feature = "client")]
    Asking,
}

impl Needs {
    fn check(self, keys: &Keys) -> Result<(), BuildError> {
        match self {
            Self::Writing if keys.write().is_none() => Err(BuildError::MissingApiKey),
            #[cfg(feature = "client")]
            Self::Asking if !keys.can_ask() => Err(BuildError::MissingClientKey),
            _ => Ok(()),
        }
    }
}

/// A tracer runs with these settings.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) keys: Keys,
    /// The URL has no slash at its end.
    pub(crate) server_url: String,
    pub(crate) project: Option<String>,
    pub(crate) source: String,
    /// The source is in the form of a header.
    pub(crate) source_header: HeaderValue,
    pub(crate) session_name: String,
    pub(crate) session_id: Option<SessionId>,
    pub(crate) test_mode: bool,
    pub(crate) api_timeout: Duration,
    pub(crate) otlp_encoding: Encoding,
    pub(crate) otlp_compression: OtlpCompression,
    pub(crate) session_transport: SessionTransport,
    pub(crate) coalesce_window: Duration,
    pub(crate) queue_bytes: usize,
    pub(crate) queue_items: usize,
    pub(crate) sampling: SessionSampling,
    pub(crate) drop_policy: DropPolicy,
    /// The certificates are PEM.
    pub(crate) ca_certificate: Option<Vec<u8>>,
    pub(crate) spool: Option<Spool>,
    /// The flag tells whether losses are printed on stderr where no subscriber listens.
    pub(crate) stderr: bool,
    /// Texts that go to models and come from them are sent.
    pub(crate) captures_content: bool,
    /// The HTTP client carries the calls, instead of this crate's own.
    pub(crate) http_client: Option<GivenClient>,
}

impl Settings {
    pub(crate) fn resolve(explicit: Explicit) -> Result<Self, BuildError> {
        if explicit.is_isolated {
            Self::resolve_with(explicit, &|_| None)
        } else {
            Self::resolve_with(explicit, &|name| std::env::var_os(name))
        }
    }

    /// Does the same as [`resolve`](Self::resolve), with the environment as an argument so that tests need no
    /// process-wide state.
    fn resolve_with(
        explicit: Explicit,
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, BuildError> {
        let env = Environment(environment);
        without_effect::warn_once(&env);
        let test_mode = env.parsed(explicit.test_mode, &names::TEST_MODE, parse_bool)?;
        let test_mode = test_mode.is_some_and(|setting| setting.value);
        let keys = Keys::resolve(&explicit.keys, env)?;
        if !test_mode {
            explicit.needs.check(&keys)?;
        }
        let (source, source_header) = source(explicit.source, env)?;
        Ok(Self {
            keys,
            server_url: server_url(explicit.server_url, env)?,
            project: line(explicit.project, env, &names::PROJECT)?,
            source,
            source_header,
            session_name: line(explicit.session_name, env, &names::SESSION_NAME)?
                .unwrap_or_else(program_name),
            session_id: explicit.session_id,
            test_mode,
            api_timeout: api_timeout(explicit.api_timeout, env)?,
            otlp_encoding: otlp_encoding(explicit.otlp_protocol, env)?,
            otlp_compression: choice(
                explicit.otlp_compression,
                env,
                &names::OTLP_COMPRESSION,
                |value| value.parse().ok(),
            )?,
            session_transport: explicit.session_transport.unwrap_or_default(),
            coalesce_window: explicit.coalesce_window.unwrap_or(DEFAULT_COALESCE_WINDOW),
            queue_bytes: explicit.queue_bytes.unwrap_or(DEFAULT_QUEUE_BYTES),
            queue_items: explicit.queue_items.unwrap_or(DEFAULT_QUEUE_ITEMS),
            sampling: sampling(explicit.sampling, env)?,
            drop_policy: choice(explicit.drop_policy, env, &names::DROP_POLICY, |value| {
                value.parse().ok()
            })?,
            ca_certificate: explicit.ca_certificate,
            spool: spool(explicit.spool, env)?,
            stderr: stderr(explicit.stderr, env)?,
            captures_content: env
                .parsed(
                    explicit.captures_content,
                    &names::CAPTURE_CONTENT,
                    parse_bool,
                )?
                .is_none_or(|setting| setting.value),
            http_client: explicit.http_client,
        })
    }

    /// Returns a hash that tells whether two tracers deliver to the same place with the same key, and reveals no key.
    pub(crate) fn destination(&self) -> u32 {
        let key = self.keys.write().map_or("", ApiKey::expose);
        let project = self.project.as_deref().unwrap_or_default();
        let all = format!("{}\n{project}\n{key}", self.server_url);
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_URL, all.as_bytes());
        hash.as_fields().0
    }
}

fn stderr(explicit: Option<bool>, env: Environment<'_>) -> Result<bool, BuildError> {
    let setting = env.parsed(explicit, &names::STDERR, parse_bool)?;
    Ok(setting.is_none_or(|setting| setting.value))
}

/// Returns a text of one line.
fn line(
    explicit: Option<String>,
    env: Environment<'_>,
    variable: &'static Variable,
) -> Result<Option<String>, BuildError> {
    let text = env.text(explicit, variable)?;
    let is_line = |text: &String| !text.contains(char::is_control);
    text.map(|text| text.checked(variable.takes, is_line))
        .transpose()
}

/// Returns the source, and its header.
fn source(
    explicit: Option<String>,
    env: Environment<'_>,
) -> Result<(String, HeaderValue), BuildError> {
    let Some(Setting { value, name }) = env.text(explicit, &names::SOURCE)? else {
        let header = HeaderValue::from_static(DEFAULT_SOURCE);
        return Ok((DEFAULT_SOURCE.to_owned(), header));
    };
    /// A longer header would not be taken by servers.
    const LONGEST: usize = 256;
    match HeaderValue::from_bytes(value.as_bytes()) {
        Ok(header) if value.len() <= LONGEST => Ok((value, header)),
        _ => Err(BuildError::InvalidValue {
            setting: Cow::Borrowed(name),
            expected: names::SOURCE.takes,
        }),
    }
}

/// Returns the program's name, as Python's SDK takes the script's name.
fn program_name() -> String {
    std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Parses a choice, else takes the default.
fn choice<T: Default>(
    explicit: Option<T>,
    env: Environment<'_>,
    variable: &'static Variable,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, BuildError> {
    let setting = env.parsed(explicit, variable, parse)?;
    Ok(setting.map(|setting| setting.value).unwrap_or_default())
}

fn api_timeout(explicit: Option<Duration>, env: Environment<'_>) -> Result<Duration, BuildError> {
    let Some(timeout) = env.parsed(explicit, &names::API_TIMEOUT, parse_seconds)? else {
        return Ok(DEFAULT_API_TIMEOUT);
    };
    timeout.checked(names::API_TIMEOUT.takes, |timeout| !timeout.is_zero())
}

fn sampling(
    explicit: Option<SessionSampling>,
    env: Environment<'_>,
) -> Result<SessionSampling, BuildError> {
    let variable = &names::SESSION_SAMPLE_RATE;
    let Some(sampling) = env.parsed(explicit, variable, parse_rate)? else {
        return Ok(SessionSampling::default());
    };
    sampling.checked(variable.takes, SessionSampling::is_usable)
}

fn otlp_encoding(
    explicit: Option<OtlpProtocol>,
    env: Environment<'_>,
) -> Result<Encoding, BuildError> {
    let protocol = env.parsed(explicit, &names::OTLP_PROTOCOL, |value| value.parse().ok())?;
    match protocol {
        Some(Setting {
            value: OtlpProtocol::HttpJson,
            name,
        }) => json_encoding(name),
        _ => Ok(Encoding::Protobuf),
    }
}

#[cfg(feature = "http-json")]
const fn json_encoding(_: &'static str) -> Result<Encoding, BuildError> {
    Ok(Encoding::Json)
}

#[cfg(not(feature = "http-json"))]
const fn json_encoding(setting: &'static str) -> Result<Encoding, BuildError> {
    Err(BuildError::MissingFeature {
        setting: Cow::Borrowed(setting),
        value: "OTLP as JSON",
        feature: "http-json",
    })
}

#[cfg(feature = "spool")]
fn spool(explicit: Option<Spool>, env: Environment<'_>) -> Result<Option<Spool>, BuildError> {
    let spool = match explicit {
        Some(value) => Some(Setting {
            value,
            name: names::SPOOL_DIR.setter,
        }),
        None => env.text(None, &names::SPOOL_DIR)?.map(|folder| Setting {
            value: Spool::new(folder.value),
            name: folder.name,
        }),
    };
    let is_usable = |spool: &Spool| !spool.folder.as_os_str().is_empty() && spool.max_bytes > 0;
    spool
        .map(|spool| spool.checked(names::SPOOL_DIR.takes, is_usable))
        .transpose()
}

#[cfg(not(feature = "spool"))]
fn spool(_: Option<Spool>, env: Environment<'_>) -> Result<Option<Spool>, BuildError> {
    match env.text(None, &names::SPOOL_DIR)? {
        None => Ok(None),
        Some(folder) => Err(BuildError::MissingFeature {
            setting: Cow::Borrowed(folder.name),
            value: "a spool on disk",
            feature: "spool",
        }),
    }
}

fn parse_bool(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn parse_seconds(value: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(value.parse().ok()?).ok()
}

fn parse_rate(value: &str) -> Option<SessionSampling> {
    Some(SessionSampling::ratio(value.parse().ok()?))
}

#[cfg(test)]
mod tests;
