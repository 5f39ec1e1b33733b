//! What is said of a span as it ends: handed to the processor as one, past OpenTelemetry's span, which takes attributes one
//! by one.
//!
//! Only for spans of a tracer's own provider: that has no other processor which would miss them.

use std::cell::Cell;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanRef;

thread_local! {
    /// Of the span that is ending on this thread; in between, room for those of the next.
    static LATE: Cell<Vec<KeyValue>> = const { Cell::new(Vec::new()) };
    /// Something is said there. Most spans have nothing, and ask no more than that.
    static IS_SAID: Cell<bool> = const { Cell::new(false) };
}

/// Room that is kept for the next.
const MOST: usize = 64;

/// Room for attributes, empty.
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
    // Nobody has taken them where the provider was shut down.
    move_to(&mut Vec::new());
}

/// Adds what has been said of the span that is ending here.
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
