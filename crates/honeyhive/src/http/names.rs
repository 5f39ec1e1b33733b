//! Session names, shared: there are few routes and many requests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::RequestInfo;

/// More routes than this are named anew each time, so that memory stays bounded whatever a framework
/// calls a route.
const MOST_ROUTES: usize = 1024;

// A few comparisons cost less than hashing the route.
type Names = BTreeMap<Box<str>, Vec<(Box<str>, Arc<str>)>>;

thread_local! {
    static NAMES: RefCell<Names> = RefCell::default();
}

/// `POST /chat/{id}`: the method and the route's template, else the path.
pub(super) fn default_name(request: &RequestInfo<'_>) -> Arc<str> {
    match request.route() {
        Some(route) => NAMES.with_borrow_mut(|names| shared(names, request.method(), route)),
        None => joined(request.method(), request.path()),
    }
}

fn shared(names: &mut Names, method: &str, route: &str) -> Arc<str> {
    if let Some(known) = names.get(route)
        && let Some((_, name)) = known.iter().find(|(known, _)| **known == *method)
    {
        return Arc::clone(name);
    }
    let name = joined(method, route);
    if names.len() < MOST_ROUTES {
        let known = names.entry(route.into()).or_default();
        // A client can invent methods, too.
        if known.len() < 16 {
            known.push((method.into(), Arc::clone(&name)));
        }
    }
    name
}

fn joined(method: &str, route: &str) -> Arc<str> {
    format!("{method} {route}").into()
}
