//! [`Obstacle`]: what to change where no answer comes.

use std::fmt;

/// The variables that name a proxy for `https://`, for `http://`, and for both.
const SECURE: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const PLAIN: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ANY: [&str; 2] = ["ALL_PROXY", "all_proxy"];
/// The hosts that are asked without one.
const NONE: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// An obstacle between a call and its answer, by the change that removes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    NoTls,
    NoHttp,
    /// The variable that names it.
    NoProxy(&'static str),
    ClosedProxy(&'static str),
    NobodyListens,
    NoSuchHost,
    OtherHost,
    Expired,
    Untrusted,
}

impl Obstacle {
    /// Recognises the obstacle by an HTTP client's error text; `None` where the text does not tell.
    pub(crate) fn in_the_way_to(url: &str, detail: &str) -> Option<Self> {
        Self::of(url, detail, proxy_to(url).map(|(variable, _)| variable))
    }

    fn of(url: &str, detail: &str, proxy: Option<&'static str>) -> Option<Self> {
        let detail = detail.to_ascii_lowercase();
        let says = |any: &[&str]| any.iter().any(|text| detail.contains(text));
        let is_tls = url.starts_with("https:");
        let no_tls = &[
            "invalidcontenttype",
            "corrupt message",
            "wrong version number",
        ];
        if is_tls && says(no_tls) {
            return Some(Self::NoTls);
        }
        if !is_tls && says(&["invalid http"]) {
            return Some(Self::NoHttp);
        }
        if let Some(variable) = proxy {
            if says(&["tunnel"]) {
                return Some(Self::ClosedProxy(variable));
            }
            if says(&["proxy", "connection refused"]) {
                return Some(Self::NoProxy(variable));
            }
        }
        let known: [(&[&str], Self); 5] = [
            (&["connection refused"], Self::NobodyListens),
            (&["dns error", "failed to lookup"], Self::NoSuchHost),
            (
                &["not valid for name", "notvalidforname", "hostname mismatch"],
                Self::OtherHost,
            ),
            (
                &[
                    "certificate expired",
                    "certificate not valid yet",
                    "has expired",
                ],
                Self::Expired,
            ),
            (
                &["unknownissuer", "self-signed", "self signed", "certificate"],
                Self::Untrusted,
            ),
        ];
        let found = known.into_iter().find(|(texts, _)| says(texts));
        found.map(|(_, obstacle)| obstacle)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoTls => "nobody speaks TLS there: write http:// in HH_API_URL, or the port that does",
            Self::NoHttp => "that is no answer of HTTP: is it https:// in HH_API_URL?",
            Self::ClosedProxy(variable) => {
                return write!(formatter, "the proxy of {variable} lets nothing through to it: it may want a login in its URL, or forbid that host; NO_PROXY names hosts that are reached without it");
            }
            Self::NoProxy(variable) => {
                return write!(formatter, "the proxy of {variable} may be down: check it, or name the host in NO_PROXY");
            }
            Self::NobodyListens => "nobody listens there: check the port in HH_API_URL",
            Self::NoSuchHost => "there is no such host: check HH_API_URL",
            Self::OtherHost => "its certificate is that of another host: check HH_API_URL, and who answers for that name here",
            Self::Expired => "its certificate is not valid at this time: is the clock of this machine right?",
            Self::Untrusted => "its certificate is not trusted here: give its authority with `.ca_certificate(..)` or SSL_CERT_FILE",
        })
    }
}

/// Explains why no answer came, and what to change where that can be told.
pub(super) fn explained(method: &str, url: &str, detail: &str) -> String {
    match Obstacle::in_the_way_to(url, detail) {
        Some(obstacle) => format!("{method} {url}: {detail}; {obstacle}"),
        None => format!("{method} {url}: {detail}"),
    }
}

/// The proxy on the way to a URL, as the HTTP client reads the environment, and the variable that names it.
pub(crate) fn proxy_to(url: &str) -> Option<(&'static str, String)> {
    proxy_of(url, |name| std::env::var(name).ok())
}

fn proxy_of(url: &str, value: impl Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
    let set = |name: &'static str| {
        let value = value(name)?.trim().to_owned();
        (!value.is_empty()).then_some((name, value))
    };
    let own = if url.starts_with("https:") {
        SECURE
    } else {
        PLAIN
    };
    let proxy = own.into_iter().chain(ANY).find_map(set)?;
    let host = url.parse::<http::Uri>().ok()?.host()?.to_ascii_lowercase();
    let is_left_out = |pattern: &str| {
        let pattern = pattern.trim().trim_start_matches('.').to_ascii_lowercase();
        let is_below = || {
            host.strip_suffix(&pattern)
                .is_some_and(|it| it.ends_with('.'))
        };
        pattern == "*" || pattern == host || (!pattern.is_empty() && is_below())
    };
    let (_, without) = NONE.into_iter().find_map(set).unwrap_or_default();
    (!without.split(',').any(is_left_out)).then_some(proxy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_the_one_that_is_on_the_way() {
        for (url, set, expected) in [
            ("https://a.b", vec![("HTTP_PROXY", "x")], None),
            (
                "https://a.b",
                vec![("https_proxy", "x"), ("ALL_PROXY", "y")],
                Some("https_proxy"),
            ),
            (
                "http://a.b",
                vec![("HTTPS_PROXY", "x"), ("ALL_PROXY", "y")],
                Some("ALL_PROXY"),
            ),
            ("http://a.b", vec![("HTTP_PROXY", " ")], None),
            (
                "http://a.b:1",
                vec![("HTTP_PROXY", "x"), ("NO_PROXY", "c, A.b")],
                None,
            ),
            (
                "http://a.b",
                vec![("HTTP_PROXY", "x"), ("no_proxy", ".b")],
                None,
            ),
            (
                "http://a.b",
                vec![("HTTP_PROXY", "x"), ("no_proxy", "*")],
                None,
            ),
            (
                "http://ab",
                vec![("HTTP_PROXY", "x"), ("NO_PROXY", "b,")],
                Some("HTTP_PROXY"),
            ),
        ] {
            let value = |name: &str| {
                let found = set.iter().find(|(set, _)| *set == name)?;
                Some(found.1.to_owned())
            };
            let found = proxy_of(url, value).map(|(variable, _)| variable);
            assert_eq!(found, expected, "{url} {set:?}");
        }
    }

    #[test]
    fn what_to_change_is_told_by_what_went_wrong() {
        let (plain, tls) = ("http://127.0.0.1:9", "https://127.0.0.1:9");
        for (url, detail, proxy, expected) in [
            (
                tls,
                "received corrupt message of type InvalidContentType",
                None,
                "write http://",
            ),
            (
                plain,
                "client error: invalid HTTP version parsed",
                None,
                "https://",
            ),
            (
                plain,
                "tcp connect error: Connection refused (os error 111)",
                None,
                "the port",
            ),
            (
                plain,
                "Connection refused",
                Some("HTTP_PROXY"),
                "the proxy of HTTP_PROXY",
            ),
            (
                tls,
                "tunnel error: unsuccessful",
                Some("ALL_PROXY"),
                "the proxy of ALL_PROXY",
            ),
            (
                tls,
                "dns error: failed to lookup address information",
                None,
                "no such host",
            ),
            (
                tls,
                "invalid peer certificate: UnknownIssuer",
                None,
                "`.ca_certificate(..)`",
            ),
            (
                tls,
                "invalid peer certificate: certificate not valid for name \"a.b\"",
                None,
                "another host",
            ),
            (
                tls,
                "invalid peer certificate: certificate expired: verification time 9 (UNIX)",
                None,
                "the clock",
            ),
        ] {
            let told = Obstacle::of(url, detail, proxy).map(|it| it.to_string());
            assert!(
                told.as_deref().is_some_and(|it| it.contains(expected)),
                "{detail}: {told:?}"
            );
        }
        assert_eq!(Obstacle::of(plain, "operation timed out", None), None);
    }
}
