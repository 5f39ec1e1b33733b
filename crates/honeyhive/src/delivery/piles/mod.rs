//! What is open: what a session has to say, and the spans that wait.

mod pile;
mod schedule;
mod sessions;
mod spans;

pub(super) use sessions::Sessions;
pub(super) use spans::{Batch, Place, SPAN_DELAY, Spans, Waiting, event_of};
