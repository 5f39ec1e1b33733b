//! Headers of `http` 1, as the core asks for them.

use honeyhive::SessionId;
use honeyhive::http::{Headers, RequestHeaders, header_value};
use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) struct View<'a>(pub(crate) &'a HeaderMap);

impl Headers for View<'_> {
    fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
        for (name, value) in self.0 {
            visit(name.as_str(), value.as_bytes());
        }
    }

    /// Here, and not by way of `for_each`, the comparison is part of the loop; a request's few names are compared
    /// faster than three are hashed.
    fn pick<'h>(&'h self, names: &RequestHeaders<'_>, visit: &mut dyn FnMut(usize, &'h [u8])) {
        for (name, value) in self.0 {
            let name = name.as_str();
            if let Some(which) = names.iter().position(|wanted| *wanted == name) {
                visit(which, value.as_bytes());
            }
        }
    }
}

/// Sets a header, unless the program has set it itself.
pub(crate) fn set_if_absent(headers: &mut HeaderMap, name: &HeaderName, id: SessionId) {
    if let Entry::Vacant(entry) = headers.entry(name)
        && let Ok(value) = HeaderValue::from_maybe_shared(header_value(id))
    {
        entry.insert(value);
    }
}
