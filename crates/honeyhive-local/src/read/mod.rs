//! The read side: what the server holds, as JSON and as plain pages.

mod api;
mod html;
mod page;

use std::net::IpAddr;

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue};
use http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::uri::Authority;
use http::{HeaderMap, StatusCode};

use crate::config::Config;
use crate::exchange::is_authorized;
use crate::reply::Reply;
use crate::route::ReadRoute;
use crate::shared::Shared;

/// No scripts, nothing from elsewhere, no frames, no forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// Answers a call of the read side.
pub(crate) fn answer(shared: &Shared, headers: &HeaderMap, route: &ReadRoute) -> Reply {
    let refused = refusal(&shared.config, headers);
    let mut reply = refused.unwrap_or_else(|| shown(shared, route));
    reply.headers.extend(HEADERS);
    reply
}

/// Whoever reaches a loopback address may read, except through a name that is none of this
/// machine's: that is a web page rebinding its own name. Elsewhere it takes the key, if one is set.
fn refusal(config: &Config, headers: &HeaderMap) -> Option<Reply> {
    if config.loopback && !names_this_machine(headers) {
        let message = "ask for localhost or 127.0.0.1: other names are not served here";
        return Some(Reply::refusal(StatusCode::FORBIDDEN, message));
    }
    if !config.loopback && !is_authorized(config, headers) {
        let message = "this takes the API key: send `Authorization: Bearer <key>`";
        return Some(Reply::refusal(StatusCode::UNAUTHORIZED, message));
    }
    None
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).map(HeaderValue::as_bytes);
    let authority = host.and_then(|host| Authority::try_from(host).ok());
    authority.is_some_and(|authority| {
        let host = authority.host().trim_matches(['[', ']']);
        let ip: Option<IpAddr> = host.parse().ok();
        host.eq_ignore_ascii_case("localhost") || ip.is_some_and(|ip| ip.is_loopback())
    })
}

fn shown(shared: &Shared, route: &ReadRoute) -> Reply {
    match route {
        ReadRoute::Page => page::sessions(shared),
        ReadRoute::Style => page::style(),
        ReadRoute::SessionPage(id) => page::session(shared, id),
        ReadRoute::Sessions => api::sessions(shared),
        ReadRoute::Session(id) => api::session(shared, id),
        ReadRoute::Requests => api::requests(shared),
        ReadRoute::Orphans => api::orphans(shared),
        ReadRoute::Clear => api::clear(shared),
    }
}

/// A client may have sent the key in a body; it is not shown even then.
fn without_key(config: &Config, text: String) -> String {
    match &config.api_key {
        Some(key) => key.removed_from(text),
        None => text,
    }
}
