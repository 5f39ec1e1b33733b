//! [`Obstacle`] tells what to change where no answer comes.

use std::fmt;

use super::proxies::proxy_to;

/// An obstacle between a call and its answer is named by the change that removes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    NoTls,
    NoHttp,
    /// This variable names the proxy.
    NoProxy(&'static str),
    ClosedProxy(&'static str),
    SocksProxy(&'static str),
    NobodyListens,
    NoSuchHost,
    OtherHost,
    Expired,
    Untrusted,
}

impl Obstacle {
    /// Recognises the obstacle by an HTTP client's error text; `None` where the text does not tell.
    pub(crate) fn in_the_way_to(url: &str, detail: &str) -> Option<Self> {
        let proxy = proxy_to(url).ok().flatten();
        Self::of(url, detail, proxy.map(|(variable, _)| variable))
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
            if says(&["unsupported scheme socks"]) {
                return Some(Self::SocksProxy(variable));
            }
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
            Self::SocksProxy(variable) => {
                return write!(formatter, "the proxy of {variable} speaks SOCKS, which the HTTP client is built without: add the crate reqwest with its feature `socks` to the program, or name a proxy of HTTP");
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

#[cfg(test)]
mod tests {
    use super::*;

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
                "tunnel error: failed to create underlying connection: unsupported scheme socks5h",
                Some("HTTPS_PROXY"),
                "feature `socks`",
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
