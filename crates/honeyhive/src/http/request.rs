//! [`RequestInfo`] borrows a request.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use opentelemetry::propagation::Extractor;

use crate::model::id_text;
use crate::propagation::SessionInBaggage;

const BAGGAGE_HEADER: &str = "baggage";
const USER_ID_HEADER: &str = "x-user-id";
/// A propagator reads these headers, and a caller may send each in several lines.
const LISTS: [&str; 2] = [BAGGAGE_HEADER, "tracestate"];

/// The trait reads a set of headers or trailers. Frameworks use different versions of `http`, so the trait asks for
/// little, and each set is visited once.
pub trait Headers {
    /// Calls `visit` with every header's name, in lower case, and value; a header that comes twice is visited twice.
    fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8]));

    /// Calls `visit` with the values of the headers that every request is searched for, and their index in `names`. The
    /// names are always the [`ServerInstrumentation::request_headers`], so an adapter that converts them to its
    /// framework's names once can find them faster than by comparing text.
    ///
    /// [`ServerInstrumentation::request_headers`]: super::ServerInstrumentation::request_headers
    fn pick<'h>(&'h self, names: &RequestHeaders<'_>, visit: &mut dyn FnMut(usize, &'h [u8])) {
        self.for_each(&mut |name, value| {
            if let Some(which) = names.position(name) {
                visit(which, value);
            }
        });
    }
}

/// The names are those of the headers that every request is searched for, in lower case.
#[derive(Debug, Clone, Copy)]
pub struct RequestHeaders<'a> {
    names: [&'a str; 3],
    /// Each length has a bit, modulo 64.
    lengths: u64,
}

impl<'a> RequestHeaders<'a> {
    /// Returns the headers with a meaning, where one of them is named `session_id`.
    pub(super) const fn new(session_id: &'a str) -> Self {
        const fn length(name: &str) -> u64 {
            1 << (name.len() & 63)
        }
        Self {
            names: [session_id, BAGGAGE_HEADER, USER_ID_HEADER],
            lengths: length(session_id) | length(BAGGAGE_HEADER) | length(USER_ID_HEADER),
        }
    }

    /// Returns the names, in the order of [`Headers::pick`]'s indices.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        self.names.into_iter()
    }

    /// Returns the position of a name in lower case.
    #[must_use]
    #[inline]
    pub fn position(&self, name: &str) -> Option<usize> {
        // The length rules most headers out.
        let is_as_long = self.lengths & (1 << (name.len() & 63)) != 0;
        let position = || self.names.iter().position(|wanted| *wanted == name);
        is_as_long.then(position).flatten()
    }
}

/// The instrumentation and its callbacks see this part of a request.
///
/// ```
/// use honeyhive::http::{RequestInfo, ServerInstrumentation};
/// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
///
/// let instrumentation = ServerInstrumentation::builder(tracer)
///     .session_name(|request: &RequestInfo<'_>| format!("{} {}", request.method(), request.path()))
///     .build()?;
/// # drop(instrumentation);
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
pub struct RequestInfo<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a dyn Headers,
    find_route: Option<&'a dyn Fn() -> Option<Cow<'a, str>>>,
    route: OnceCell<Option<Cow<'a, str>>>,
    lists: OnceCell<Box<Lists<'a>>>,
}

/// The headers of [`LISTS`] are kept once they were read.
type Lists<'a> = [OnceCell<Option<Cow<'a, str>>>; LISTS.len()];

impl<'a> RequestInfo<'a> {
    /// Returns a request with its method and its path (without the query).
    #[must_use]
    #[inline]
    pub fn new(method: &'a str, path: &'a str, headers: &'a dyn Headers) -> Self {
        Self {
            method,
            path,
            headers,
            find_route: None,
            route: OnceCell::new(),
            lists: OnceCell::new(),
        }
    }

    /// Adds a way to find the route's template, `/chat/{id}`, where the framework knows it. The closure is called only
    /// when the route is needed: a framework may have to search for it.
    #[must_use]
    #[inline]
    pub fn with_route(mut self, find: &'a dyn Fn() -> Option<Cow<'a, str>>) -> Self {
        self.find_route = Some(find);
        self
    }

    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> &'a str {
        self.method
    }

    /// Returns the path, without the query.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// Returns the route's template.
    #[must_use]
    #[inline]
    pub fn route(&self) -> Option<&str> {
        self.route
            .get_or_init(|| self.find_route.and_then(|find| find()))
            .as_deref()
    }

    /// Returns the route's template, if it was needed so far.
    #[must_use]
    #[inline]
    pub fn into_route(self) -> Option<Cow<'a, str>> {
        self.route.into_inner().flatten()
    }

    /// Returns true where the framework has routes and none of them matches this request. A layer around the router,
    /// instead of inside it, comes before routing, so none of its requests has a route.
    #[must_use]
    pub fn is_unmatched(&self) -> bool {
        self.find_route.is_some() && self.route().is_none()
    }

    /// Returns the first value of a header (its name in lower case), if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = None;
        self.headers.for_each(&mut |candidate, value| {
            if found.is_none() && candidate == name {
                found = Some(value);
            }
        });
        std::str::from_utf8(found?).ok()
    }

    /// Returns the values of a header that may come in several lines, as the one list that they are.
    fn joined(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut joined: Option<Cow<'a, str>> = None;
        self.headers.for_each(&mut |candidate, value| {
            let Ok(value) = std::str::from_utf8(value) else {
                return;
            };
            if candidate == name {
                joined = Some(match joined.take() {
                    Some(before) => format!("{before},{value}").into(),
                    None => value.into(),
                });
            }
        });
        joined
    }

    /// Returns the headers that the instrumentation looks for.
    #[inline]
    pub(super) fn seen(&self, session_id_header: &str) -> Seen<'a> {
        let mut seen = Seen::default();
        let names = RequestHeaders::new(session_id_header);
        self.headers.pick(&names, &mut |which, value| match which {
            0 => seen.session_id.see(value),
            1 => seen.baggage.read(value),
            _ => _ = seen.user_id.get_or_insert(value),
        });
        seen
    }

    pub(super) fn owned_method(&self) -> Cow<'static, str> {
        match self.method {
            "GET" => "GET".into(),
            "POST" => "POST".into(),
            "PUT" => "PUT".into(),
            "DELETE" => "DELETE".into(),
            "PATCH" => "PATCH".into(),
            "HEAD" => "HEAD".into(),
            "OPTIONS" => "OPTIONS".into(),
            "CONNECT" => "CONNECT".into(),
            "TRACE" => "TRACE".into(),
            other => other.to_owned().into(),
        }
    }

    /// Returns whether a request is no conversation: `OPTIONS` and health checks.
    #[inline]
    pub(super) fn is_routine(&self) -> bool {
        // A match compares lengths first, all at once.
        let is_routine = matches!(
            self.path,
            "/health"
                | "/healthz"
                | "/livez"
                | "/readyz"
                | "/live"
                | "/ready"
                | "/liveness"
                | "/readiness"
                | "/ping"
                | "/metrics"
                | "/favicon.ico"
        );
        is_routine || self.method == "OPTIONS" || self.path.starts_with("/grpc.health.v1.Health/")
    }
}

impl Extractor for RequestInfo<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match LISTS.iter().position(|list| *list == key) {
            Some(list) => {
                let lists = self.lists.get_or_init(Box::default);
                lists[list].get_or_init(|| self.joined(key)).as_deref()
            }
            None => self.header(key),
        }
    }

    /// The list is empty, since propagators look up names that they know.
    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// The headers are those that mean something here.
#[derive(Debug, Default)]
pub(super) struct Seen<'a> {
    pub(super) session_id: Single<'a>,
    pub(super) baggage: SessionInBaggage<'a>,
    user_id: Option<&'a [u8]>,
}

impl<'a> Seen<'a> {
    #[inline]
    pub(super) fn user_id(&self) -> Option<&'a str> {
        std::str::from_utf8(self.user_id?)
            .ok()
            .filter(|id| id_text::is_plain(id))
    }
}

/// A header of this kind must not come twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Single<'a> {
    #[default]
    Absent,
    Text(&'a str),
    /// The header is no text, or comes several times.
    Unusable,
}

impl<'a> Single<'a> {
    fn see(&mut self, value: &'a [u8]) {
        *self = match (*self, std::str::from_utf8(value)) {
            (Self::Absent, Ok(text)) => Self::Text(text),
            _ => Self::Unusable,
        };
    }
}

impl fmt::Debug for RequestInfo<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers hold secrets, so they are not shown.
        formatter
            .debug_struct("RequestInfo")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("route", &self.route())
            .finish_non_exhaustive()
    }
}
