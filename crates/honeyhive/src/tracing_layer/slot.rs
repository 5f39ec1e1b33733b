//! The layer keeps a state for each span of `tracing`.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{SpanBuilder, SpanRef, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;

use super::fields::Said;
use crate::attributes::ERROR;
#[cfg(feature = "model-calls")]
use crate::event_type::EventType;
#[cfg(feature = "model-calls")]
use crate::model_span;
use crate::session::current;

/// The span starts when it is first entered, or needed as a parent: fields that it gets until then count as given at
/// first, and its session may become current after it was created.
#[derive(Debug, Clone)]
pub(super) struct Slot(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    waiting: Mutex<Option<Waiting>>,
    /// The context has the span in it.
    started: OnceLock<Context>,
    last_exit: Mutex<Option<SystemTime>>,
}

#[derive(Debug)]
struct Waiting {
    builder: SpanBuilder,
    error: Option<String>,
    has_failed: bool,
    parent: Context,
}

impl Slot {
    pub(super) fn new(name: &'static str, said: Said, parent: Context) -> Self {
        let mut builder = match said.name {
            Some(name) => SpanBuilder::from_name(name),
            None => SpanBuilder::from_name(name),
        };
        builder.start_time = Some(SystemTime::now());
        builder.span_kind = said.kind;
        builder.attributes = Some(said.attributes);
        Self(Arc::new(Inner {
            waiting: Mutex::new(Some(Waiting {
                builder,
                error: said.error,
                has_failed: said.has_failed,
                parent,
            })),
            started: OnceLock::new(),
            last_exit: Mutex::new(None),
        }))
    }

    /// Returns the context with the span in it, started now where it had not been.
    pub(super) fn start(&self, tracer: &SdkTracer) -> &Context {
        self.0
            .started
            .get_or_init(|| match lock(&self.0.waiting).take() {
                Some(waiting) => waiting.start(tracer),
                // The cell's initialiser runs once, and only it takes the value, so the value is present.
                None => Context::new(),
            })
    }

    pub(super) fn has_started(&self) -> bool {
        self.0.started.get().is_some()
    }

    /// Takes fields that come later.
    pub(super) fn record(&self, said: Said) {
        if let Some(waiting) = &mut *lock(&self.0.waiting) {
            return waiting.take(said);
        }
        if let Some(cx) = self.0.started.get() {
            let span = cx.span();
            if let Some(name) = said.name {
                span.update_name(name);
            }
            span.set_attributes(said.attributes);
            fail(&span, said.has_failed, said.error);
        }
    }

    pub(super) fn link(&self, other: &Self, tracer: &SdkTracer) {
        let followed = other.start(tracer).span().span_context().clone();
        self.start(tracer).span().add_link(followed, Vec::new());
    }

    pub(super) fn exited(&self) {
        *lock(&self.0.last_exit) = Some(SystemTime::now());
    }

    /// Ends the span at the time when it was last exited: a handle that outlives it does not make it longer.
    pub(super) fn end(&self, tracer: &SdkTracer) {
        let end = lock(&self.0.last_exit).unwrap_or_else(SystemTime::now);
        self.start(tracer).span().end_with_timestamp(end);
    }
}

impl Waiting {
    fn take(&mut self, said: Said) {
        if let Some(name) = said.name {
            self.builder.name = name.into();
        }
        self.builder.span_kind = said.kind.or(self.builder.span_kind.take());
        let attributes = self.builder.attributes.get_or_insert_default();
        attributes.extend(said.attributes);
        self.error = said.error.or(self.error.take());
        self.has_failed |= said.has_failed;
    }

    fn start(self, tracer: &SdkTracer) -> Context {
        let parent = current::with_sessions_here(self.parent);
        #[cfg(feature = "model-calls")]
        let event_type = EventType::said(self.builder.attributes.as_deref().unwrap_or_default());
        let span = tracer.build_with_context(self.builder, &parent);
        let cx = parent.with_span(span);
        #[cfg(feature = "model-calls")]
        let cx = match event_type {
            Some(event_type) => model_span::mark(cx, event_type),
            None => cx,
        };
        fail(&cx.span(), self.has_failed, self.error);
        cx
    }
}

/// Marks a span as failed: a failure without a text is told by the span's other fields, once it has ended.
fn fail(span: &SpanRef<'_>, has_failed: bool, error: Option<String>) {
    match error {
        Some(error) => set_error(span, error),
        None if has_failed => span.set_status(Status::error("")),
        None => {}
    }
}

pub(super) fn set_error(span: &SpanRef<'_>, text: String) {
    span.set_status(Status::error(text.clone()));
    span.set_attribute(KeyValue::new(ERROR, text));
}

/// Locks a mutex, under which nothing of the program's runs.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
