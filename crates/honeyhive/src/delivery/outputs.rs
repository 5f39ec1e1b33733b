//! [`Outputs`] remember the outputs that this process has sent for sessions and events.
//!
//! HoneyHive's update of an event replaces its outputs, so each update carries all that was said so far.

use super::insertion_order::InsertionOrder;
use crate::delivery::maps::IdMap;
use crate::model::id::SessionId;
use crate::model::limits;
use crate::model::object::{Object, merge};

/// The memory is bounded. Beyond the bounds, the outputs that were not added to for the longest time are forgotten: a
/// later update of that session carries, and so leaves, only the outputs added from then on.
const MOST_ENTRIES: usize = 16_384;
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// An entry takes this many bytes besides its text.
const ENTRY_BYTES: usize = 128;

/// The outputs that were sent are kept as text, by session or event: most are a status code that nobody adds to.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    earlier: IdMap<SessionId, Earlier>,
    /// The outputs that were not added to for the longest time are forgotten first.
    order: InsertionOrder,
    bytes: usize,
}

#[derive(Debug)]
struct Earlier {
    stamp: u64,
    text: Box<[u8]>,
}

impl Earlier {
    const fn bytes(&self) -> usize {
        self.text.len() + ENTRY_BYTES
    }

    fn read(self) -> Object {
        serde_json::from_slice(&self.text).unwrap_or_default()
    }
}

impl Outputs {
    /// Remembers new outputs, and returns them with the earlier ones of the same session or event.
    pub(crate) fn with_earlier(&mut self, id: SessionId, new: Object) -> Object {
        if new.is_empty() {
            return new;
        }
        let mut all = self.forget(id).map_or_else(Object::new, Earlier::read);
        merge(&mut all, new);
        limits::fit_objects([&mut all]);
        self.remember(id, &all);
        all
    }

    fn forget(&mut self, id: SessionId) -> Option<Earlier> {
        let earlier = self.earlier.remove(&id)?;
        self.bytes -= earlier.bytes();
        Some(earlier)
    }

    fn remember(&mut self, id: SessionId, all: &Object) {
        let Ok(text) = serde_json::to_vec(all) else {
            return;
        };
        let earlier = Earlier {
            stamp: self.order.push(id),
            text: text.into(),
        };
        self.bytes += earlier.bytes();
        self.earlier.insert(id, earlier);
        while self.earlier.len() > MOST_ENTRIES || self.bytes > MOST_BYTES {
            self.forget_oldest();
        }
        let earlier = &self.earlier;
        self.order.tidy(earlier.len(), |stamp, id| {
            earlier.get(&id).is_some_and(|it| it.stamp == stamp)
        });
    }

    fn forget_oldest(&mut self) {
        if let Some((stamp, id)) = self.order.pop()
            && self.earlier.get(&id).is_some_and(|it| it.stamp == stamp)
        {
            self.forget(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(value: Value) -> Object {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn each_update_carries_all_that_was_said() {
        let (mut outputs, id) = (Outputs::default(), SessionId::new());
        outputs.with_earlier(id, object(json!({"reply": "42", "usage": {"in": 1}})));
        let all = outputs.with_earlier(id, object(json!({"status": 200, "usage": {"out": 2}})));
        let expected = json!({"reply": "42", "status": 200, "usage": {"in": 1, "out": 2}});
        assert_eq!(Value::Object(all), expected);
    }

    #[test]
    fn an_update_without_outputs_says_nothing_of_them() {
        let (mut outputs, id) = (Outputs::default(), SessionId::new());
        outputs.with_earlier(id, object(json!({"reply": "42"})));
        assert!(outputs.with_earlier(id, Object::new()).is_empty());
    }

    #[test]
    fn the_memory_is_bounded_in_entries_and_in_bytes() {
        let mut outputs = Outputs::default();
        let first = SessionId::new();
        outputs.with_earlier(first, object(json!({"first": true})));
        for _ in 0..MOST_ENTRIES {
            outputs.with_earlier(SessionId::new(), object(json!({"status_code": 200})));
        }
        assert_eq!(outputs.earlier.len(), MOST_ENTRIES);
        assert_eq!(
            outputs.with_earlier(first, object(json!({"a": 1}))).len(),
            1
        );
        let long = "x".repeat(200 * 1024);
        for _ in 0..100 {
            outputs.with_earlier(SessionId::new(), object(json!({"long": long.clone()})));
            assert!(outputs.bytes <= MOST_BYTES);
        }
    }

    #[test]
    fn one_that_is_added_to_all_the_time_costs_one_entry() {
        let (mut outputs, id) = (Outputs::default(), SessionId::new());
        for step in 0..10_000 {
            outputs.with_earlier(id, object(json!({"step": step})));
        }
        assert!(outputs.order.iter().count() < 2_000);
        assert_eq!(outputs.earlier.len(), 1);
    }
}
