//! What an HTTP request and a Lambda invocation have in common: both come from outside, may name a session,
//! and run the program's own code piece by piece.

mod scope;
mod text;
mod trust;

use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt};

pub(crate) use scope::Scope;
pub(crate) use text::text_of;
#[cfg(feature = "lambda")]
pub(crate) use trust::LONGEST_ID;
pub use trust::SessionTrust;

use crate::outbox::{Outbox, Record};
pub(crate) use crate::panics::panic_text;
use crate::session::Session;

/// Runs a callback of the program's; a panic in it is counted and goes no further.
pub(crate) fn guarded<T>(outbox: &Outbox, callback: impl FnOnce() -> T) -> Option<T> {
    let outcome = catch_unwind(AssertUnwindSafe(callback));
    if outcome.is_err() {
        outbox.count_callback_panic();
    }
    outcome.ok()
}

/// A span around the layer, such as tower-http's, began before there was a session; it belongs to this one
/// all the same.
pub(crate) fn adopt_enclosing_span(cx: &Context, session: &Session) {
    if let Some(span) = enclosing_span(cx) {
        session.outbox.push(Record::Adopted(span, session.id()));
    }
}

pub(crate) fn enclosing_span(cx: &Context) -> Option<SpanId> {
    let span = cx.span();
    let enclosing = span.span_context();
    (enclosing.is_valid() && !enclosing.is_remote()).then(|| enclosing.span_id())
}
