//! HTTP requests and Lambda invocations have these parts in common: both come from outside, may name a session, and run
//! the program's own code piece by piece.

mod flush;
mod scope;

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt};

pub(crate) use flush::{Flush, Flushing};
pub(crate) use scope::run_in;

use crate::outbox::Record;
pub(crate) use crate::panics::{guarded, panic_text};
use crate::session::Session;

/// Assigns a span around the layer, such as tower-http's, to this session, although it began before there was one.
#[inline]
pub(crate) fn adopt_enclosing_span(cx: &Context, session: &Session) {
    if let Some(span) = enclosing_span(cx) {
        session.outbox.push(Record::Adopted(span, session.id()));
    }
}

#[inline]
pub(crate) fn enclosing_span(cx: &Context) -> Option<SpanId> {
    let span = cx.span();
    let enclosing = span.span_context();
    (enclosing.is_valid() && !enclosing.is_remote()).then(|| enclosing.span_id())
}
