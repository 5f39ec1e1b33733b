//! A span's attributes have a meaning to HoneyHive: each belongs to a bucket, under a key.
//!
//! The program's own words (`honeyhive_*`) are never replaced. The conventions of other libraries (GenAI in its
//! old and new forms, OpenInference, Traceloop, Langfuse) are read into the same few fields that HoneyHive shows; what
//! nothing claims goes to the metadata as it is. The core does the same for the messages of its own spans, and
//! `integration-tests/gen-ai-examples.json` holds examples that the tests of both read.

mod attributes;
mod content;
mod kind;
mod messages;
mod names;

use crate::model::{Bucket, Buckets, LocalEvent, Object, nested};

use attributes::Attributes;

pub(crate) use kind::event_type;

/// These attributes route a span and are no part of the event.
const PROTOCOL: [&str; 2] = ["honeyhive.", "traceloop.association.properties."];

/// These attributes have a place of their own.
const CONSUMED: [&str; 3] = [
    "honeyhive_error",
    "honeyhive_event_id",
    "honeyhive_event_type",
];

/// Fills the buckets of an event from its attributes and from what happened during the span.
pub(crate) fn fill(event: &mut LocalEvent) {
    let attributes = std::mem::take(&mut event.attributes);
    let happened = std::mem::take(&mut event.span_events);
    for bucket in Bucket::ALL {
        *event.bucket_mut(bucket) = said_by_the_program(&attributes, bucket);
    }
    let said = Attributes::new(&attributes, &happened);
    names::place(&said, event);
    content::place(&said, event);
    for (key, value) in &attributes {
        if is_unclaimed(key, &said) {
            event.offer(Bucket::Metadata, key, || value.clone());
        }
    }
    event.attributes = attributes;
    event.span_events = happened;
}

/// Returns the program's own fields of a bucket: `honeyhive_inputs.a.b` is `a.b` in the inputs.
fn said_by_the_program(attributes: &Object, bucket: Bucket) -> Object {
    let pairs = attributes.iter().filter_map(|(key, value)| {
        let (found, path) = honeyhive_bucket(key)?;
        (found == bucket).then(|| (path, value.clone()))
    });
    nested(pairs)
}

fn honeyhive_bucket(key: &str) -> Option<(Bucket, &str)> {
    let (name, path) = key.strip_prefix("honeyhive_")?.split_once('.')?;
    Some((Bucket::named(name)?, path))
}

fn is_unclaimed(key: &str, said: &Attributes<'_>) -> bool {
    let is_protocol = PROTOCOL.iter().any(|prefix| key.starts_with(prefix));
    let is_honeyhives = CONSUMED.contains(&key) || honeyhive_bucket(key).is_some();
    !is_protocol && !is_honeyhives && !said.is_claimed(key)
}
