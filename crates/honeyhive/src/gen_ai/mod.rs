//! Messages and tool calls of the GenAI conventions are put where HoneyHive shows them.
//!
//! The conventions keep them as JSON text, in a form that has changed from version to version; HoneyHive's
//! chat view reads `inputs.chat_history` and `outputs.role`, `.content`, `.tool_calls`. What the conventions say
//! stays beside it, and what the program has said itself is never replaced.

mod around;
mod binary;
mod content;
mod events;
mod flat;
mod lenient;
mod message;
mod part;
mod python;
mod shape;
mod sources;
#[cfg(test)]
mod tests;
mod usage;

use std::collections::HashSet;

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;

pub(crate) use content::hide;
pub(crate) use usage::{is_usage, number, said_tokens, shorten_vectors};

use crate::attributes::MAX_ATTRIBUTES;
use crate::model::flatten::{at_most, flatten, key_below};
use crate::model::object::Bucket;
use sources::Sources;

/// Returns whether a span has attributes of the conventions, as few have.
pub(crate) fn is_told(span: &SpanData) -> bool {
    sources::is_told(&span.attributes, &span.events.events)
}

/// Adds the inputs and outputs by the conventions, as far as the span has room.
pub(crate) fn place(span: &mut SpanData) {
    let attributes = &mut span.attributes;
    usage::place(attributes);
    let sources = Sources::of(attributes, &span.events.events);
    for (bucket, found) in [
        (Bucket::Inputs, sources.inputs()),
        (Bucket::Outputs, sources.outputs()),
    ] {
        let said = names_in(bucket, attributes);
        for (name, value) in found {
            if said.contains(&name) || attributes.len() > MAX_ATTRIBUTES {
                continue;
            }
            let key = key_below(bucket.attribute_prefix(), &name);
            // One attribute past the limit makes it visible, so that it is marked.
            let room = (MAX_ATTRIBUTES + 1).saturating_sub(attributes.len());
            let _ = flatten(key, value, &mut at_most(room, |it| attributes.push(it)));
        }
    }
}

/// Returns the keys that the program has set in a bucket: the first part of each of its keys.
fn names_in(bucket: Bucket, attributes: &[KeyValue]) -> HashSet<String> {
    let prefix = bucket.attribute_prefix();
    let names = attributes.iter().filter_map(|attribute| {
        let rest = attribute.key.as_str().strip_prefix(prefix)?;
        rest.strip_prefix('.')?.split('.').next()
    });
    names.map(str::to_owned).collect()
}
