//! The headers of actix-web take the form that the core reads.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use honeyhive::HeadersMut;
use honeyhive::http::{
    Headers, RequestGuard, RequestHeaders, SESSION_ID_HEADER, ServerInstrumentation,
};

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

/// The names of headers have actix-web's own type, which it finds without parsing.
#[derive(Debug)]
pub(crate) struct Names(Vec<HeaderName>);

impl Names {
    pub(crate) fn of(instrumentation: &ServerInstrumentation) -> Self {
        let names = instrumentation.request_headers();
        // The instrumentation has checked the names already.
        Self(names.iter().flat_map(|name| name.parse()).collect())
    }
}

/// The view lets the core read the headers of a request.
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
    // The program's own header is put back after the insert, since few programs set it: a look before it would hash the
    // name twice for every answer.
    let mut own = headers.insert(name.clone(), value);
    if let Some(first) = own.next() {
        headers.insert(name.clone(), first);
        own.for_each(|value| headers.append(name.clone(), value));
    }
}

/// The carrier is the headers of actix-web, for [`Session::inject`](honeyhive::Session::inject).
#[derive(Debug)]
pub enum ByActix {}

impl HeadersMut<ByActix> for HeaderMap {
    fn set_header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.insert(HeaderName::from_static(name), value);
        }
    }
}
