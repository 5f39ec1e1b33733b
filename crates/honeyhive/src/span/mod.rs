//! Spans are made by hand here, and HoneyHive's buckets are written onto any span.

mod builder;
mod failure;
#[cfg(feature = "model-calls")]
pub(crate) mod late;
mod run;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, SpanRef, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

pub(crate) use builder::Maker;
pub use builder::SpanBuilder;
#[cfg(feature = "model-calls")]
pub(crate) use builder::start_call;
pub use failure::Failure;

use crate::attributes::{ERROR, EVENT_ID, MAX_ATTRIBUTES};
use crate::context::{self, Scoped};
use crate::enrichment::{Enrichment, buckets};
use crate::model::causes::{error_text, with_causes};
use crate::model::flatten::{at_most, flatten, key_below};
use crate::model::id::EventId;
use crate::model::limits::TRUNCATED;
use crate::model::object::Bucket;
use crate::outbox::Outbox;

/// The handle keeps a span running: the span ends when the handle is dropped.
///
/// Spans that start while it is current are its children: see [`scope`](Self::scope) and
/// [`in_scope`](Self::in_scope).
#[derive(Debug)]
#[must_use = "the span ends when this is dropped"]
pub struct Span {
    /// The outbox is `None` where nothing is recorded: then the context is the one that was current, with a span of
    /// another library.
    outbox: Option<Arc<Outbox>>,
    cx: Context,
    /// A span that is not recorded has this id.
    event_id: Option<EventId>,
    /// The span ends at this time, where that is not the time of the drop.
    ended_at: OnceLock<SystemTime>,
}

impl Span {
    /// Returns the future, with this span current whenever it is polled.
    ///
    /// The future's output is not recorded, and neither is its drop before its end: a span may have several futures, one
    /// of which wins. For work that can fail or be dropped use [`SpanBuilder::run`], which records an `Err` with its
    /// causes, and a drop as `cancelled`.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped::new(future, self.cx.clone())
    }

    /// Runs `f` with this span current. An `Err` that it returns is not recorded: use [`fail`](Self::fail) for that.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _guard = context::attach(self.cx.clone());
        f()
    }

    /// Returns the context with this span in it, for instrumentations that take one.
    #[must_use]
    pub fn context(&self) -> Context {
        self.cx.clone()
    }

    /// Returns the id of the span's event, for later additions: a user's feedback on this answer, say. See
    /// [`HoneyHiveTracer::enrich_event`](crate::HoneyHiveTracer::enrich_event).
    #[must_use]
    pub fn event_id(&self) -> EventId {
        self.event_id.unwrap_or_else(|| name_event(&self.cx))
    }

    buckets!("span");

    /// Sets the error text, of which 64 KiB are kept, and the span's status. For an error with its causes there is
    /// [`fail`](Self::fail).
    pub fn error(&self, text: impl fmt::Display) {
        self.enrich(Enrichment::new().error(error_text(format_args!("{text}"))));
    }

    /// Sets the error and the span's status from an error: its text, and those of its causes.
    ///
    /// ```
    /// # let (tracer, captured) = honeyhive::testing::tracer();
    /// let span = tracer.tool("read").start();
    /// if let Err(error) = std::fs::read("/no/such/file") {
    ///     span.fail(&error);
    /// }
    /// # drop(span);
    /// # assert!(captured.only_session().event("read").error.as_deref().is_some_and(|it| it.contains("os error")));
    /// ```
    pub fn fail(&self, error: &dyn Error) {
        self.error(with_causes(error));
    }

    /// Adds to the span.
    pub fn enrich(&self, enrichment: Enrichment) {
        if let Some(outbox) = &self.outbox {
            outbox.count_refused(enrichment.refused_count());
            enrich(&self.cx.span(), enrichment);
        }
    }

    /// Sets the end of the span's work. The span takes attributes until it is dropped.
    #[cfg(feature = "evaluate")]
    pub(crate) fn ends_at(&self, at: SystemTime) {
        // The first end stays.
        let _ = self.ended_at.set(at);
    }

    fn is_recorded(&self) -> bool {
        self.outbox.is_some()
    }

    fn unrecorded(event_id: Option<EventId>) -> Self {
        Self {
            outbox: None,
            cx: context::current(),
            event_id: event_id.or_else(|| Some(EventId::of_span(&SpanContext::NONE))),
            ended_at: OnceLock::new(),
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if !self.is_recorded() {
            return;
        }
        match self.ended_at.get() {
            Some(at) => self.cx.span().end_with_timestamp(*at),
            None => self.cx.span().end(),
        }
    }
}

/// The mark in a context says that the program has given the span an id.
#[derive(Debug)]
struct Named {
    span_id: SpanId,
    id: EventId,
}

/// Returns the id of the event that the span of this context becomes, and tells HoneyHive to keep it under that id.
pub(crate) fn name_event(cx: &Context) -> EventId {
    let span = cx.span();
    let span_context = span.span_context();
    if let Some(named) = cx.get::<Named>()
        && named.span_id == span_context.span_id()
    {
        return named.id;
    }
    let id = EventId::of_span(span_context);
    span.set_attribute(KeyValue::new(EVENT_ID, id.to_string()));
    id
}

/// Writes an enrichment onto a span, even one of another library.
pub(crate) fn enrich(span: &SpanRef<'_>, enrichment: Enrichment) {
    if let Some(error) = enrichment.error_text() {
        span.set_status(Status::error(error.to_owned()));
    }
    attributes_of(enrichment, &mut |attribute| span.set_attribute(attribute));
}

/// Lays an enrichment out as attributes of a span: as many as are worth making, of which the span takes those that it
/// has room for.
pub(crate) fn attributes_of(mut enrichment: Enrichment, put: &mut dyn FnMut(KeyValue)) {
    const MOST: usize = 4 * MAX_ATTRIBUTES;
    for bucket in Bucket::ALL {
        let prefix = bucket.attribute_prefix();
        let mut entries = enrichment.take(bucket).into_iter();
        let mut put_some = at_most(MOST, &mut *put);
        let flattened = entries
            .try_for_each(|(key, value)| flatten(key_below(prefix, &key), value, &mut put_some));
        drop(put_some);
        if flattened.is_break() {
            put(KeyValue::new(key_below(prefix, TRUNCATED), true));
        }
    }
    if let Some(error) = enrichment.take_error() {
        put(KeyValue::new(ERROR, error));
    }
}
