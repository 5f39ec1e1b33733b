//! The process-wide default tracer has a test program of its own, since the other tests want none.

use honeyhive::{HoneyHiveTracer, testing};

#[honeyhive::trace(event_type = "tool")]
fn work(step: u32) -> u32 {
    step
}

#[test]
fn the_default_tracer_records_what_is_in_no_session_and_can_be_replaced() {
    let (first, first_captured) = testing::tracer();
    let (second, second_captured) = testing::tracer();

    work(0); // no tracer yet
    assert!(HoneyHiveTracer::set_default(first.clone()).is_none());
    work(1);
    assert!(HoneyHiveTracer::set_default(second).is_some());
    work(2);
    first.create_session("chat").in_scope(|| work(3)); // the session's tracer comes first

    let steps = |captured: &testing::Captured| -> Vec<_> {
        let sessions = captured.sessions();
        let events = sessions.iter().flat_map(|session| &session.events);
        let mut steps: Vec<_> = events
            .filter_map(|event| event.text("honeyhive_inputs.step"))
            .collect();
        steps.sort();
        steps
    };
    assert_eq!(steps(&first_captured), ["1", "3"]);
    assert_eq!(steps(&second_captured), ["2"]);
}
