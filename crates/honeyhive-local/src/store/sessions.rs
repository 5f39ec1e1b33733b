//! The sessions held, in the order they came.

use std::collections::{HashMap, VecDeque};

use crate::model::LocalSession;
use crate::store::merge;

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_id: HashMap<String, LocalSession>,
    /// Oldest first.
    order: VecDeque<String>,
    dropped: u64,
}

impl Sessions {
    /// A new session is kept as posted; of one that is known, only metadata and user properties
    /// are taken, whoever made it.
    pub(crate) fn post(&mut self, posted: LocalSession) -> LocalSession {
        let Some(known) = self.by_id.get_mut(&posted.session_id) else {
            self.insert(posted.clone());
            return posted;
        };
        known.posts += 1;
        merge(&mut known.metadata, posted.metadata);
        merge(&mut known.user_properties, posted.user_properties);
        if known.raw.is_null() {
            known.raw = posted.raw;
        }
        known.clone()
    }

    pub(crate) fn create_unless_known(&mut self, session: LocalSession) {
        if !self.contains(&session.session_id) {
            self.insert(session);
        }
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&LocalSession> {
        self.by_id.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut LocalSession> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &LocalSession> {
        self.order.iter().filter_map(|id| self.by_id.get(id))
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Drops the oldest session if there are more than `limit`, and names it.
    pub(crate) fn drop_beyond(&mut self, limit: usize) -> Option<String> {
        if self.order.len() <= limit {
            return None;
        }
        let oldest = self.order.pop_front()?;
        self.by_id.remove(&oldest);
        self.dropped += 1;
        Some(oldest)
    }

    fn insert(&mut self, session: LocalSession) {
        self.order.push_back(session.session_id.clone());
        self.by_id.insert(session.session_id.clone(), session);
    }
}
