//! Headers of actix-web, as the core asks for them.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use honeyhive::http::{Headers, RequestGuard, RequestHeaders, ServerInstrumentation};

pub(crate) struct View<'a>(pub(crate) &'a HeaderMap);

impl Headers for View<'_> {
    fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
        walk(self.0, visit);
    }
}

fn walk<'h>(headers: &'h HeaderMap, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
    for (name, value) in headers {
        visit(name.as_str(), value.as_bytes());
    }
}

/// Names of headers, as actix-web finds them without reading their text first.
#[derive(Debug)]
pub(crate) struct Names(Vec<HeaderName>);

impl Names {
    pub(crate) fn of(instrumentation: &ServerInstrumentation) -> Self {
        let names = instrumentation.request_headers();
        // The instrumentation has checked the names already.
        Self(names.iter().flat_map(|name| name.parse()).collect())
    }
}

/// The headers of a request.
pub(crate) struct RequestView<'a>(pub(crate) &'a HeaderMap, pub(crate) &'a Names);

impl Headers for RequestView<'_> {
    fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
        walk(self.0, visit);
    }

    fn pick<'h>(&'h self, _: &RequestHeaders<'_>, visit: &mut dyn FnMut(usize, &'h [u8])) {
        for (which, name) in self.1.0.iter().enumerate() {
            self.0
                .get_all(name)
                .for_each(|value| visit(which, value.as_bytes()));
        }
    }
}

/// Sets a header, unless the program has set it itself.
pub(crate) fn set_if_absent(headers: &mut HeaderMap, name: &HeaderName, guard: &RequestGuard) {
    if !headers.contains_key(name)
        && let Some(value) = guard.header_value()
        && let Ok(value) = HeaderValue::from_maybe_shared(value)
    {
        headers.insert(name.clone(), value);
    }
}
