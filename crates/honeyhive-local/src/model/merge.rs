//! Enrichment is additive, so objects are merged at every depth.

use serde_json::Value;
use serde_json::map::Entry;

use super::Object;

/// Merges `new` into `old`: objects merge, any other value is replaced.
pub(crate) fn merge(old: &mut Object, new: Object) {
    for (key, value) in new {
        match old.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(entry) => merge_value(entry.into_mut(), value),
        }
    }
}

fn merge_value(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => merge(old, new),
        (old, new) => *old = new,
    }
}
