//! [`SpanBuilder`] describes a span that has not started yet.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use opentelemetry::trace::{Span as _, SpanBuilder as OtelSpanBuilder, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span as SdkSpan};
use serde::Serialize;

use super::{Named, Span, attributes_of};
use crate::attributes::{CALL_SITE, EVENT_ID, EVENT_TYPE, MAX_GATHERED};
use crate::context;
use crate::enrichment::Enrichment;
use crate::event_type::EventType;
use crate::log::{CallSite, Once};
use crate::model::causes::error_text;
use crate::model::id::EventId;
#[cfg(feature = "model-calls")]
use crate::model_span;
use crate::outbox::Outbox;
use crate::session::{Session, current};

/// The builder describes a span that has not started yet; it comes from
/// [`HoneyHiveTracer::span`](crate::HoneyHiveTracer::span), [`Session::span`] or [`honeyhive::span`](crate::span()).
///
/// ```
/// use honeyhive::{HoneyHiveTracer, json};
///
/// # async fn ask_model(_: &str) -> String { String::new() }
/// # async fn example(tracer: HoneyHiveTracer) {
/// let turn = tracer
///     .chain("chat turn")
///     .inputs(json!({"message": "hello"}))
///     .start();
/// let answer = turn.scope(ask_model("hello")).await; // spans in there are children
/// turn.outputs(json!({"answer": answer}));
/// # }
/// ```
#[must_use = "a span begins with `.start()` or `.run(..)`"]
pub struct SpanBuilder {
    /// The maker is `None` where nothing is recorded.
    maker: Option<Maker>,
    /// The span begins in this session, instead of the current one.
    session: Option<Session>,
    inner: OtelSpanBuilder,
    event_type: Option<EventType>,
    event_id: Option<EventId>,
    attributes: Vec<KeyValue>,
}

/// The maker makes a tracer's spans, and knows the outbox that they go to.
#[derive(Debug, Clone)]
pub(crate) struct Maker {
    pub(crate) tracer: Arc<SdkTracer>,
    pub(crate) outbox: Arc<Outbox>,
}

/// Shows the name, but no content: content does not belong in a log.
impl fmt::Debug for SpanBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SpanBuilder")
            .field("name", &self.inner.name)
            .finish_non_exhaustive()
    }
}

/// So many attributes of a span are left to the processor, which comes after those of the builder.
const RESERVED: usize = 16;

impl SpanBuilder {
    pub(crate) fn new(maker: Option<Maker>, name: Cow<'static, str>) -> Self {
        Self {
            maker,
            session: None,
            inner: OtelSpanBuilder::from_name(name),
            event_type: None,
            event_id: None,
            attributes: Vec::new(),
        }
    }

    /// Sets the span's type in HoneyHive: an [`EventType`], or `"model"`, `"chain"`, `"tool"`. Without one the span is
    /// a chain if it has children, else a tool. Any other text is left out, with one warning.
    ///
    /// [`model`](crate::HoneyHiveTracer::model), [`chain`](crate::HoneyHiveTracer::chain) and
    /// [`tool`](crate::HoneyHiveTracer::tool) are shorter.
    #[track_caller]
    pub fn event_type<T>(mut self, event_type: T) -> Self
    where
        T: TryInto<EventType, Error: fmt::Display>,
    {
        static TOLD: Once = Once::new();
        match event_type.try_into() {
            Ok(event_type) => self.event_type = Some(event_type),
            Err(error) => TOLD.warn(format_args!(
                "the event type of the span {:?} ({}) is left out: {}",
                self.inner.name,
                CallSite::here(),
                error_text(format_args!("{error}"))
            )),
        }
        self
    }

    /// Sets the id of the event, instead of one that HoneyHive or [`Span::event_id`] makes. Each event has its own.
    #[doc(alias = "update_event_id")]
    pub fn event_id(mut self, id: impl Into<EventId>) -> Self {
        self.event_id = Some(id.into());
        self
    }

    /// Sets the span's inputs: anything that serialises to an object.
    #[track_caller]
    pub fn inputs(self, map: impl Serialize) -> Self {
        self.enrich(Enrichment::new().inputs(map))
    }

    /// Sets facts about the span: anything that serialises to an object.
    #[track_caller]
    pub fn metadata(self, map: impl Serialize) -> Self {
        self.enrich(Enrichment::new().metadata(map))
    }

    /// Sets model, provider, template: anything that serialises to an object.
    #[track_caller]
    pub fn config(self, map: impl Serialize) -> Self {
        self.enrich(Enrichment::new().config(map))
    }

    fn enrich(mut self, enrichment: Enrichment) -> Self {
        if let Some(maker) = &self.maker {
            maker.outbox.count_refused(enrichment.refused_count());
            attributes_of(enrichment, &mut |attribute| self.attributes.push(attribute));
        }
        self
    }

    /// Starts the span, as a child of the span that is current here and in the session that is.
    #[must_use = "the span ends when this is dropped"]
    #[track_caller]
    #[doc(alias = "start_span")]
    pub fn start(self) -> Span {
        self.start_at(CallSite::here())
    }

    pub(super) fn start_at(self, site: CallSite) -> Span {
        // Nothing is recorded while the thread ends.
        let maker = self.maker.filter(|_| context::is_open());
        let Some(maker) = maker else {
            return Span::unrecorded(self.event_id);
        };
        maker
            .outbox
            .expect_open(format_args!("the span {:?}", self.inner.name), site);
        let parent = match &self.session {
            Some(session) => session.context(),
            None => context::current(),
        };
        let mut attributes = self.attributes;
        attributes.truncate(MAX_GATHERED - RESERVED);
        attributes.extend(
            self.event_type
                .map(|kind| KeyValue::new(EVENT_TYPE, kind.as_str())),
        );
        attributes.extend(
            self.event_id
                .map(|id| KeyValue::new(EVENT_ID, id.to_string())),
        );
        let span = maker.start(self.inner, attributes, &parent, site);
        let span_id = span.span_context().span_id();
        let cx = parent.with_span(span);
        #[cfg(feature = "model-calls")]
        let cx = match self.event_type {
            Some(event_type) => model_span::mark(cx, event_type),
            None => cx,
        };
        Span {
            outbox: Some(maker.outbox),
            cx: match self.event_id {
                Some(id) => cx.with_value(Named { span_id, id }),
                None => cx,
            },
            event_id: None,
            ended_at: std::sync::OnceLock::new(),
        }
    }
}

impl Maker {
    fn start(
        &self,
        builder: OtelSpanBuilder,
        mut attributes: Vec<KeyValue>,
        parent: &Context,
        site: CallSite,
    ) -> SdkSpan {
        if cfg!(debug_assertions) && current::of_tracer(parent, &self.outbox).is_none() {
            attributes.push(KeyValue::new(CALL_SITE, site.to_string()));
        }
        let builder = builder.with_attributes(attributes);
        self.tracer.build_with_context(builder, parent)
    }
}

/// Starts the span of a model call that is recorded already, with these attributes.
#[cfg(feature = "model-calls")]
pub(crate) fn start_call(
    maker: &Maker,
    name: Cow<'static, str>,
    mut attributes: Vec<KeyValue>,
    parent: &Context,
    site: CallSite,
) -> Context {
    maker
        .outbox
        .expect_open(format_args!("the span {name:?}"), site);
    attributes.truncate(MAX_GATHERED - RESERVED);
    attributes.push(KeyValue::new(EVENT_TYPE, EventType::Model.as_str()));
    let builder = OtelSpanBuilder::from_name(name);
    parent.with_span(maker.start(builder, attributes, parent, site))
}

impl Session {
    /// Returns a builder of a span in this session, whichever is current: a child of the span that is current here.
    ///
    /// ```
    /// # let (tracer, captured) = honeyhive::testing::tracer();
    /// # let session = tracer.create_session("chat");
    /// let turn = session.span("turn").event_type("chain").start();
    /// # drop(turn);
    /// # captured.only_session().assert_tree("chat\n  turn [chain]");
    /// ```
    pub fn span(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder {
        SpanBuilder {
            session: Some(self.clone()),
            ..SpanBuilder::new(self.maker(), name.into())
        }
    }

    /// Returns the maker; `None` where its tracer is gone, or records nothing.
    pub(crate) fn maker(&self) -> Option<Maker> {
        Some(Maker {
            tracer: self.outbox.tracer()?,
            outbox: Arc::clone(&self.outbox),
        })
    }
}
