//! Settings, resolved once: explicit > environment > default, from one table of names.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use crate::error::{BuildError, UnknownName};
use crate::log;
use crate::model::id::SessionId;
use crate::sampling::SessionSampling;
use crate::secret::ApiKey;
use crate::spool::Spool;

pub(crate) const DEFAULT_SERVER_URL: &str = "https://api.dp1.us.honeyhive.ai";
pub(crate) const DEFAULT_SOURCE: &str = "dev";
pub(crate) const DEFAULT_API_TIMEOUT: Duration = Duration::from_secs(5);
pub(crate) const DEFAULT_COALESCE_WINDOW: Duration = Duration::from_millis(500);
pub(crate) const DEFAULT_QUEUE_BYTES: usize = 64 * 1024 * 1024;
pub(crate) const DEFAULT_QUEUE_ITEMS: usize = 200_000;

/// What ingestion keys and fine-grained keys begin with.
const TYPED_PREFIXES: [&str; 2] = ["hh_ingst_", "hh_fgdp_"];

/// An environment variable, with the names it had before.
struct Variable {
    name: &'static str,
    deprecated: &'static [&'static str],
}

const fn variable(name: &'static str, deprecated: &'static [&'static str]) -> Variable {
    Variable { name, deprecated }
}

const API_KEY: Variable = variable("HH_API_KEY", &["HONEYHIVE_API_KEY"]);
const INGESTION_API_KEY: Variable = variable("HH_INGESTION_API_KEY", &[]);
const DATA_PLANE_API_KEY: Variable = variable("HH_DATA_PLANE_API_KEY", &[]);
const API_URL: Variable = variable("HH_API_URL", &["HONEYHIVE_SERVER_URL", "HH_SERVER_URL"]);
const PROJECT: Variable = variable("HH_PROJECT", &[]);
const SOURCE: Variable = variable("HH_SOURCE", &[]);
const SESSION_NAME: Variable = variable("HH_SESSION_NAME", &[]);
const TEST_MODE: Variable = variable("HH_TEST_MODE", &[]);
const API_TIMEOUT: Variable = variable("HH_API_TIMEOUT", &[]);
const SESSION_SAMPLE_RATE: Variable = variable("HH_SESSION_SAMPLE_RATE", &[]);
const OTLP_PROTOCOL: Variable = variable("HH_OTLP_PROTOCOL", &[]);
const DROP_POLICY: Variable = variable("HH_DROP_POLICY", &[]);
const STDERR: Variable = variable("HH_STDERR", &[]);
const SPOOL_DIR: Variable = variable("HH_SPOOL_DIR", &[]);

/// What HoneyHive documents for its other SDKs, and nothing here reads.
const WITHOUT_EFFECT: &[&str] = &[
    "HH_BATCH_SIZE",
    "HH_CACHE_CLEANUP_INTERVAL",
    "HH_CACHE_ENABLED",
    "HH_CACHE_MAX_SIZE",
    "HH_CACHE_TTL",
    "HH_DISABLE_BATCH",
    "HH_DISABLE_HTTP_TRACING",
    "HH_DISABLE_TRACING",
    "HH_EXPERIMENT_GROUP",
    "HH_EXPERIMENT_ID",
    "HH_EXPERIMENT_METADATA",
    "HH_EXPERIMENT_NAME",
    "HH_EXPERIMENT_VARIANT",
    "HH_EXPORT_TIMEOUT",
    "HH_EXPORT_TIMEOUT_SECONDS",
    "HH_FLUSH_INTERVAL",
    "HH_FOLLOW_REDIRECTS",
    "HH_HIGH_CONCURRENCY",
    "HH_HTTPS_PROXY",
    "HH_HTTP_PROXY",
    "HH_KEEPALIVE_EXPIRY",
    "HH_MAX_ATTRIBUTES",
    "HH_MAX_CONNECTIONS",
    "HH_MAX_EVENTS",
    "HH_MAX_EXPORT_BATCH_SIZE",
    "HH_MAX_KEEPALIVE_CONNECTIONS",
    "HH_MAX_LINKS",
    "HH_MAX_RETRIES",
    "HH_MAX_SPAN_SIZE",
    "HH_NO_PROXY",
    "HH_OTLP_ENABLED",
    "HH_OTLP_ENDPOINT",
    "HH_OTLP_HEADERS",
    "HH_POOL_TIMEOUT",
    "HH_PRESERVE_CORE_ATTRIBUTES",
    "HH_RATE_LIMIT_CALLS",
    "HH_RATE_LIMIT_WINDOW",
    "HH_SERVICE_NAME",
    "HH_SERVICE_VERSION",
    "HH_TIMEOUT",
    "HH_VERBOSE",
    "HH_VERIFY_SSL",
];

/// How sessions reach HoneyHive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SessionTransport {
    /// One REST call for a short session, two for a longer one (the default).
    #[default]
    Rest,
    /// No REST call: spans ask ingestion to create their session, and every request gets a span that
    /// carries its inputs and outputs. The way to scale out, through an OpenTelemetry Collector.
    /// Enrichments that a program makes by hand still go over REST.
    Otlp,
}

/// How spans are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OtlpProtocol {
    /// `http/protobuf` (the default).
    #[default]
    HttpProtobuf,
    /// `http/json`. It needs the feature `http-json`; [`build`](crate::HoneyHiveTracerBuilder::build) fails without.
    HttpJson,
}

/// What is left of [`OtlpProtocol`] when it has been resolved: what this build can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Protobuf,
    #[cfg(feature = "http-json")]
    Json,
}

/// What is dropped where more is pending than may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum DropPolicy {
    /// What comes finds no room (the default): what is told of the beginning of an outage is kept.
    #[default]
    Newest,
    /// What has waited longest makes room: what is told of the end of an outage is kept.
    ///
    /// The delivery thread gives it up, so that no request does: from seven eighths of either bound on, down to
    /// three quarters of it. Only what comes before it has got to that, once the bound itself is reached, is
    /// dropped as with [`Newest`](Self::Newest).
    Oldest,
}

impl FromStr for DropPolicy {
    type Err = UnknownName;

    /// Takes `newest` and `oldest`, in any case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "newest" => Ok(Self::Newest),
            "oldest" => Ok(Self::Oldest),
            _ => Err(UnknownName::expected("`newest` or `oldest`")),
        }
    }
}

/// What the builder was told; `None` means "ask the environment, then take the default".
#[derive(Debug, Clone, Default)]
pub(crate) struct Explicit {
    pub(crate) api_key: Option<ApiKey>,
    pub(crate) ingestion_api_key: Option<ApiKey>,
    pub(crate) data_plane_api_key: Option<ApiKey>,
    pub(crate) project: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) session_name: Option<String>,
    pub(crate) session_id: Option<SessionId>,
    pub(crate) server_url: Option<String>,
    pub(crate) test_mode: Option<bool>,
    pub(crate) api_timeout: Option<Duration>,
    pub(crate) otlp_protocol: Option<OtlpProtocol>,
    pub(crate) session_transport: SessionTransport,
    pub(crate) coalesce_window: Option<Duration>,
    pub(crate) queue_bytes: Option<usize>,
    pub(crate) queue_items: Option<usize>,
    pub(crate) sampling: Option<SessionSampling>,
    pub(crate) drop_policy: Option<DropPolicy>,
    pub(crate) ca_certificate: Option<Vec<u8>>,
    pub(crate) spool: Option<Spool>,
    pub(crate) stderr: Option<bool>,
}

/// The settings a tracer runs with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// For session starts, session updates and spans: the ingestion key, else the project key.
    pub(crate) write_key: Option<ApiKey>,
    pub(crate) server_url: String,
    pub(crate) project: Option<String>,
    pub(crate) source: String,
    pub(crate) session_name: String,
    pub(crate) session_id: Option<SessionId>,
    pub(crate) test_mode: bool,
    pub(crate) api_timeout: Duration,
    pub(crate) otlp_encoding: Encoding,
    pub(crate) session_transport: SessionTransport,
    pub(crate) coalesce_window: Duration,
    pub(crate) queue_bytes: usize,
    pub(crate) queue_items: usize,
    pub(crate) sampling: SessionSampling,
    pub(crate) drop_policy: DropPolicy,
    /// PEM.
    pub(crate) ca_certificate: Option<Vec<u8>>,
    pub(crate) spool: Option<Spool>,
    /// Losses are said on stderr where nobody listens.
    pub(crate) stderr: bool,
}

impl Settings {
    pub(crate) fn resolve(explicit: Explicit) -> Result<Self, BuildError> {
        Self::resolve_with(explicit, &|name| std::env::var(name).ok())
    }

    /// As [`resolve`](Self::resolve), with the environment as an argument so that tests need no
    /// process-wide state.
    pub(crate) fn resolve_with(
        explicit: Explicit,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, BuildError> {
        let env = Environment(environment);
        warn_without_effect_once(&env);
        let test_mode = match explicit.test_mode {
            Some(value) => value,
            None => env
                .parsed(&TEST_MODE, "true or false", parse_bool)?
                .unwrap_or(false),
        };
        let write_key = write_key(&explicit, &env)?;
        if write_key.is_none() && !test_mode {
            return Err(BuildError::MissingApiKey);
        }
        Ok(Self {
            write_key,
            server_url: server_url(explicit.server_url, &env)?,
            project: text(explicit.project, &env, &PROJECT),
            source: text(explicit.source, &env, &SOURCE)
                .unwrap_or_else(|| DEFAULT_SOURCE.to_owned()),
            session_name: text(explicit.session_name, &env, &SESSION_NAME)
                .unwrap_or_else(program_name),
            session_id: explicit.session_id,
            test_mode,
            api_timeout: api_timeout(explicit.api_timeout, &env)?,
            otlp_encoding: otlp_encoding(explicit.otlp_protocol, &env)?,
            session_transport: explicit.session_transport,
            coalesce_window: explicit.coalesce_window.unwrap_or(DEFAULT_COALESCE_WINDOW),
            queue_bytes: explicit.queue_bytes.unwrap_or(DEFAULT_QUEUE_BYTES),
            queue_items: explicit.queue_items.unwrap_or(DEFAULT_QUEUE_ITEMS),
            sampling: sampling(explicit.sampling, &env)?,
            drop_policy: match explicit.drop_policy {
                Some(policy) => policy,
                None => env
                    .parsed(&DROP_POLICY, "`newest` or `oldest`", parse_drop_policy)?
                    .unwrap_or_default(),
            },
            ca_certificate: explicit.ca_certificate,
            spool: spool(explicit.spool, &env)?,
            stderr: match explicit.stderr {
                Some(on) => on,
                None => env
                    .parsed(&STDERR, "true or false", parse_bool)?
                    .unwrap_or(true),
            },
        })
    }

    /// Says whether two tracers deliver to the same place with the same key, and so little else that no key
    /// can be found out from it.
    pub(crate) fn destination(&self) -> u32 {
        let key = self.write_key.as_ref().map_or("", ApiKey::expose);
        let project = self.project.as_deref().unwrap_or_default();
        let all = format!("{}\n{project}\n{key}", self.server_url);
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_URL, all.as_bytes());
        hash.as_fields().0
    }
}

/// The environment, read through the table above.
struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    /// The value of a variable and the name it was found under; a blank value counts as unset.
    fn find(&self, variable: &Variable) -> Option<(String, &'static str)> {
        if let Some(value) = self.read(variable.name) {
            return Some((value, variable.name));
        }
        let (value, name) = variable
            .deprecated
            .iter()
            .find_map(|name| Some((self.read(name)?, *name)))?;
        warn_deprecated_once(name, variable.name);
        Some((value, name))
    }

    fn read(&self, name: &str) -> Option<String> {
        let value = (self.0)(name)?;
        let trimmed = value.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    fn parsed<T>(
        &self,
        variable: &Variable,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, BuildError> {
        let Some((value, name)) = self.find(variable) else {
            return Ok(None);
        };
        match parse(&value) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(BuildError::InvalidValue {
                setting: Cow::Borrowed(name),
                expected,
            }),
        }
    }
}

/// Those that are set and change nothing here.
fn without_effect(env: &Environment<'_>) -> Vec<&'static str> {
    let names = WITHOUT_EFFECT.iter().copied();
    names.filter(|name| env.read(name).is_some()).collect()
}

fn warn_without_effect_once(env: &Environment<'_>) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let names = without_effect(env);
    if !names.is_empty() && !WARNED.swap(true, Ordering::Relaxed) {
        let names = names.join(", ");
        log::warn(format_args!(
            "set, but without effect in the SDK for Rust: {names}"
        ));
    }
}

fn warn_deprecated_once(old: &'static str, new: &'static str) {
    static WARNED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let first = WARNED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(old);
    if first {
        log::warn(format_args!("{old} is deprecated; set {new} instead"));
    }
}

fn text(explicit: Option<String>, env: &Environment<'_>, variable: &Variable) -> Option<String> {
    explicit
        .filter(|value| !value.trim().is_empty())
        .or_else(|| env.find(variable).map(|(value, _)| value))
}

/// Like Python's SDK, which takes the script's name.
fn program_name() -> String {
    std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "unknown".to_owned())
}

fn write_key(explicit: &Explicit, env: &Environment<'_>) -> Result<Option<ApiKey>, BuildError> {
    let project = key(
        explicit.api_key.as_ref(),
        "`.api_key(..)`",
        env,
        &API_KEY,
        None,
    )?;
    let ingestion = key(
        explicit.ingestion_api_key.as_ref(),
        "`.ingestion_api_key(..)`",
        env,
        &INGESTION_API_KEY,
        Some(TYPED_PREFIXES[0]),
    )?;
    // Not used for tracing, but a key of the wrong shape is a mistake worth hearing of at start-up.
    key(
        explicit.data_plane_api_key.as_ref(),
        "`.data_plane_api_key(..)`",
        env,
        &DATA_PLANE_API_KEY,
        Some(TYPED_PREFIXES[1]),
    )?;
    Ok(ingestion.or(project))
}

fn key(
    explicit: Option<&ApiKey>,
    setter: &'static str,
    env: &Environment<'_>,
    variable: &Variable,
    prefix: Option<&str>,
) -> Result<Option<ApiKey>, BuildError> {
    let explicit = explicit
        .map(|key| key.expose().trim())
        .filter(|value| !value.is_empty());
    let (value, setting) = match explicit {
        Some(value) => (value.to_owned(), setter),
        None => match env.find(variable) {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    match key_problem(&value, prefix) {
        Some(problem) => Err(BuildError::InvalidKey {
            setting: Cow::Borrowed(setting),
            problem,
        }),
        None => Ok(Some(ApiKey::new(value))),
    }
}

/// What is wrong with a key that should begin with `prefix`, or with any.
fn key_problem(value: &str, prefix: Option<&str>) -> Option<&'static str> {
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("it has characters that no key has");
    }
    let typed = |prefix: &&&str| value.starts_with(**prefix);
    let prefix = prefix.or_else(|| TYPED_PREFIXES.iter().find(typed).copied());
    let has_shape = prefix.is_none_or(|prefix| has_typed_shape(value, prefix));
    (!has_shape).then_some(
        "it does not have the shape of a key of this kind (copy it again from HoneyHive)",
    )
}

/// `prefix`, 24 letters or digits, `_`, 64 of `[A-Za-z0-9_-]` (the official SDK's check).
fn has_typed_shape(value: &str, prefix: &str) -> bool {
    let Some(rest) = value.strip_prefix(prefix) else {
        return false;
    };
    let (Some(id), Some(secret)) = (rest.get(..24), rest.get(25..)) else {
        return false;
    };
    rest.as_bytes()[24] == b'_'
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && secret.len() == 64
        && secret
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn server_url(explicit: Option<String>, env: &Environment<'_>) -> Result<String, BuildError> {
    let (url, setting) = match explicit.filter(|url| !url.trim().is_empty()) {
        Some(url) => (url.trim().to_owned(), "`.server_url(..)`"),
        None => match env.find(&API_URL) {
            Some(found) => found,
            None => return Ok(DEFAULT_SERVER_URL.to_owned()),
        },
    };
    match url_problem(&url) {
        Some(problem) => Err(BuildError::InvalidUrl {
            setting: Cow::Borrowed(setting),
            problem,
        }),
        None => Ok(url.trim_end_matches('/').to_owned()),
    }
}

fn url_problem(url: &str) -> Option<&'static str> {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return Some("it is no URL");
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Some("it does not begin with http:// or https://");
    }
    let authority = uri.authority()?;
    if authority.host().is_empty() {
        return Some("it has no host");
    }
    if authority.as_str().contains('@') {
        return Some("it carries credentials");
    }
    if uri.query().is_some() || url.contains('#') {
        return Some("it has a query or a fragment");
    }
    None
}

fn api_timeout(explicit: Option<Duration>, env: &Environment<'_>) -> Result<Duration, BuildError> {
    match explicit {
        Some(timeout) if timeout.is_zero() => Err(BuildError::InvalidValue {
            setting: Cow::Borrowed("`.api_timeout(..)`"),
            expected: "a duration above zero",
        }),
        Some(timeout) => Ok(timeout),
        None => Ok(env
            .parsed(
                &API_TIMEOUT,
                "a number of seconds above zero",
                parse_seconds,
            )?
            .unwrap_or(DEFAULT_API_TIMEOUT)),
    }
}

fn sampling(
    explicit: Option<SessionSampling>,
    env: &Environment<'_>,
) -> Result<SessionSampling, BuildError> {
    const EXPECTED: &str = "a share between 0 and 1";
    match explicit {
        Some(sampling) if !sampling.is_usable() => Err(BuildError::InvalidValue {
            setting: Cow::Borrowed("`.sampling(..)`"),
            expected: EXPECTED,
        }),
        Some(sampling) => Ok(sampling),
        None => Ok(env
            .parsed(&SESSION_SAMPLE_RATE, EXPECTED, parse_rate)?
            .unwrap_or_default()),
    }
}

fn otlp_encoding(
    explicit: Option<OtlpProtocol>,
    env: &Environment<'_>,
) -> Result<Encoding, BuildError> {
    const EXPECTED: &str = "`http/protobuf` or `http/json`";
    let (protocol, setting) = match explicit {
        Some(protocol) => (protocol, "`.otlp_protocol(..)`"),
        None => (
            env.parsed(&OTLP_PROTOCOL, EXPECTED, parse_protocol)?
                .unwrap_or_default(),
            OTLP_PROTOCOL.name,
        ),
    };
    match protocol {
        OtlpProtocol::HttpProtobuf => Ok(Encoding::Protobuf),
        OtlpProtocol::HttpJson => json_encoding(setting),
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

fn parse_rate(value: &str) -> Option<SessionSampling> {
    let sampling = SessionSampling::ratio(value.parse().ok()?);
    sampling.is_usable().then_some(sampling)
}

fn spool(explicit: Option<Spool>, env: &Environment<'_>) -> Result<Option<Spool>, BuildError> {
    match explicit {
        Some(spool) if spool.folder.as_os_str().is_empty() || spool.max_bytes == 0 => {
            Err(BuildError::InvalidValue {
                setting: Cow::Borrowed("`.spool(..)`"),
                expected: "a folder, and a bound above zero",
            })
        }
        Some(spool) => Ok(Some(spool)),
        None => Ok(env.find(&SPOOL_DIR).map(|(folder, _)| Spool::new(folder))),
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
    let seconds: f64 = value.parse().ok()?;
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    (!duration.is_zero()).then_some(duration)
}

fn parse_protocol(value: &str) -> Option<OtlpProtocol> {
    match value.to_ascii_lowercase().as_str() {
        "http/protobuf" => Some(OtlpProtocol::HttpProtobuf),
        "http/json" => Some(OtlpProtocol::HttpJson),
        _ => None,
    }
}

fn parse_drop_policy(value: &str) -> Option<DropPolicy> {
    value.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(explicit: Explicit, pairs: &[(&str, &str)]) -> Result<Settings, BuildError> {
        Settings::resolve_with(explicit, &|name| {
            // The last pair of a name wins.
            pairs
                .iter()
                .rev()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    fn typed_key(prefix: &str) -> String {
        format!("{prefix}{}_{}", "a1".repeat(12), "Zz_-".repeat(16))
    }

    #[test]
    fn explicit_wins_over_environment_and_environment_over_default() {
        let explicit = Explicit {
            source: Some("explicit".into()),
            ..Explicit::default()
        };
        let env = [
            ("HH_API_KEY", "hh_k"),
            ("HH_SOURCE", "env"),
            ("HH_PROJECT", "p"),
        ];
        let settings = resolve(explicit, &env).unwrap();
        assert_eq!(settings.source, "explicit");
        assert_eq!(settings.project.as_deref(), Some("p"));
        assert_eq!(settings.server_url, DEFAULT_SERVER_URL);
        assert_eq!(settings.api_timeout, Duration::from_secs(5));
        assert_eq!(settings.otlp_encoding, Encoding::Protobuf);
    }

    #[test]
    fn a_blank_value_counts_as_unset() {
        let error = resolve(Explicit::default(), &[("HH_API_KEY", "  ")]).unwrap_err();
        assert!(matches!(error, BuildError::MissingApiKey));
        assert!(error.to_string().contains("HH_API_KEY"));
    }

    #[test]
    fn what_is_dropped_is_a_setting_like_any_other() {
        let policy = |env: &[_]| resolve(Explicit::default(), env).unwrap().drop_policy;
        let key = ("HH_API_KEY", "hh_k");
        assert_eq!(policy(&[key]), DropPolicy::Newest);
        assert_eq!(
            policy(&[key, ("HH_DROP_POLICY", "Oldest")]),
            DropPolicy::Oldest
        );
    }

    fn asks_for_json() -> [Result<Settings, BuildError>; 2] {
        let key = ("HH_API_KEY", "hh_k");
        let explicit = Explicit {
            otlp_protocol: Some(OtlpProtocol::HttpJson),
            ..Explicit::default()
        };
        [
            resolve(explicit, &[key]),
            resolve(
                Explicit::default(),
                &[key, ("HH_OTLP_PROTOCOL", "http/json")],
            ),
        ]
    }

    #[cfg(feature = "http-json")]
    #[test]
    fn json_is_written_where_it_is_asked_for() {
        for settings in asks_for_json() {
            assert_eq!(settings.unwrap().otlp_encoding, Encoding::Json);
        }
    }

    #[cfg(not(feature = "http-json"))]
    #[test]
    fn json_that_is_not_built_in_is_an_error_that_says_what_to_turn_on() {
        let settings = ["`.otlp_protocol(..)`", "HH_OTLP_PROTOCOL"];
        for (result, setting) in asks_for_json().into_iter().zip(settings) {
            let said = result.unwrap_err().to_string();
            assert!(
                said.starts_with(setting) && said.contains("the feature `http-json`"),
                "{said}"
            );
        }
    }

    #[test]
    fn test_mode_needs_no_key() {
        let settings = resolve(Explicit::default(), &[("HH_TEST_MODE", "on")]).unwrap();
        assert!(settings.test_mode && settings.write_key.is_none());
    }

    #[test]
    fn the_ingestion_key_is_used_for_writing() {
        let ingestion = typed_key("hh_ingst_");
        let env = [
            ("HH_API_KEY", "hh_k"),
            ("HH_INGESTION_API_KEY", ingestion.as_str()),
        ];
        let settings = resolve(Explicit::default(), &env).unwrap();
        assert_eq!(settings.write_key.unwrap().expose(), ingestion);
    }

    #[test]
    fn a_typed_key_of_the_wrong_shape_is_refused_without_its_value() {
        let secret = "hh_ingst_tooshort";
        for name in ["HH_INGESTION_API_KEY", "HH_DATA_PLANE_API_KEY"] {
            let error =
                resolve(Explicit::default(), &[("HH_API_KEY", "k"), (name, secret)]).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert!(!format!("{error} {error:?}").contains(secret));
        }
    }

    #[test]
    fn deprecated_names_are_read_after_the_current_one() {
        let env = [
            ("HONEYHIVE_API_KEY", "hh_old"),
            ("HH_SERVER_URL", "http://old.example/"),
        ];
        let settings = resolve(Explicit::default(), &env).unwrap();
        assert_eq!(settings.server_url, "http://old.example");
        let both = [("HH_API_KEY", "hh_new"), ("HONEYHIVE_API_KEY", "hh_old")];
        let settings = resolve(Explicit::default(), &both).unwrap();
        assert_eq!(settings.write_key.unwrap().expose(), "hh_new");
    }

    #[test]
    fn variables_without_effect_are_found_where_they_are_set() {
        let set = |name: &str| {
            let value = match name {
                "HH_DISABLE_TRACING" | "HH_SOURCE" => "true",
                "HH_VERBOSE" => " ",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let found = without_effect(&Environment(&set));
        assert_eq!(found, ["HH_DISABLE_TRACING"]);
    }

    #[test]
    fn no_variable_that_is_read_is_said_to_have_no_effect() {
        let read = [
            &API_KEY,
            &INGESTION_API_KEY,
            &DATA_PLANE_API_KEY,
            &API_URL,
            &PROJECT,
            &SOURCE,
            &SESSION_NAME,
            &TEST_MODE,
            &API_TIMEOUT,
            &OTLP_PROTOCOL,
        ];
        for Variable { name, deprecated } in read {
            for name in deprecated.iter().chain([name]) {
                assert!(!WITHOUT_EFFECT.contains(name), "{name}");
            }
        }
    }

    #[test]
    fn bad_values_name_the_setting_they_came_from() {
        for (name, value) in [
            ("HH_API_URL", "api.honeyhive.ai"),
            ("HH_API_URL", "ftp://x"),
            ("HH_API_URL", "https://user:pw@host"),
            ("HH_API_URL", "https://host/?q=1"),
            ("HH_API_URL", "not a url"),
            ("HH_API_TIMEOUT", "0"),
            ("HH_API_TIMEOUT", "-1"),
            ("HH_API_TIMEOUT", "NaN"),
            ("HH_API_TIMEOUT", "1e400"),
            ("HH_TEST_MODE", "maybe"),
            ("HH_OTLP_PROTOCOL", "grpc"),
            ("HH_SESSION_SAMPLE_RATE", "10%"),
            ("HH_SESSION_SAMPLE_RATE", "1.5"),
            ("HH_SESSION_SAMPLE_RATE", "NaN"),
            ("HH_DROP_POLICY", "both"),
            ("HH_API_KEY", "has space"),
        ] {
            let env = [("HH_API_KEY", "hh_k"), (name, value)];
            let error = resolve(Explicit::default(), &env).unwrap_err();
            assert!(error.to_string().contains(name), "{name}={value}: {error}");
        }
    }

    #[test]
    fn no_key_shows_in_debug() {
        let settings = resolve(Explicit::default(), &[("HH_API_KEY", "hh_secret")]).unwrap();
        assert!(!format!("{settings:?}").contains("hh_secret"));
    }
}
