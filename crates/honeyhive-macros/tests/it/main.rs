//! `#[honeyhive::trace]` records calls, and must not change behaviour.

mod functions;
mod futures;
mod recording;
mod streams;
mod unchanged;

use honeyhive::testing::{self, Captured, CapturedEvent};
use honeyhive::{HoneyHiveTracer, Session};

/// Returns a tracer, what it records, and a session to be in.
fn session() -> (HoneyHiveTracer, Captured, Session) {
    let (tracer, captured) = testing::tracer();
    let session = tracer.create_session("session");
    (tracer, captured, session)
}

/// Returns the one event that `work` leaves in a session.
#[track_caller]
fn event_of(work: impl FnOnce()) -> CapturedEvent {
    let (_tracer, captured, session) = session();
    session.in_scope(work);
    let mut events = captured.only_session().events;
    assert_eq!(events.len(), 1, "expected one event, got {events:#?}");
    events.remove(0)
}

/// Returns the input of this name, as text.
fn input(event: &CapturedEvent, name: &str) -> Option<String> {
    event.text(&format!("honeyhive_inputs.{name}"))
}

/// Returns the output, as text.
fn output(event: &CapturedEvent) -> Option<String> {
    event.text("honeyhive_outputs.result")
}
