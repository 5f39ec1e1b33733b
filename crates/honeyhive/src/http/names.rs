//! Session names and paths are shared: there are few routes and many requests.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use super::RequestInfo;

/// The names of this many routes are kept at the most, so that memory stays bounded whatever a framework calls a route.
const MOST_ROUTES: usize = 1024;
/// A client can invent methods, too.
const MOST_METHODS: usize = 16;

/// A request has a method, a name and a path.
pub(super) struct Named {
    pub(super) method: Cow<'static, str>,
    pub(super) name: Arc<str>,
    pub(super) path: Arc<str>,
}

/// A route is known by its template, with the names of the methods that came.
struct Route {
    template: Arc<str>,
    names: Vec<(Cow<'static, str>, Arc<str>)>,
}

/// The known routes are in the order of their templates: a few comparisons cost less than hashing one.
type Routes = Vec<Route>;

thread_local! {
    static ROUTES: RefCell<Routes> = const { RefCell::new(Routes::new()) };
}

/// Returns a name such as `POST /chat/{id}`: the method and the route's template, else the path.
#[inline]
pub(super) fn by_route(request: &RequestInfo<'_>) -> Named {
    match request.route() {
        Some(route) => ROUTES
            .try_with(|routes| shared(&mut routes.borrow_mut(), route, request))
            // The thread is ending.
            .unwrap_or_else(|_| given(joined(request.method(), route), request)),
        None => given(joined(request.method(), request.path()), request),
    }
}

/// Returns the name that a callback of the program has chosen.
pub(super) fn given(name: String, request: &RequestInfo<'_>) -> Named {
    Named {
        method: request.owned_method(),
        name: name.into(),
        path: request.path().into(),
    }
}

#[inline]
fn shared(routes: &mut Routes, template: &str, request: &RequestInfo<'_>) -> Named {
    let place = match routes.binary_search_by(|route| (*route.template).cmp(template)) {
        Ok(at) => return routes[at].named(request),
        Err(place) => place,
    };
    let mut route = Route {
        template: template.into(),
        names: Vec::new(),
    };
    let named = route.named(request);
    if routes.len() < MOST_ROUTES {
        routes.insert(place, route);
    }
    named
}

impl Route {
    #[inline]
    fn named(&mut self, request: &RequestInfo<'_>) -> Named {
        let path = self.path(request.path());
        let mut known = self.names.iter();
        let (method, name) = match known.find(|(method, _)| *method == request.method()) {
            Some((method, name)) => (method.clone(), Arc::clone(name)),
            None => self.name(request),
        };
        Named { method, name, path }
    }

    #[cold]
    fn name(&mut self, request: &RequestInfo<'_>) -> (Cow<'static, str>, Arc<str>) {
        let method = request.owned_method();
        let name: Arc<str> = joined(&method, &self.template).into();
        if self.names.len() < MOST_METHODS {
            self.names.push((method.clone(), Arc::clone(&name)));
        }
        (method, name)
    }

    /// Returns the path of a request, which is the template itself where a route has no parameters, as most have none.
    #[inline]
    fn path(&self, path: &str) -> Arc<str> {
        if *self.template == *path {
            Arc::clone(&self.template)
        } else {
            path.into()
        }
    }
}

fn joined(method: &str, route: &str) -> String {
    format!("{method} {route}")
}
