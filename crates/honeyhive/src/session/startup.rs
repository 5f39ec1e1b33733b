//! The tracer's own session, begun when something first needs it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::{NewSession, Session};
use crate::id::SessionId;
use crate::outbox::Outbox;

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
    pub(crate) fn get_or_start(&self, started_at: SystemTime) -> Session {
        self.lock()
            .get_or_insert_with(|| {
                let new = NewSession {
                    id: self.id,
                    ..NewSession::named(self.name.clone())
                };
                Session::begin_at(&self.outbox, new, started_at)
            })
            .clone()
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
