//! [`Hosts`] decide where the session goes along.

use std::borrow::Cow;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::Injector;

use crate::session::Session;

/// `Hosts` lists the hosts to which an HTTP client sends the session along (feature `http-client`).
///
/// A host that is not listed gets nothing: a session's id and the baggage do not concern a provider of models.
///
/// ```
/// use honeyhive::Hosts;
///
/// let hosts = Hosts::new(["search.local", "*.internal", "localhost:8080"]);
/// assert!(hosts.contain("search.local", None) && hosts.contain("Search.local", Some(443)));
/// assert!(hosts.contain("users.internal", None) && !hosts.contain("internal", None));
/// assert!(hosts.contain("localhost", Some(8080)) && !hosts.contain("localhost", Some(9090)));
/// assert!(!hosts.contain("search.local.example.com", None));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<Cow<'static, str>>);

impl Hosts {
    /// Returns a set of hosts: `name`, `name:port`, or `*.name` for all below a name.
    #[must_use]
    pub fn new<H: Into<Cow<'static, str>>>(hosts: impl IntoIterator<Item = H>) -> Self {
        Self(hosts.into_iter().map(Into::into).collect())
    }

    /// Returns true for a host of the set.
    #[must_use]
    pub fn contain(&self, host: &str, port: Option<u16>) -> bool {
        self.0.iter().any(|pattern| is_meant(pattern, host, port))
    }

    /// Writes the current session and span into the headers of a request to one of these hosts, as
    /// [`Session::inject`] does. Headers that are there already stay.
    ///
    /// A host that is listed without a port is meant with any port.
    pub fn inject(&self, host: &str, port: Option<u16>, headers: &mut HeaderMap) {
        if self.contain(host, port) {
            Self::inject_anywhere(headers);
        }
    }

    /// Writes the current session and span into the headers of a request to a service that you trust with them.
    pub fn inject_anywhere(headers: &mut HeaderMap) {
        if let Some(session) = Session::current() {
            session.inject(&mut Absent(headers));
        }
    }
}

fn is_meant(pattern: &str, host: &str, port: Option<u16>) -> bool {
    let (name, wanted) = match pattern.rsplit_once(':') {
        Some((name, digits)) if digits.parse::<u16>().is_ok() => (name, digits.parse().ok()),
        _ => (pattern, None),
    };
    if wanted.is_some() && wanted != port {
        return false;
    }
    let Some(below) = name.strip_prefix('*') else {
        return host.eq_ignore_ascii_case(name);
    };
    let tail = host
        .len()
        .checked_sub(below.len())
        .and_then(|at| host.get(at..));
    host.len() > below.len() && tail.is_some_and(|tail| tail.eq_ignore_ascii_case(below))
}

/// The injector sets only headers that the program has not set itself.
struct Absent<'a>(&'a mut HeaderMap);

impl Injector for Absent<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::from_bytes(key.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            self.0.entry(name).or_insert(value);
        }
    }
}
