//! [`linking`]: the ways to say which session it is.

use honeyhive::{HoneyHiveTracer, NewSession, Session, SessionId, json};

/// The sessions' ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Linked {
    /// The random id of a new session.
    pub automatic: SessionId,
    /// The id that `thread_42` is mapped to.
    pub custom: SessionId,
    /// The same as `custom`: a turn that came later.
    pub existing: SessionId,
}

/// An automatic id, an id of one's own, and a session that exists.
pub fn linking(tracer: &HoneyHiveTracer) -> Linked {
    let automatic = tracer.create_session("request");
    turn(&automatic, "hello");

    // HoneyHive wants UUIDs. Text that is none becomes one, the same in every service.
    let custom = tracer.create_session(NewSession::named("conversation").id("thread_42"));
    turn(&custom, "I like tea");

    // Somewhere else, later: nothing is started, the session is there.
    let again = NewSession::default().id("thread_42").skip_api_call(true);
    let existing = tracer.create_session(again); // `NewSession::existing("thread_42")` is short for it
    turn(&existing, "and cake");

    Linked {
        automatic: automatic.id(),
        custom: custom.id(),
        existing: existing.id(),
    }
}

fn turn(session: &Session, message: &str) {
    let answer = session.in_scope(|| answer(message));
    session.outputs(json!({ "answer": answer }));
}

#[honeyhive::trace(event_type = "chain")]
fn answer(message: &str) -> String {
    format!("you said {message:?}")
}
