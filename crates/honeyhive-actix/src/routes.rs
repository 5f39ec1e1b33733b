//! A request gets the template of its route as its name. A middleware comes before routing, where actix-web tells the
//! first route whose pattern fits the path, whatever the method; after routing it tells the one that was taken.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;

/// A worker remembers this many paths at the most, whatever an application calls a route.
const MOST_PATHS: usize = 1024;

/// The routes are those of paths that are, or could be taken for, templates themselves, as far as requests have been
/// routed there: actix-web searches its table and makes a text of what it has found, on every request.
#[derive(Debug, Default)]
pub(crate) struct Routes(RefCell<BTreeMap<Box<str>, Templates>>);

/// A path has a template for each method.
type Templates = Vec<(Method, Box<str>)>;

impl Routes {
    /// Returns the route of a request, as far as it is known before routing.
    pub(crate) fn find<'r>(&self, request: &'r ServiceRequest) -> Option<Cow<'r, str>> {
        let path = request.path();
        if let Some(known) = self.0.borrow().get(path) {
            let mut known = known.iter();
            if let Some((_, template)) = known.find(|(method, _)| method == request.method()) {
                return Some(match &**template == path {
                    true => path.into(),
                    false => template.clone().into_string().into(),
                });
            }
        }
        request.match_pattern().map(Cow::Owned)
    }

    /// Returns the route of a request after routing, where it is another than the one taken before.
    #[inline]
    pub(crate) fn settled(&self, request: &HttpRequest, taken: &Taken) -> Option<String> {
        let template = match taken {
            Taken::Unknown => return None,
            // A path with a parameter is no template itself.
            Taken::Path if request.match_info().is_empty() => return None,
            Taken::Path => request.path(),
            Taken::Template(template) => template,
        };
        let settled = if made(request, template) {
            None
        } else {
            let settled = request.match_pattern();
            settled.filter(|settled| settled != template)
        };
        let path = request.path();
        let by_now = settled.as_deref().unwrap_or(template);
        if by_now == path || template == path {
            self.remember(path, request.method(), by_now);
        }
        settled
    }

    fn remember(&self, path: &str, method: &Method, template: &str) {
        let mut known = self.0.borrow_mut();
        if known.len() >= MOST_PATHS && !known.contains_key(path) {
            return;
        }
        let routes = known.entry(path.into()).or_default();
        routes.retain(|(other, _)| other != method);
        routes.push((method.clone(), template.into()));
    }
}

/// A request has such a name before it is routed.
#[derive(Debug, Default)]
pub(crate) enum Taken {
    /// The name was not taken yet, or no pattern fits.
    #[default]
    Unknown,
    /// The request's path is itself the template.
    Path,
    /// The path has another template.
    Template(String),
}

impl From<Option<Cow<'_, str>>> for Taken {
    fn from(route: Option<Cow<'_, str>>) -> Self {
        match route {
            None => Self::Unknown,
            Some(Cow::Borrowed(_)) => Self::Path,
            Some(Cow::Owned(template)) => Self::Template(template),
        }
    }
}

/// Returns whether the template, filled in with the parameters of the routing, is the path. False where that cannot be
/// decided cheaply.
fn made(request: &HttpRequest, template: &str) -> bool {
    let parameters = request.match_info();
    let mut path = request.path();
    let mut template = template;
    let mut filled = 0;
    while let Some((before, rest)) = template.split_once('{') {
        let Some((parameter, after)) = rest.split_once('}') else {
            return false;
        };
        let name = parameter
            .split_once(':')
            .map_or(parameter, |(name, _)| name);
        let value = parameters.get(name);
        let rest = path.strip_prefix(before);
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix(value?)) else {
            return false;
        };
        filled += 1;
        path = rest;
        template = after.strip_prefix('*').unwrap_or(after);
    }
    path == template && filled == parameters.iter().count()
}
