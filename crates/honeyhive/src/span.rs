//! Spans by hand, and what writes HoneyHive's buckets onto any span.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use opentelemetry::context::{FutureExt, WithContext};
use opentelemetry::trace::{
    Span as _, SpanBuilder as OtelSpanBuilder, SpanId, SpanRef, Status, TraceContextExt, Tracer,
};
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use serde::Serialize;
use serde_json::Value as Json;

use crate::attributes::{CALL_SITE, ERROR, EVENT_ID, EVENT_TYPE, MAX_GATHERED};
use crate::enrichment::Enrichment;
use crate::event_type::EventType;
use crate::model::id::EventId;
use crate::model::object::Bucket;
#[cfg(feature = "model-calls")]
use crate::model_span;
use crate::outbox::Outbox;
use crate::session::current;

/// A span that has not started yet, from [`HoneyHiveTracer::span`](crate::HoneyHiveTracer::span).
///
/// ```
/// use honeyhive::{EventType, HoneyHiveTracer};
/// use serde_json::json;
///
/// # async fn ask_model(_: &str) -> String { String::new() }
/// # async fn example(tracer: HoneyHiveTracer) {
/// let turn = tracer
///     .span("chat turn")
///     .event_type(EventType::Chain)
///     .inputs(json!({"message": "hello"}))
///     .start();
/// let answer = turn.scope(ask_model("hello")).await; // spans in there are children
/// turn.outputs(json!({"answer": answer}));
/// # }
/// ```
#[must_use = "a span begins with `.start()`"]
pub struct SpanBuilder {
    tracer: SdkTracer,
    outbox: Arc<Outbox>,
    inner: OtelSpanBuilder,
    event_type: Option<EventType>,
    event_id: Option<EventId>,
    attributes: Vec<KeyValue>,
}

/// Its name: what goes in is no matter for a log.
impl fmt::Debug for SpanBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SpanBuilder")
            .field("name", &self.inner.name)
            .finish_non_exhaustive()
    }
}

/// Attributes of a span that are left to the processor, which comes after those of the builder.
const RESERVED: usize = 16;

impl SpanBuilder {
    pub(crate) fn new(tracer: SdkTracer, outbox: Arc<Outbox>, name: Cow<'static, str>) -> Self {
        Self {
            tracer,
            outbox,
            inner: OtelSpanBuilder::from_name(name),
            event_type: None,
            event_id: None,
            attributes: Vec::new(),
        }
    }

    /// What the span is in HoneyHive. Without it: a chain when it has children, a tool when not.
    pub fn event_type(mut self, event_type: EventType) -> Self {
        self.event_type = Some(event_type);
        self
    }

    /// The id of the event, instead of one that HoneyHive or [`Span::event_id`] makes. Each event has its
    /// own.
    pub fn event_id(mut self, id: impl Into<EventId>) -> Self {
        self.event_id = Some(id.into());
        self
    }

    /// What went in: anything that serialises to an object.
    pub fn inputs(self, map: impl Serialize) -> Self {
        self.enrich(Enrichment::new().inputs(map))
    }

    /// Facts about the span: anything that serialises to an object.
    pub fn metadata(self, map: impl Serialize) -> Self {
        self.enrich(Enrichment::new().metadata(map))
    }

    /// Model, provider, template: anything that serialises to an object.
    pub fn config(self, map: impl Serialize) -> Self {
        self.enrich(Enrichment::new().config(map))
    }

    #[cfg(feature = "model-calls")]
    pub(crate) fn attributes(mut self, attributes: Vec<KeyValue>) -> Self {
        self.attributes.extend(attributes);
        self
    }

    fn enrich(mut self, enrichment: Enrichment) -> Self {
        self.outbox.count_refused(enrichment.refused_count());
        attributes_of(enrichment, &mut |attribute| self.attributes.push(attribute));
        self
    }

    /// Starts the span, as a child of the span that is current here and in the session that is.
    #[must_use = "the span ends when this is dropped"]
    #[track_caller]
    pub fn start(self) -> Span {
        let caller = Location::caller();
        let Self {
            tracer,
            outbox,
            inner,
            event_type,
            event_id,
            mut attributes,
        } = self;
        attributes.truncate(MAX_GATHERED - RESERVED);
        attributes.extend(event_type.map(|kind| KeyValue::new(EVENT_TYPE, kind.as_str())));
        attributes.extend(event_id.map(|id| KeyValue::new(EVENT_ID, id.to_string())));
        Context::map_current(|cx| {
            if cfg!(debug_assertions) && current::of_tracer(cx, &outbox).is_none() {
                attributes.push(KeyValue::new(CALL_SITE, caller.to_string()));
            }
            let span = tracer.build_with_context(inner.with_attributes(attributes), cx);
            let span_id = span.span_context().span_id();
            let cx = cx.with_span(span);
            #[cfg(feature = "model-calls")]
            let cx = match event_type {
                Some(event_type) => model_span::mark(cx, event_type),
                None => cx,
            };
            Span {
                outbox,
                cx: match event_id {
                    Some(id) => cx.with_value(Named { span_id, id }),
                    None => cx,
                },
            }
        })
    }
}

/// A running span. It ends when this is dropped.
///
/// Spans that start while it is current are its children: see [`scope`](Self::scope) and
/// [`in_scope`](Self::in_scope).
#[derive(Debug)]
#[must_use = "the span ends when this is dropped"]
pub struct Span {
    outbox: Arc<Outbox>,
    cx: Context,
}

impl Span {
    /// The future, with this span current whenever it is polled.
    pub fn scope<F: Future>(&self, future: F) -> WithContext<F> {
        future.with_context(self.cx.clone())
    }

    /// Runs `f` with this span current.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _guard = self.cx.clone().attach();
        f()
    }

    /// The context with this span in it, for instrumentations that take one.
    #[must_use]
    pub fn context(&self) -> Context {
        self.cx.clone()
    }

    /// The id of the event that this span becomes, for what may be added to it later: a user's feedback on
    /// this answer, say. See [`HoneyHiveTracer::enrich_event`](crate::HoneyHiveTracer::enrich_event).
    #[must_use]
    pub fn event_id(&self) -> EventId {
        name_event(&self.cx)
    }

    /// What came out: anything that serialises to an object.
    pub fn outputs(&self, map: impl Serialize) {
        self.enrich(Enrichment::new().outputs(map));
    }

    /// Sets the error text and the span's status.
    pub fn error(&self, text: impl Into<String>) {
        self.enrich(Enrichment::new().error(text));
    }

    /// Adds to the span.
    pub fn enrich(&self, enrichment: Enrichment) {
        self.outbox.count_refused(enrichment.refused_count());
        enrich(&self.cx.span(), enrichment);
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.cx.span().end();
    }
}

/// In the context of a span that the program has given an id.
#[derive(Debug)]
struct Named {
    span_id: SpanId,
    id: EventId,
}

/// The id of the event that the span of this context becomes. HoneyHive is told to keep it under that.
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

/// Writes an enrichment onto a span, whoever made it.
pub(crate) fn enrich(span: &SpanRef<'_>, enrichment: Enrichment) {
    if let Some(error) = enrichment.error_text() {
        span.set_status(Status::error(error.to_owned()));
    }
    attributes_of(enrichment, &mut |attribute| span.set_attribute(attribute));
}

/// An enrichment as the attributes of a span.
pub(crate) fn attributes_of(mut enrichment: Enrichment, put: &mut dyn FnMut(KeyValue)) {
    for bucket in Bucket::ALL {
        for (key, value) in enrichment.take(bucket) {
            let key = format!("{}.{key}", bucket.attribute_prefix());
            flatten(key.into(), value, put);
        }
    }
    if let Some(error) = enrichment.take_error() {
        put(KeyValue::new(ERROR, error));
    }
}

/// Maps and lists become one attribute a leaf, `prefix.key` and `prefix.0`; nulls and empty ones
/// nothing, as the official SDK does.
pub(crate) fn flatten(key: Key, value: Json, put: &mut dyn FnMut(KeyValue)) {
    match value {
        Json::Null => {}
        Json::Bool(flag) => put(KeyValue::new(key, flag)),
        Json::Number(number) => put(KeyValue::new(key, number_value(&number))),
        Json::String(text) => put(KeyValue::new(key, text)),
        Json::Array(items) => {
            for (index, item) in items.into_iter().enumerate() {
                flatten(format!("{key}.{index}").into(), item, put);
            }
        }
        Json::Object(object) => {
            for (name, item) in object {
                flatten(format!("{key}.{name}").into(), item, put);
            }
        }
    }
}

/// A number beyond 64 bits signed goes as text, since the wire has no room for it.
fn number_value(number: &serde_json::Number) -> opentelemetry::Value {
    match (number.as_i64(), number.as_u64()) {
        (Some(integer), _) => integer.into(),
        (None, Some(_)) => number.to_string().into(),
        (None, None) => number.as_f64().unwrap_or_default().into(),
    }
}
