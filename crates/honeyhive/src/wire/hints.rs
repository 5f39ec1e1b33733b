//! What to change where no answer comes.

/// The variables that name a proxy.
const PROXIES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Why no answer came, with what was asked, and what to change where that can be told.
pub(super) fn explained(method: &str, url: &str, detail: &str) -> String {
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let proxy = PROXIES.into_iter().find(|name| is_set(name));
    match hint(url, detail, proxy) {
        Some(hint) => format!("{method} {url}: {detail}; {hint}"),
        None => format!("{method} {url}: {detail}"),
    }
}

fn hint(url: &str, detail: &str, proxy: Option<&str>) -> Option<String> {
    let detail = detail.to_ascii_lowercase();
    let says = |any: &[&str]| any.iter().any(|text| detail.contains(text));
    let is_tls = url.starts_with("https:");
    let fixed = if is_tls
        && says(&[
            "invalidcontenttype",
            "corrupt message",
            "wrong version number",
        ]) {
        "nobody speaks TLS there: write http:// in HH_API_URL, or the port that does"
    } else if !is_tls && says(&["invalid http version", "invalid http"]) {
        "that is no answer of HTTP: is it https:// in HH_API_URL?"
    } else if let (Some(proxy), true) = (proxy, says(&["tunnel", "proxy", "connection refused"])) {
        return Some(format!(
            "the proxy of {proxy} may be down: check it, or name the host in NO_PROXY"
        ));
    } else if says(&["connection refused"]) {
        "nobody listens there: check the port in HH_API_URL"
    } else if says(&["dns error", "failed to lookup"]) {
        "there is no such host: check HH_API_URL"
    } else if says(&["unknownissuer", "self-signed", "self signed", "certificate"]) {
        "its certificate is not trusted here: give its authority with `.ca_certificate(..)` or SSL_CERT_FILE"
    } else {
        return None;
    };
    Some(fixed.to_owned())
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
        ] {
            let hint = hint(url, detail, proxy);
            assert!(
                hint.as_deref().is_some_and(|it| it.contains(expected)),
                "{detail}: {hint:?}"
            );
        }
        assert_eq!(hint(plain, "operation timed out", None), None);
    }
}
