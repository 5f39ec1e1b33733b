//! [`Object`] and [`Bucket`] hold an event's contents, with how they merge and how much memory they take.

use serde_json::{Map, Value};

/// An object is JSON's.
pub(crate) type Object = Map<String, Value>;

/// A HoneyHive event has seven buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bucket {
    Metadata,
    Metrics,
    Feedback,
    Inputs,
    Outputs,
    Config,
    UserProperties,
}

impl Bucket {
    pub(crate) const ALL: [Self; 7] = [
        Self::Metadata,
        Self::Metrics,
        Self::Feedback,
        Self::Inputs,
        Self::Outputs,
        Self::Config,
        Self::UserProperties,
    ];

    /// Returns the name of the bucket in REST bodies.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Metrics => "metrics",
            Self::Feedback => "feedback",
            Self::Inputs => "inputs",
            Self::Outputs => "outputs",
            Self::Config => "config",
            Self::UserProperties => "user_properties",
        }
    }

    /// Returns the prefix of the bucket's attributes on a span.
    pub(crate) const fn attribute_prefix(self) -> &'static str {
        match self {
            Self::Metadata => "honeyhive_metadata",
            Self::Metrics => "honeyhive_metrics",
            Self::Feedback => "honeyhive_feedback",
            Self::Inputs => "honeyhive_inputs",
            Self::Outputs => "honeyhive_outputs",
            Self::Config => "honeyhive_config",
            Self::UserProperties => "honeyhive_user_properties",
        }
    }
}

/// Merges `newer` into `older`: objects deeply, everything else by the last write.
pub(crate) fn merge(older: &mut Object, newer: Object) {
    if older.is_empty() {
        *older = newer;
        return;
    }
    for (key, value) in newer {
        match (older.get_mut(&key), value) {
            (Some(Value::Object(mine)), Value::Object(theirs)) => merge(mine, theirs),
            (Some(mine), theirs) => *mine = theirs,
            (None, theirs) => drop(older.insert(key, theirs)),
        }
    }
}

/// An allocation costs this much besides its bytes.
pub(crate) const ALLOCATION: usize = 16;

/// Returns the bytes of memory that an object holds: a tree, whose nodes have room for eleven entries each and hold
/// five or more, unless there is only one.
#[inline]
pub(crate) fn object_bytes(object: &Object) -> usize {
    if object.is_empty() {
        return 0;
    }
    entries_bytes(object)
}

fn entries_bytes(object: &Object) -> usize {
    const NODE: usize = 11 * (size_of::<String>() + size_of::<Value>()) + ALLOCATION;
    let entries = object
        .iter()
        .map(|(key, value)| key.len() + ALLOCATION + value_bytes(value));
    object.len().div_ceil(8) * NODE + entries.sum::<usize>()
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len() + ALLOCATION,
        Value::Array(items) => items
            .iter()
            .map(|item| size_of::<Value>() + value_bytes(item))
            .sum(),
        Value::Object(object) => object_bytes(object),
    }
}
