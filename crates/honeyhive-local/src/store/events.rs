//! The events held, in the order they came, and the ways to find them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::LocalEvent;

/// Trace id and span id.
type SpanKey = (String, String);

#[derive(Debug, Default)]
pub(crate) struct Events {
    held: BTreeMap<u64, Held>,
    by_span: HashMap<SpanKey, u64>,
    by_event_id: HashMap<String, u64>,
    by_session: HashMap<String, BTreeSet<u64>>,
    orphans: BTreeSet<u64>,
    next: u64,
    dropped: u64,
}

#[derive(Debug)]
struct Held {
    event: LocalEvent,
    orphan: bool,
}

impl Events {
    /// Takes an event; the same span coming again takes the place of the first.
    pub(crate) fn insert(&mut self, mut event: LocalEvent, orphan: bool) {
        let known = self.by_span.get(&span_key(&event)).copied();
        let place = known.unwrap_or(self.next);
        if let Some(earlier) = known.and_then(|place| self.remove(place)) {
            event.duplicates = earlier.duplicates + 1;
        } else {
            self.next += 1;
        }
        self.index(place, &event, orphan);
        self.held.insert(place, Held { event, orphan });
    }

    /// Drops the oldest until there are at most `limit`.
    pub(crate) fn keep(&mut self, limit: usize) {
        while self.held.len() > limit {
            let Some((&oldest, _)) = self.held.first_key_value() else {
                return;
            };
            self.remove(oldest);
            self.dropped += 1;
        }
    }

    pub(crate) fn drop_session(&mut self, session_id: &str) {
        for place in self.by_session.remove(session_id).unwrap_or_default() {
            self.remove(place);
            self.dropped += 1;
        }
    }

    pub(crate) fn get_mut(&mut self, event_id: &str) -> Option<&mut LocalEvent> {
        let place = self.by_event_id.get(event_id)?;
        self.held.get_mut(place).map(|held| &mut held.event)
    }

    pub(crate) fn of_session(&self, session_id: &str) -> Vec<LocalEvent> {
        let places = self.by_session.get(session_id);
        let held = places.into_iter().flatten();
        held.filter_map(|place| self.held.get(place))
            .map(|held| self.with_parent(&held.event))
            .collect()
    }

    pub(crate) fn orphans(&self) -> Vec<LocalEvent> {
        let held = self.orphans.iter();
        held.filter_map(|place| self.held.get(place))
            .map(|held| held.event.clone())
            .collect()
    }

    pub(crate) fn count_of(&self, session_id: &str) -> usize {
        self.by_session.get(session_id).map_or(0, BTreeSet::len)
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn orphan_count(&self) -> usize {
        self.orphans.len()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// A parent often arrives after its children, so it is looked up when somebody asks.
    fn with_parent(&self, event: &LocalEvent) -> LocalEvent {
        let parent = self.parent_of(event).unwrap_or(&event.session_id);
        LocalEvent {
            parent_id: Some(parent.clone()),
            ..event.clone()
        }
    }

    fn parent_of(&self, event: &LocalEvent) -> Option<&String> {
        let span_id = event.parent_span_id.clone()?;
        let place = self.by_span.get(&(event.trace_id.clone(), span_id))?;
        let parent = self.held.get(place).filter(|held| !held.orphan)?;
        (parent.event.session_id == event.session_id).then_some(&parent.event.event_id)
    }

    fn index(&mut self, place: u64, event: &LocalEvent, orphan: bool) {
        self.by_span.insert(span_key(event), place);
        self.by_event_id.insert(event.event_id.clone(), place);
        if orphan {
            self.orphans.insert(place);
            return;
        }
        let session = self.by_session.entry(event.session_id.clone());
        session.or_default().insert(place);
    }

    fn remove(&mut self, place: u64) -> Option<LocalEvent> {
        let Held { event, orphan } = self.held.remove(&place)?;
        self.by_span.remove(&span_key(&event));
        // Two spans can claim one event id; the index then names the later.
        if self.by_event_id.get(&event.event_id) == Some(&place) {
            self.by_event_id.remove(&event.event_id);
        }
        if orphan {
            self.orphans.remove(&place);
        } else {
            self.remove_from_session(&event.session_id, place);
        }
        Some(event)
    }

    fn remove_from_session(&mut self, session_id: &str, place: u64) {
        let Some(places) = self.by_session.get_mut(session_id) else {
            return;
        };
        places.remove(&place);
        if places.is_empty() {
            self.by_session.remove(session_id);
        }
    }
}

fn span_key(event: &LocalEvent) -> SpanKey {
    (event.trace_id.clone(), event.span_id.clone())
}
