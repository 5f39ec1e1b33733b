//! The [`Lane`] knows which calls of a session or an event it holds.

use std::sync::Arc;

use super::Lane;
use super::entries::{Entry, Number};
use crate::delivery::sealed::Target;
use crate::model::id::SessionId;
use crate::outbox::StartRecord;

impl Lane {
    /// Returns the REST calls of a session that are in memory.
    fn in_memory(&self, id: SessionId) -> impl Iterator<Item = (Number, &Entry)> {
        let keys = self.index.of_id(id).filter(|key| key.is_in_memory);
        keys.filter_map(|key| Some((key.number, self.entries.at(key)?)))
    }

    /// Returns true while a REST call of this session is in memory.
    pub(in crate::delivery) fn holds(&self, id: SessionId) -> bool {
        self.in_memory(id).next().is_some()
    }

    /// Returns true while the start of this session is in memory.
    pub(in crate::delivery) fn holds_start(&self, id: SessionId) -> bool {
        self.in_memory(id)
            .any(|(_, it)| matches!(it.call.target, Target::Start(_)))
    }

    /// Returns true while spans are in the lane that may create this session or event.
    pub(in crate::delivery) fn may_create(&self, id: SessionId) -> bool {
        let mut spans = self.index.spans().filter_map(|key| self.entries.at(key));
        spans.any(|it| may_create(it, id))
    }

    /// Returns true while spans in memory are in the lane that may create this session or event.
    pub(in crate::delivery) fn may_create_from_memory(&self, id: SessionId) -> bool {
        let in_memory = self.index.spans().filter(|key| key.is_in_memory);
        let mut spans = in_memory.filter_map(|key| self.entries.at(key));
        spans.any(|it| may_create(it, id))
    }

    /// Returns the starts that are in memory.
    pub(in crate::delivery) fn starts(&self) -> impl Iterator<Item = &Arc<StartRecord>> {
        let calls = self.entries.all().map(|it| &it.call);
        calls.filter_map(|call| call.start.as_ref())
    }

    /// Returns the updates of a session that wait in memory.
    pub(in crate::delivery) fn updates_that_wait(&self, id: SessionId) -> Vec<Number> {
        let waiting = self.in_memory(id).filter(|(_, it)| it.is_waiting());
        let updates = waiting.filter(|(_, it)| it.call.target.is_update());
        updates.map(|(number, _)| number).collect()
    }
}

fn may_create(spans: &Entry, id: SessionId) -> bool {
    let about = spans.call.about.as_ref();
    spans.outcome.is_none() && about.is_none_or(|about| about.may_create(id))
}
