//! A request, borrowed: [`RequestInfo`].

use std::borrow::Cow;
use std::fmt;

use opentelemetry::propagation::Extractor;

/// Headers or trailers, by name. Frameworks stand on different versions of `http`, so this is all that is
/// asked of them.
pub trait Headers {
    /// The value number `index`, from 0, of the header `name` (in lower case).
    fn nth(&self, name: &str, index: usize) -> Option<&[u8]>;
}

/// What the instrumentation and its callbacks see of a request.
#[derive(Clone, Copy)]
pub struct RequestInfo<'a> {
    method: &'a str,
    path: &'a str,
    route: Option<&'a str>,
    headers: &'a dyn Headers,
}

impl<'a> RequestInfo<'a> {
    /// A request with its method and its path (without the query).
    #[must_use]
    pub fn new(method: &'a str, path: &'a str, headers: &'a dyn Headers) -> Self {
        Self {
            method,
            path,
            route: None,
            headers,
        }
    }

    /// With the route's template, where the framework knows it: `/chat/{id}`.
    #[must_use]
    pub const fn with_route(mut self, route: Option<&'a str>) -> Self {
        self.route = route;
        self
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> &'a str {
        self.method
    }

    /// The path, without the query.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// The route's template.
    #[must_use]
    pub const fn route(&self) -> Option<&'a str> {
        self.route
    }

    /// The first value of a header (its name in lower case), where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        std::str::from_utf8(self.headers.nth(name, 0)?).ok()
    }

    /// The only value of a header: what is there, and is it usable?
    pub(super) fn single(&self, name: &str) -> Single<'a> {
        match (self.headers.nth(name, 0), self.headers.nth(name, 1)) {
            (None, _) => Single::Absent,
            (Some(value), None) => {
                std::str::from_utf8(value).map_or(Single::Unusable, Single::Text)
            }
            (Some(_), Some(_)) => Single::Unusable,
        }
    }

    pub(super) fn owned_method(&self) -> Cow<'static, str> {
        const KNOWN: [&str; 9] = [
            "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE",
        ];
        KNOWN
            .iter()
            .find(|known| **known == self.method)
            .map_or_else(|| self.method.to_owned().into(), |known| (*known).into())
    }

    /// True for what is nobody's conversation: `OPTIONS` and health checks.
    pub(super) fn is_routine(&self) -> bool {
        const ROUTINE: [&str; 11] = [
            "/health",
            "/healthz",
            "/livez",
            "/readyz",
            "/live",
            "/ready",
            "/liveness",
            "/readiness",
            "/ping",
            "/metrics",
            "/favicon.ico",
        ];
        self.method == "OPTIONS"
            || ROUTINE.contains(&self.path)
            || self.path.starts_with("/grpc.health.v1.Health/")
    }
}

impl Extractor for RequestInfo<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.header(key)
    }

    /// Propagators ask for what they know by name.
    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// A header that must not come twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Single<'a> {
    Absent,
    Text(&'a str),
    /// No text, or several.
    Unusable,
}

impl fmt::Debug for RequestInfo<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers hold secrets.
        formatter
            .debug_struct("RequestInfo")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}
