//! The headers of `http` 1 take the form that the core reads.

use honeyhive::http::{
    Headers, RequestGuard, RequestHeaders, SESSION_ID_HEADER, ServerInstrumentation,
};
use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) struct View<'a>(pub(crate) &'a HeaderMap);

impl Headers for View<'_> {
    fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
        for (name, value) in self.0 {
            visit(name.as_str(), value.as_bytes());
        }
    }

    /// A request has few headers: to look at them all costs less than to hash three names, and less here than by
    /// way of `for_each`, where the comparison is not part of the loop.
    fn pick<'h>(&'h self, names: &RequestHeaders<'_>, visit: &mut dyn FnMut(usize, &'h [u8])) {
        for (name, value) in self.0 {
            if let Some(which) = names.position(name.as_str()) {
                visit(which, value.as_bytes());
            }
        }
    }
}

/// Returns the name of the header that carries the session's id. The usual one is static, so that its clones count
/// nothing.
pub(crate) fn session_id_header(instrumentation: &ServerInstrumentation) -> Option<HeaderName> {
    match instrumentation.session_id_header() {
        SESSION_ID_HEADER => Some(HeaderName::from_static(SESSION_ID_HEADER)),
        // The instrumentation has checked the name already.
        other => other.parse().ok(),
    }
}

/// Sets a header, unless the program has set it itself.
pub(crate) fn set_if_absent(headers: &mut HeaderMap, name: &HeaderName, guard: &RequestGuard) {
    let Some(Ok(value)) = guard.with_response_id(HeaderValue::from_str) else {
        return;
    };
    // Few programs set it, so theirs is put back: a look for it would cost every answer as much as the header itself.
    if let Ok(true) = headers.try_append(name, value) {
        take_last(headers, name);
    }
}

#[cold]
fn take_last(headers: &mut HeaderMap, name: &HeaderName) {
    if let Entry::Occupied(own) = headers.entry(name) {
        let (_, values) = own.remove_entry_mult();
        let mut values: Vec<_> = values.collect();
        values.pop();
        for value in values {
            headers.append(name, value);
        }
    }
}
