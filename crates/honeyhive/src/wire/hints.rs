//! What to change where no answer comes.

/// The variables that name a proxy for `https://`, for `http://`, and for both.
const SECURE: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const PLAIN: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ANY: [&str; 2] = ["ALL_PROXY", "all_proxy"];
/// The hosts that are asked without one.
const NONE: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Why no answer came, with what was asked, and what to change where that can be told.
pub(super) fn explained(method: &str, url: &str, detail: &str) -> String {
    let proxy = proxy_of(url, |name| std::env::var(name).ok());
    match hint(url, detail, proxy) {
        Some(hint) => format!("{method} {url}: {detail}; {hint}"),
        None => format!("{method} {url}: {detail}"),
    }
}

/// The variable that names the proxy on the way to a URL.
fn proxy_of(url: &str, value: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    let set = |name: &str| value(name).filter(|it| !it.trim().is_empty());
    let own = if url.starts_with("https:") {
        SECURE
    } else {
        PLAIN
    };
    let proxy = own
        .into_iter()
        .chain(ANY)
        .find(|name| set(name).is_some())?;
    let host = url.parse::<http::Uri>().ok()?.host()?.to_ascii_lowercase();
    let is_left_out = |pattern: &str| {
        let pattern = pattern.trim().trim_start_matches('.').to_ascii_lowercase();
        let is_below = || {
            host.strip_suffix(&pattern)
                .is_some_and(|it| it.ends_with('.'))
        };
        pattern == "*" || pattern == host || (!pattern.is_empty() && is_below())
    };
    let without = NONE.into_iter().find_map(set).unwrap_or_default();
    (!without.split(',').any(is_left_out)).then_some(proxy)
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
            assert_eq!(proxy_of(url, value), expected, "{url} {set:?}");
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
