//! Late attributes are those that a span gets as it ends: they go to the processor as one list, past OpenTelemetry's
//! span, which takes attributes one by one.
//!
//! The module is only for spans of a tracer's own provider, which has no other processor that would miss them.

use std::cell::Cell;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanRef;

thread_local! {
    /// The attributes are those of the span that is ending on this thread; in between, their empty room stays for the
    /// next.
    static LATE: Cell<Vec<KeyValue>> = const { Cell::new(Vec::new()) };
    /// The flag is true while late attributes exist. Most spans have none, and read only this flag.
    static IS_SAID: Cell<bool> = const { Cell::new(false) };
}

/// Room for at most this many attributes is kept for the next span.
const MOST: usize = 64;

/// Returns empty room for attributes.
pub(crate) fn room() -> Vec<KeyValue> {
    let mut room = LATE.try_with(Cell::take).unwrap_or_default();
    room.clear();
    room
}

/// Ends the span, with these attributes.
pub(crate) fn end_with(span: &SpanRef<'_>, at: SystemTime, attributes: Vec<KeyValue>) {
    let mut attributes = Some(attributes);
    // A thread that ends has nothing of its own any more.
    let _ = LATE.try_with(|late| {
        late.set(attributes.take().unwrap_or_default());
        IS_SAID.set(true);
    });
    span.set_attributes(attributes.into_iter().flatten());
    span.end_with_timestamp(at);
    // A provider that is shut down calls no processor, so the attributes may still be there.
    move_to(&mut Vec::new());
}

/// Adds the late attributes of the span that is ending here.
#[inline]
pub(crate) fn move_to(attributes: &mut Vec<KeyValue>) {
    if IS_SAID.replace(false) {
        append_to(attributes);
    }
}

fn append_to(attributes: &mut Vec<KeyValue>) {
    let _ = LATE.try_with(|late| {
        let mut said = late.take();
        attributes.append(&mut said);
        if said.capacity() <= MOST {
            late.set(said);
        }
    });
}
