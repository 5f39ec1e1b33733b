//! The server's URL is checked before it is used.

use std::borrow::Cow;

use http::Uri;

use super::environment::{Environment, Setting};
use super::variables::API_URL;
use crate::error::BuildError;

const DEFAULT: &str = "https://api.dp1.us.honeyhive.ai";

/// Returns the URL that the routes are appended to: with its scheme in small letters, and without a slash at its end.
pub(super) fn server_url(
    explicit: Option<String>,
    env: Environment<'_>,
) -> Result<String, BuildError> {
    let Some(Setting { value, name }) = env.text(explicit, &API_URL)? else {
        return Ok(DEFAULT.to_owned());
    };
    let url = value.trim();
    match problem(url) {
        Some(problem) => Err(BuildError::InvalidUrl {
            setting: Cow::Borrowed(name),
            problem,
        }),
        None => Ok(with_small_scheme(url.trim_end_matches('/'))),
    }
}

/// Lowers the case of the scheme, by which TLS and the proxy are chosen.
fn with_small_scheme(url: &str) -> String {
    let (scheme, rest) = url.split_at(url.find(':').unwrap_or_default());
    scheme.to_ascii_lowercase() + rest
}

fn problem(url: &str) -> Option<&'static str> {
    let Ok(uri) = url.parse::<Uri>() else {
        return Some("it is no URL");
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Some("it does not begin with http:// or https://");
    }
    let host = uri.host().unwrap_or_default();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if host.is_empty() {
        return Some("it has no host");
    }
    if authority.contains('@') {
        return Some("it carries credentials");
    }
    if uri.query().is_some() || url.contains('#') {
        return Some("it has a query or a fragment");
    }
    let has = |name: &str| {
        uri.path()
            .split('/')
            .any(|part| part.eq_ignore_ascii_case(name))
    };
    if has("opentelemetry") {
        return Some("its path goes on with /opentelemetry, which is added to it: leave that out");
    }
    if has("v1") {
        return Some("its path goes on with /v1, which is added to it: leave that out");
    }
    if is_web_page(host) {
        return Some("it is HoneyHive's web page, and the API is at another host");
    }
    if authority.len() > host.len() && uri.port_u16().is_none_or(|port| port == 0) {
        return Some("what follows its host is no port");
    }
    let is_name = |part: &str| !part.is_empty() && !part.contains('*');
    if !host.trim_end_matches('.').split('.').all(is_name) {
        return Some("its host is no name");
    }
    let is_usable = is_usable_by_client(url);
    (!is_usable).then_some("the HTTP client cannot use it as a URL")
}

/// Returns whether a host is for people rather than programs: `app.honeyhive.ai`, `app.us.honeyhive.ai`, the site
/// itself. The API of a tenant is at `tenant.api.honeyhive.ai`.
fn is_web_page(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let Some(before) = host.strip_suffix("honeyhive.ai") else {
        return false;
    };
    let first = before.split('.').next().unwrap_or_default();
    ["", "app", "docs", "www"].contains(&first) && (before.is_empty() || before.ends_with('.'))
}

/// Parses the URL as the client does, which differs from `http` in some cases.
#[cfg(feature = "reqwest")]
fn is_usable_by_client(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| url.has_host())
}

#[cfg(not(feature = "reqwest"))]
const fn is_usable_by_client(_: &str) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_a_client_would_stumble_over_is_no_url() {
        for url in [
            "",
            "api.honeyhive.ai",
            "ftp://x",
            "https://",
            "https://:443",
            "https://user:pw@host",
            "https://host/?q=1",
            "https://host/#top",
            "https://host:99999",
            "https://host:",
            "https://host:port",
            "https://host:0",
            "https://.",
            "https://a..b",
            "https://*.example",
            "https://ho st",
            "https:///path",
            "\"https://host\"",
            "https://app.honeyhive.ai",
            "https://app.us.honeyhive.ai./",
            "https://honeyhive.ai",
            "https://host/opentelemetry/v1/traces",
        ] {
            assert!(problem(url).is_some(), "{url}");
        }
        for url in [
            "http://localhost:8080",
            "https://[::1]:8443",
            "https://host/behind/a/proxy",
            "http://10.0.0.1",
            "https://api.honeyhive.ai",
            "https://tenant.api.honeyhive.ai",
            "https://app.example",
            "https://myhoneyhive.ai",
        ] {
            assert_eq!(problem(url), None, "{url}");
        }
    }

    #[test]
    fn the_scheme_may_be_in_capitals_and_the_rest_stays() {
        let none = |_: &str| None;
        for (url, expected) in [
            ("HTTPS://Host/Hive/", "https://Host/Hive"),
            ("Http://[::1]:80", "http://[::1]:80"),
        ] {
            let url = server_url(Some(url.to_owned()), Environment(&none)).unwrap();
            assert_eq!(url, expected);
        }
    }

    #[cfg(feature = "reqwest")]
    #[test]
    fn what_only_the_client_finds_wrong_counts() {
        assert!("http://1.2.3.4.5".parse::<Uri>().is_ok());
        assert!(problem("http://1.2.3.4.5").is_some());
    }
}
