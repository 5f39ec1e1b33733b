//! The tracer's own session, begun when something first needs it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::{NewSession, Session};
use crate::id::SessionId;
use crate::outbox::{Outbox, Record};

/// What spans and enrichments outside every session belong to.
#[derive(Debug)]
pub(crate) struct StartupSession {
    outbox: Arc<Outbox>,
    name: String,
    id: Option<SessionId>,
    session: Mutex<Option<Session>>,
}

impl StartupSession {
    pub(crate) fn new(outbox: Arc<Outbox>, name: String, id: Option<SessionId>) -> Self {
        Self {
            outbox,
            name,
            id,
            session: Mutex::new(None),
        }
    }

    /// The session, begun now where there was none.
    pub(crate) fn get_or_start(&self) -> Session {
        self.lock()
            .get_or_insert_with(|| Session::begin(&self.outbox, self.new_session()))
            .clone()
    }

    /// As [`get_or_start`](Self::get_or_start), for a span that was recorded before the tracer was shut
    /// down and finds itself without a session while the rest is being delivered.
    pub(crate) fn get_or_start_late(&self, started_at: SystemTime) -> Session {
        self.lock()
            .get_or_insert_with(|| {
                let start = super::start_record(self.new_session(), started_at);
                let session = Session::of(&self.outbox, start);
                self.outbox
                    .push_late(Record::Start(Arc::clone(&session.start)));
                session
            })
            .clone()
    }

    fn new_session(&self) -> NewSession {
        NewSession {
            id: self.id,
            ..NewSession::named(self.name.clone())
        }
    }

    /// Begins a session and makes it the tracer's own.
    pub(crate) fn replace(&self, mut new: NewSession) -> Session {
        new.name.get_or_insert_with(|| self.name.clone());
        new.id = new.id.or(self.id);
        let session = Session::begin(&self.outbox, new);
        *self.lock() = Some(session.clone());
        session
    }

    fn lock(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
