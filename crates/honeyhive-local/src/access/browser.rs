//! The guard refuses web pages that reach this server under a name of its own or from another origin.

use std::net::IpAddr;

use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode};

use crate::config::Config;
use crate::reply::Reply;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Content types that no form and no plain cross-origin request can send.
const DELIBERATE: [&str; 2] = ["application/json", "application/x-protobuf"];

/// Returns the reason for which a request is refused, whatever it asks for.
pub(crate) fn refusal(config: &Config, head: &Parts) -> Option<Reply> {
    let headers = &head.headers;
    if config.loopback && !names_this_server(config, headers) {
        let message = "ask for localhost or 127.0.0.1: other names are not served here";
        return Some(Reply::refusal(StatusCode::FORBIDDEN, message));
    }
    if is_foreign(headers) || (is_cross_site(headers) && !is_visit(head)) {
        let message = "pages of another origin may not use this server";
        return Some(Reply::refusal(StatusCode::FORBIDDEN, message));
    }
    if headers.contains_key(ORIGIN) && writes(&head.method) && !is_deliberate(headers) {
        let message = "from a browser the content type must be application/json";
        return Some(Reply::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    None
}

/// Returns false for a name that is none of this machine's: a web page has bound its own name to this address.
fn names_this_server(config: &Config, headers: &HeaderMap) -> bool {
    authority(headers).is_some_and(|authority| {
        let host = authority.host().trim_matches(['[', ']']);
        let ip: Option<IpAddr> = host.parse().ok();
        let mut allowed = config.hosts.iter();
        host.eq_ignore_ascii_case("localhost")
            || ip.is_some_and(|ip| ip.to_canonical().is_loopback())
            || allowed.any(|name| name.eq_ignore_ascii_case(host))
    })
}

fn authority(headers: &HeaderMap) -> Option<Authority> {
    Authority::try_from(headers.get(HOST)?.as_bytes()).ok()
}

/// Returns whether a page of another origin sent the request.
fn is_foreign(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let origin = origin.to_str().unwrap_or_default();
    let (_, sent_from) = origin.split_once("://").unwrap_or_default();
    let asked = headers.get(HOST).and_then(|host| host.to_str().ok());
    !asked.is_some_and(|host| host.eq_ignore_ascii_case(sent_from))
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    says(headers, &SITE, "cross-site")
}

/// Returns whether the request follows a link on another site; the page of the link cannot read the answer.
fn is_visit(head: &Parts) -> bool {
    head.method == Method::GET
        && says(&head.headers, &MODE, "navigate")
        && says(&head.headers, &DESTINATION, "document")
}

fn writes(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

fn is_deliberate(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let kind = kind.unwrap_or_default().split(|&byte| byte == b';').next();
    let kind = kind.unwrap_or_default().trim_ascii();
    let mut deliberate = DELIBERATE.iter();
    deliberate.any(|name| kind.eq_ignore_ascii_case(name.as_bytes()))
}

fn says(headers: &HeaderMap, name: &HeaderName, value: &str) -> bool {
    headers.get(name).is_some_and(|sent| sent == value)
}
