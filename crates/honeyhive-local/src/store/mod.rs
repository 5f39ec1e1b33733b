//! What the server holds, in memory and within limits.

mod events;
mod merge;
mod pending;
mod requests;
mod sessions;
mod tree;

use crate::config::{Limits, UnknownUpdates};
use crate::model::{LocalEvent, LocalSession, LocalStats};
use crate::otlp::Arrival;
use crate::rest::Update;

pub(crate) use events::Events;
pub(crate) use merge::merge;
use pending::Pending;
pub(crate) use requests::Requests;
pub(crate) use sessions::Sessions;
pub(crate) use tree::{text as tree_text, walk as walk_tree};

/// Sessions, events and requests.
#[derive(Debug)]
pub(crate) struct Store {
    sessions: Sessions,
    events: Events,
    pending: Pending,
    pub(crate) requests: Requests,
    limits: Limits,
}

impl Store {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            sessions: Sessions::default(),
            events: Events::default(),
            pending: Pending::default(),
            requests: Requests::new(limits),
            limits,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.sessions = Sessions::default();
        self.events = Events::default();
        self.pending = Pending::default();
        self.requests.clear();
    }

    /// Takes a posted session; returns the session as it is now.
    pub(crate) fn post(&mut self, session: LocalSession) -> LocalSession {
        let posted = self.sessions.post(session);
        self.catch_up(&posted.session_id);
        let posted = self
            .sessions
            .get(&posted.session_id)
            .cloned()
            .unwrap_or(posted);
        self.make_room_for_sessions();
        posted
    }

    /// Updates the session or event of this id; says whether the update is taken.
    pub(crate) fn update(&mut self, id: &str, update: Update, policy: UnknownUpdates) -> bool {
        let id = canonical_id(id);
        let Err(update) = self.update_known(&id, update) else {
            return true;
        };
        if policy == UnknownUpdates::Keep {
            self.pending.keep(id, update);
        }
        policy != UnknownUpdates::Refuse
    }

    /// Applies an update where its target is known, and hands it back where it is not.
    fn update_known(&mut self, id: &str, update: Update) -> Result<(), Update> {
        if let Some(session) = self.sessions.get_mut(id) {
            update.apply_to_session(session);
            return Ok(());
        }
        match self.events.get_mut(id) {
            Some(event) => update.apply_to_event(event),
            None => return Err(update),
        }
        Ok(())
    }

    /// Applies the updates that came before their target.
    fn catch_up(&mut self, id: &str) {
        for update in self.pending.take(id) {
            // The target has just arrived.
            let _ = self.update_known(id, update);
        }
    }

    /// Takes a span: into its session, into the session it asks for, or among the orphans.
    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        let Arrival { event, auto_create } = arrival;
        if let Some(session) = auto_create {
            let id = session.session_id.clone();
            self.sessions.create_unless_known(session);
            self.catch_up(&id);
            self.make_room_for_sessions();
        }
        let orphan = !self.sessions.contains(&event.session_id);
        let id = event.event_id.clone();
        self.events.insert(event, orphan);
        self.catch_up(&id);
        self.events.keep(self.limits.events);
    }

    pub(crate) fn sessions(&self) -> Vec<LocalSession> {
        let held = self.sessions.iter();
        held.map(|session| self.counted(session)).collect()
    }

    pub(crate) fn session(&self, id: &str) -> Option<LocalSession> {
        let session = self.sessions.get(&canonical_id(id))?;
        Some(self.counted(session))
    }

    pub(crate) fn events(&self, session_id: &str) -> Vec<LocalEvent> {
        self.events.of_session(&canonical_id(session_id))
    }

    pub(crate) fn orphans(&self) -> Vec<LocalEvent> {
        self.events.orphans()
    }

    pub(crate) fn stats(&self) -> LocalStats {
        let orphans = self.events.orphan_count();
        LocalStats {
            sessions: self.sessions.len(),
            events: self.events.len() - orphans,
            orphans,
            requests: self.requests.total(),
            under_way: self.requests.under_way(),
            most_under_way: self.requests.most_under_way(),
            dropped_sessions: self.sessions.dropped(),
            dropped_events: self.events.dropped(),
            dropped_requests: self.requests.dropped(),
        }
    }

    fn counted(&self, session: &LocalSession) -> LocalSession {
        LocalSession {
            event_count: self.events.count_of(&session.session_id),
            ..session.clone()
        }
    }

    fn make_room_for_sessions(&mut self) {
        while let Some(dropped) = self.sessions.drop_beyond(self.limits.sessions) {
            self.events.drop_session(&dropped);
        }
    }
}

/// `id` in lower case when it is a hyphenated UUID, and otherwise as it came: what HoneyHive makes
/// of other session ids on spans is not documented.
pub(crate) fn canonical_id(id: &str) -> String {
    parse_uuid(id).unwrap_or_else(|| id.to_owned())
}

/// The hyphenated UUID that `text` is, in lower case.
pub(crate) fn parse_uuid(text: &str) -> Option<String> {
    const HYPHENATED: usize = 36;
    let uuid = uuid::Uuid::try_parse(text).ok()?;
    (text.len() == HYPHENATED).then(|| uuid.to_string())
}
