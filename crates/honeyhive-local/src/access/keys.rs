//! Each key opens some of the routes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::config::{ApiKey, Config, Keys};

/// An `Area` is the part of the API that a call belongs to, as far as keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    /// Tracing writes here, with the ingestion key or the project key.
    Ingestion,
    /// The routes `/v1/projects/{project_id}/…` take the data plane key alone.
    DataPlane,
    /// All other routes take the project key alone.
    Project,
}

/// Returns whether a call carries a key that opens its area; any key does where none is set.
pub(crate) fn is_authorized(keys: &Keys, area: Area, headers: &HeaderMap) -> bool {
    if !keys.any_is_set() {
        return true;
    }
    let Some(sent) = bearer(headers) else {
        return false;
    };
    let opens = |key: &Option<ApiKey>| key.as_ref().is_some_and(|key| key.matches(&sent));
    match area {
        Area::Ingestion => opens(&keys.ingestion) || opens(&keys.project),
        Area::DataPlane => opens(&keys.data_plane),
        Area::Project => opens(&keys.project),
    }
}

/// Returns whether a request may see the pages and `/api`: on a loopback address every request may; elsewhere the
/// project key is needed, which a browser sends as the password that it asks for.
pub(crate) fn may_read(config: &Config, headers: &HeaderMap) -> bool {
    let opens = |sent: String| {
        let key = config.keys.project.as_ref();
        key.is_some_and(|key| key.matches(&sent))
    };
    config.loopback || bearer(headers).is_some_and(opens) || password(headers).is_some_and(opens)
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    credentials(headers, "bearer").map(str::to_owned)
}

fn password(headers: &HeaderMap) -> Option<String> {
    let decoded = BASE64.decode(credentials(headers, "basic")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':')
        .map(|(_, password)| password.to_owned())
}

fn credentials<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let sent = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (sent_scheme, credentials) = sent.split_once(' ')?;
    sent_scheme
        .eq_ignore_ascii_case(scheme)
        .then(|| credentials.trim())
}
