//! The tracer's own session begins when something first needs it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::SystemTime;

use super::handle::{Session, start_record};
use super::new_session::NewSession;
use crate::log::{CallSite, Once};
use crate::model::id::SessionId;
use crate::outbox::{Outbox, StartRecord};

/// The tracer's own session holds spans and enrichments outside every other session.
#[derive(Debug)]
pub(crate) struct StartupSession {
    outbox: Arc<Outbox>,
    name: String,
    id: Option<SessionId>,
    session: Mutex<Option<Session>>,
    /// The program first began the session on this thread.
    first_at: OnceLock<ThreadId>,
}

impl StartupSession {
    pub(crate) fn new(outbox: Arc<Outbox>, name: String, id: Option<SessionId>) -> Self {
        Self {
            outbox,
            name,
            id,
            session: Mutex::new(None),
            first_at: OnceLock::new(),
        }
    }

    /// Returns the session, begun now where there was none.
    pub(crate) fn get_or_start(&self) -> Session {
        self.get_or_insert(|| Session::begin(&self.outbox, self.new_session()))
    }

    /// Does the same as [`get_or_start`](Self::get_or_start) for the delivery thread, which finds a span without a
    /// session: a session that begins now hands its start to `begin` instead of queueing it.
    pub(crate) fn get_or_start_late(
        &self,
        started_at: SystemTime,
        begin: impl FnOnce(Arc<StartRecord>),
    ) -> Session {
        self.get_or_insert(|| {
            let start = start_record(self.new_session(), started_at);
            let session = Session::of(&self.outbox, start);
            begin(Arc::clone(&session.start));
            session
        })
    }

    fn get_or_insert(&self, begin: impl FnOnce() -> Session) -> Session {
        let mut is_new = false;
        let begin = || {
            is_new = true;
            begin()
        };
        let session = self.lock().get_or_insert_with(begin).clone();
        // The budget's hook is code of the program, so no lock is held.
        if is_new {
            session.becomes_own();
        }
        session
    }

    /// Returns true for the start of the tracer's own session.
    pub(crate) fn is_begun_by(&self, start: &StartRecord) -> bool {
        let session = self.lock();
        session.as_ref().is_some_and(|own| own.start.id == start.id)
    }

    fn new_session(&self) -> NewSession {
        NewSession {
            id: self.id,
            ..NewSession::named(self.name.clone())
        }
    }

    /// Begins a session and makes it the tracer's own.
    #[track_caller]
    pub(crate) fn replace(&self, mut new: NewSession) -> Session {
        self.outbox.strays().own_session_is_meant();
        self.warn_of_a_second(CallSite::here());
        new.name.get_or_insert_with(|| self.name.clone());
        new.id = new.id.or(self.id);
        let session = Session::begin(&self.outbox, new);
        *self.lock() = Some(session.clone());
        session.becomes_own();
        session
    }

    /// Warns of a second session of the tracer's own: a script may have one after the other; a server has them at the
    /// same time, and mixes them up.
    fn warn_of_a_second(&self, site: CallSite) {
        static TOLD: Once = Once::new();
        let here = thread::current().id();
        let first = *self.first_at.get_or_init(|| here);
        let has_one = self.lock().is_some();
        if has_one && (first != here || self.outbox.strays().are_sessions_open()) {
            TOLD.warn(format_args!(
                "`session_start` ({site}) was called again, and takes the place of the tracer's own session for the \
                 whole process, whatever runs beside it: a server begins a session a request, by its layer or with \
                 `create_session`; other units of work are `with_session`"
            ));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
