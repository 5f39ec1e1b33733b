//! [`linking`] shows how to say which session it is.

use honeyhive::{HoneyHiveTracer, NewSession, Session, SessionId, json};

/// `Linked` has the sessions' ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Linked {
    /// The random id of a new session.
    pub automatic: SessionId,
    /// The id that `thread_42` is mapped to.
    pub custom: SessionId,
    /// The id of the same session, in a turn that came later.
    pub existing: SessionId,
}

/// Begins a session with an automatic id, one with an id of its own, and joins one that exists.
pub fn linking(tracer: &HoneyHiveTracer) -> Linked {
    let automatic = tracer.create_session("request");
    turn(&automatic, "hello");

    // HoneyHive wants UUIDs. Any other text is mapped to one, the same in every service.
    let custom = tracer.create_session(NewSession::named("conversation").id("thread_42"));
    turn(&custom, "I like tea");

    // The session is there already when a turn comes later, so nothing is started.
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
