//! Handlers get the session of their request here, or a disabled one.

use std::sync::OnceLock;

use crate::context;
use crate::log::Once;
use crate::session::{Session, current, suppression};
use crate::tracer::HoneyHiveTracer;

/// Returns the session of the request that is being handled here, as the adapters' optional extractors do.
///
/// The result is `None` outside the handling of a traced request. In a task that was spawned without [`Session::spawn`]
/// the session is lost, as it is for spans.
#[must_use]
pub fn current_session() -> Option<Session> {
    context::map(|cx| current::of_request(cx).cloned()).flatten()
}

/// Returns the session of the request that is being handled here, else one that records nothing, as the adapters'
/// extractors do: a layer that is missing never changes an answer.
///
/// The log says once why a session records nothing, unless its tracer is a disabled one, which has said so itself.
#[must_use]
pub fn current_session_or_disabled() -> Session {
    current_session().unwrap_or_else(|| {
        warn_of_missing();
        disabled()
    })
}

/// Returns a new disabled session each time, since requests must not share their data.
fn disabled() -> Session {
    static NOBODY: OnceLock<HoneyHiveTracer> = OnceLock::new();
    let tracer = NOBODY.get_or_init(HoneyHiveTracer::disabled);
    tracer.create_session("outside every HoneyHive layer")
}

fn warn_of_missing() {
    static NO_LAYER: Once = Once::new();
    static LEFT_OUT: Once = Once::new();
    match suppression::here() {
        None => NO_LAYER.lost(
            "a handler asked for `CurrentSession` outside every HoneyHive layer or middleware, so what it records goes \
             nowhere: put its route inside (in axum, `.layer(HoneyHiveLayer::new(tracer))` comes after the routes)",
        ),
        Some(tracer) if tracer.is_nobody() => {}
        Some(_) => LEFT_OUT.lost(
            "a handler asked for `CurrentSession` in a request that the HoneyHive layer leaves out (`OPTIONS`, health \
             checks, `.filter(..)`, `.skip(..)`), so what it records goes nowhere: `is_recording()` tells the handler",
        ),
    }
}
