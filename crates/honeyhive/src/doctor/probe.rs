//! The probe is a small session with one span: the check is whether both arrive, and belong together.

use std::time::Duration;

use serde_json::{Value, json};

use super::asking::{Asker, described, pause};
use super::diagnosis::Diagnosis;
use super::lab::events;
use crate::attributes::PROBE;
use crate::model::id::SessionId;
use crate::outbox::Record;
use crate::session::NewSession;
use crate::tracer::HoneyHiveTracer;
use crate::wire::ApiFailure;

/// The delivery of the probe may take this long.
const DELIVERY: Duration = Duration::from_secs(10);
/// The probe is searched for this many times, a second apart.
const LOOKS: u32 = 10;

pub(super) async fn check(diagnosis: &mut Diagnosis, tracer: &HoneyHiveTracer, asker: &Asker<'_>) {
    let id = SessionId::new();
    // The probe tests whether the way is open, whatever the share of sessions that takes it.
    tracer.outbox().push(Record::Exempt(id));
    let new = NewSession::named(PROBE).id(id);
    let created = tracer.acreate_session(new.metadata(json!({"doctor": true})));
    let session = created.session();
    let id = id.to_string();
    diagnosis.session_id = Some(id.clone());
    if let Err(error) = created.await {
        return diagnosis.fail("session", format!("{id} was not taken: {error}"));
    }
    let span = session.in_scope(|| tracer.span(PROBE).start());
    let event = span.event_id().to_string();
    drop(span);
    session.outputs(json!({"done": true}));
    if let Err(error) = tracer.force_flush(DELIVERY).await {
        diagnosis.fail("delivery", format!("the probe was not delivered: {error}"));
    }
    look(diagnosis, asker, &id, &event).await;
}

async fn look(diagnosis: &mut Diagnosis, asker: &Asker<'_>, id: &str, event: &str) {
    for round in 1..=LOOKS {
        let found = match events(asker, "session_id", id).await {
            Ok(found) => found,
            Err(ApiFailure::MissingKey(_)) => {
                return diagnosis.skip(
                    "session",
                    format!("{id} was taken; nobody looked for it, since there is no project key"),
                );
            }
            Err(failure) => {
                return diagnosis.warn(
                    "session",
                    format!(
                        "{id} was taken, and could not be read ({})",
                        described(&failure)
                    ),
                );
            }
        };
        let has = |wanted: &str| found.iter().find(|it| it["event_id"] == wanted);
        match (has(id), has(event)) {
            (Some(_), Some(span)) => return together(diagnosis, id, span),
            (session, span) if round == LOOKS => {
                return missing(diagnosis, id, session.is_some(), span.is_some());
            }
            _ => pause().await,
        }
    }
}

fn together(diagnosis: &mut Diagnosis, id: &str, span: &Value) {
    diagnosis.pass("session", format!("{id} has arrived"));
    if span["session_id"] == id {
        diagnosis.pass("span", "it has arrived, in its session");
    } else {
        diagnosis.fail(
            "span",
            format!(
                "it has arrived in another session than its own: {}",
                span["session_id"]
            ),
        );
    }
}

fn missing(diagnosis: &mut Diagnosis, id: &str, session: bool, span: bool) {
    if session {
        diagnosis.pass("session", format!("{id} has arrived"));
    } else {
        diagnosis.fail("session", format!("{id} was taken, and is not to be found after {LOOKS} s: is the key one of the project that you look at?"));
    }
    if !span {
        diagnosis.fail("span", format!("it is not in its session after {LOOKS} s: does the route for traces reach HoneyHive (`/opentelemetry/v1/traces`)?"));
    }
}
