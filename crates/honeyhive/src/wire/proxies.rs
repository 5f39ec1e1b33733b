//! [`proxy_to`] finds the proxy on the way, as the HTTP client finds it in the environment.

use std::net::IpAddr;

use http::Uri;

/// These variables name a proxy for `https://`, for `http://`, and for both.
const SECURE: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const PLAIN: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ANY: [&str; 2] = ["ALL_PROXY", "all_proxy"];
/// These variables name the hosts that are asked without a proxy.
const NONE: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The pair is the variable that names the proxy, and the proxy's URL.
type Named = (&'static str, Uri);

/// Returns the proxy on the way to a URL; `None` where none is named for it.
///
/// # Errors
///
/// The error is the variable whose text is no URL of a proxy: the HTTP client then makes do without one.
pub(crate) fn proxy_to(url: &str) -> Result<Option<Named>, &'static str> {
    proxy_of(url, |name| std::env::var(name).ok())
}

fn proxy_of(
    url: &str,
    value: impl Fn(&str) -> Option<String>,
) -> Result<Option<Named>, &'static str> {
    let set = |names: [&'static str; 2]| names.into_iter().find_map(|it| Some((it, value(it)?)));
    let host = url.parse::<Uri>().ok();
    let host = host.as_ref().and_then(Uri::host).unwrap_or_default();
    let (_, without) = set(NONE).unwrap_or_default();
    if without.split(',').any(|it| leaves_out(it.trim(), host)) {
        return Ok(None);
    }
    let own = if url.starts_with("https:") {
        SECURE
    } else {
        PLAIN
    };
    let mut unusable = None;
    for (variable, text) in [own, ANY].into_iter().filter_map(set) {
        match usable(&text) {
            Some(proxy) => return Ok(Some((variable, proxy))),
            None if text.trim().is_empty() => {}
            None => unusable = unusable.or(Some(variable)),
        }
    }
    unusable.map_or(Ok(None), Err)
}

/// Returns the URL of a proxy that the HTTP client can use. A text without a scheme is the address of an HTTP proxy.
fn usable(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let is_known = matches!(
        uri.scheme_str(),
        None | Some("http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h")
    );
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    (is_known && has_host).then_some(uri)
}

/// Returns whether an entry of `NO_PROXY` is about a host: an address or a network, a domain with those below it, or
/// `*`.
fn leaves_out(entry: &str, host: &str) -> bool {
    if let Ok(address) = host.trim_matches(['[', ']']).parse() {
        return is_within(address, entry);
    }
    let domain = entry.trim_start_matches('.').to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    let is_below = || {
        let above = host.strip_suffix(&domain);
        !domain.is_empty() && above.is_some_and(|it| it.ends_with('.'))
    };
    entry == "*" || domain == host || is_below()
}

/// Returns whether an address is this one, or in this network (`10.0.0.0/8`).
fn is_within(address: IpAddr, network: &str) -> bool {
    let (base, bits) = network.split_once('/').unwrap_or((network, "128"));
    let (Ok(base), Ok(bits)) = (base.parse(), bits.parse::<u32>()) else {
        return false;
    };
    let differ = match (address, base) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => return false,
    };
    let length = if address.is_ipv4() { 32 } else { 128 };
    differ >= bits.min(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_the_one_that_is_on_the_way() {
        let none = Ok(None);
        for (url, set, expected) in [
            ("https://a.b", &[("HTTP_PROXY", "x")][..], none),
            (
                "https://a.b",
                &[("https_proxy", "x"), ("ALL_PROXY", "y")],
                Ok(Some("https_proxy")),
            ),
            (
                "http://a.b",
                &[("HTTPS_PROXY", "x"), ("ALL_PROXY", "y")],
                Ok(Some("ALL_PROXY")),
            ),
            ("http://a.b", &[("HTTP_PROXY", " ")], none),
            (
                "http://a.b:1",
                &[("HTTP_PROXY", "x"), ("NO_PROXY", "c, A.b")],
                none,
            ),
            (
                "http://a.b",
                &[("HTTP_PROXY", "x"), ("no_proxy", ".b")],
                none,
            ),
            (
                "http://a.b",
                &[("HTTP_PROXY", "x"), ("no_proxy", "*")],
                none,
            ),
            (
                "http://ab",
                &[("HTTP_PROXY", "x"), ("NO_PROXY", "b,")],
                Ok(Some("HTTP_PROXY")),
            ),
            // Addresses are left out by address and by network.
            (
                "http://10.1.2.3:1",
                &[("HTTP_PROXY", "x"), ("NO_PROXY", "10.0.0.0/8")],
                none,
            ),
            (
                "http://11.1.2.3",
                &[("HTTP_PROXY", "x"), ("NO_PROXY", "10.0.0.0/8,3,*")],
                Ok(Some("HTTP_PROXY")),
            ),
            (
                "http://[::1]:7777",
                &[("HTTP_PROXY", "x"), ("NO_PROXY", "127.0.0.1,::1")],
                none,
            ),
            // A text that the client cannot use is as good as none, and is told.
            (
                "https://a.b",
                &[("HTTPS_PROXY", "http://proxy:31 28")],
                Err("HTTPS_PROXY"),
            ),
            (
                "https://a.b",
                &[("ALL_PROXY", "ftp://proxy")],
                Err("ALL_PROXY"),
            ),
            (
                "https://a.b",
                &[("HTTPS_PROXY", "/proxy")],
                Err("HTTPS_PROXY"),
            ),
            (
                "https://a.b",
                &[("HTTPS_PROXY", "://"), ("ALL_PROXY", "y")],
                Ok(Some("ALL_PROXY")),
            ),
            (
                "https://a.b",
                &[("HTTPS_PROXY", "://"), ("NO_PROXY", "a.b")],
                none,
            ),
        ] {
            let value = |name: &str| {
                let found = set.iter().find(|(set, _)| *set == name)?;
                Some(found.1.to_owned())
            };
            let found = proxy_of(url, value).map(|found| found.map(|(variable, _)| variable));
            assert_eq!(found, expected, "{url} {set:?}");
        }
    }
}
