//! Headers of actix-web, as the core asks for them.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use honeyhive::SessionId;
use honeyhive::http::Headers;

pub(crate) struct View<'a>(pub(crate) &'a HeaderMap);

impl Headers for View<'_> {
    fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
        for (name, value) in self.0 {
            visit(name.as_str(), value.as_bytes());
        }
    }
}

/// Sets a header, unless the program has set it itself.
pub(crate) fn set_if_absent(headers: &mut HeaderMap, name: &HeaderName, id: SessionId) {
    if !headers.contains_key(name)
        && let Ok(value) = HeaderValue::from_str(id.encode(&mut [0; SessionId::LENGTH]))
    {
        headers.insert(name.clone(), value);
    }
}
