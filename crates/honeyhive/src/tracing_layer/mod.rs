//! [`HoneyHiveTracer::tracing_layer`] makes the spans of `tracing` events.

mod fields;
mod slot;

use std::cell::RefCell;
use std::sync::Arc;

use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context as LayerContext;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::attributes::{EXCEPTION, EXCEPTION_MESSAGE, TRACING_SCOPE};
use crate::context::{self, Attached};
use crate::model::flatten::key_below;
use crate::model::object::Bucket;
use crate::outbox::Outbox;
use crate::session::current;
use crate::tracer::HoneyHiveTracer;
use fields::{Message, Said};
use slot::{Slot, set_error};

impl HoneyHiveTracer {
    /// Returns a layer for a `tracing` subscriber: spans of `#[tracing::instrument]`, `info_span!` and of libraries
    /// that use `tracing` become events of the current session (feature `tracing`).
    ///
    /// The layer works beside any others. Spans of both kinds nest: a span by hand or of
    /// [`#[honeyhive::trace]`](macro@crate::trace) inside a `tracing` span is its child, and the other way round. The
    /// subscriber decides which spans come through; where other layers want more than HoneyHive should get, give this
    /// one a filter.
    ///
    /// A span belongs to the session that is current where it is created, else where it is first entered. Work inside
    /// the span belongs to the session around that work: a span that is kept and entered in one session after another
    /// does not pull the later work into the first.
    ///
    /// ```
    /// use tracing_subscriber::filter::LevelFilter;
    /// use tracing_subscriber::{Layer as _, layer::SubscriberExt as _};
    ///
    /// #[tracing::instrument(ret)]
    /// fn search(query: &str) -> usize {
    ///     query.len()
    /// }
    ///
    /// # let (tracer, captured) = honeyhive::testing::tracer();
    /// let subscriber = tracing_subscriber::registry()
    ///     // .with(tracing_subscriber::fmt::layer()) and what else there is
    ///     .with(tracer.tracing_layer().with_filter(LevelFilter::INFO));
    /// # tracing::subscriber::with_default(subscriber, || { // in a program: `subscriber.init()`
    /// tracer.create_session("chat").in_scope(|| search("tea"));
    /// # });
    /// # let event = captured.only_session().event("search").clone();
    /// # assert_eq!(event.text("honeyhive_inputs.query").as_deref(), Some("tea"));
    /// # assert_eq!(event.text("honeyhive_outputs.result").as_deref(), Some("3"));
    /// ```
    ///
    /// # Where a field goes
    ///
    /// | Field | Becomes |
    /// |---|---|
    /// | `inputs.…`, `outputs.…`, `metadata.…`, `metrics.…`, `feedback.…`, `config.…`, `user_properties.…` | an entry of that bucket |
    /// | `error` | the error of the event |
    /// | `otel.name`, `otel.kind`, `otel.status_code`, `otel.status_description` | what they name |
    /// | any other name with a dot (`gen_ai.request.model`), or one that begins with `honeyhive_` | an attribute as it is |
    /// | any other, given before the span is first entered | an entry of the inputs |
    /// | any other, recorded later | an entry of the metadata |
    ///
    /// Besides fields:
    ///
    /// * The return value of `#[instrument(ret)]` is `outputs.result`, the error of `#[instrument(err)]` the event's
    ///   error.
    /// * An event (`info!`, `warn!`, …) becomes an event of the span; one of level `ERROR` sets the error of its span,
    ///   where nothing else does.
    /// * `#[instrument(err)]` hands over the text of the error and not the error, so its causes are recorded only where
    ///   that text has them (`err(Debug)` with `anyhow`); a field `error = &error as &dyn Error`,
    ///   [`Span::fail`](crate::Span::fail) and `#[trace]` record them all.
    /// * Level and target of a span are `metadata.level` and `metadata.target`.
    /// * The type of the event is found as for every other span: `honeyhive_event_type = "model"`, else the conventions
    ///   of OpenTelemetry and others, else by whether it has children.
    ///
    /// A root span (`parent: None`), as libraries make it for an agent's run, becomes a child of the span that is
    /// current in the session: a step of the work that it was called for. Without a current span it stays a root.
    ///
    /// `tracing` drops values of a field that the span was not created with (`field::Empty`).
    ///
    /// # Beside OpenTelemetry
    ///
    /// If a layer of `tracing-opentelemetry` already sends the same spans elsewhere, give its provider HoneyHive's
    /// [`span_processor`](Self::span_processor) instead of adding this layer: two layers would each make spans, and
    /// mistake those of the other for parents.
    pub fn tracing_layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        TracingLayer {
            tracer: self.provider().tracer(TRACING_SCOPE),
            key: Arc::as_ptr(self.outbox()).addr(),
            outbox: Arc::clone(self.outbox()),
        }
    }
}

#[derive(Debug)]
struct TracingLayer {
    tracer: SdkTracer,
    /// The key tells apart the layers of several tracers.
    key: usize,
    outbox: Arc<Outbox>,
}

/// The slots are kept with a span of `tracing`, one for each layer, of which there is one, nearly always.
#[derive(Debug)]
struct Slots {
    first: (usize, Slot),
    others: Vec<(usize, Slot)>,
}

/// The processor adds this many attributes to a span.
const STAMPS: usize = 4;

/// An entered span has a guard that makes its context current.
struct Entered {
    key: usize,
    id: Id,
    guard: Attached,
}

thread_local! {
    /// The spans that are entered on this thread are in order, the innermost last.
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

impl TracingLayer {
    fn slot<S>(&self, span: &SpanRef<'_, S>) -> Option<Slot>
    where
        S: for<'span> LookupSpan<'span>,
    {
        let extensions = span.extensions();
        let Slots { first, others } = extensions.get()?;
        let mut slots = std::iter::once(first).chain(others);
        let (_, slot) = slots.find(|(key, _)| *key == self.key)?;
        Some(slot.clone())
    }

    fn slot_of<S>(&self, id: &Id, cx: &LayerContext<'_, S>) -> Option<Slot>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        self.slot(&cx.span(id)?)
    }

    /// Returns a parent that is named, else the span that is current here.
    fn parent_of<S>(&self, attributes: &Attributes<'_>, cx: &LayerContext<'_, S>) -> Context
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let named = attributes.parent().and_then(|id| self.slot_of(id, cx));
        match named {
            Some(parent) => parent.start(&self.tracer).clone(),
            None if attributes.is_contextual() => context::current(),
            None => self.parent_of_root(),
        }
    }

    /// Returns the parent of a library's root (`parent: None`), which is a step of the work that it was called for:
    /// inside a session it is the child of the span that is current. Outside it stays a root.
    fn parent_of_root(&self) -> Context {
        let here = context::current();
        let is_in_session = current::of_tracer(&here, &self.outbox).is_some();
        if is_in_session && here.span().span_context().is_valid() {
            here
        } else {
            Context::new()
        }
    }
}

impl<S> Layer<S> for TracingLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: LayerContext<'_, S>) {
        let Some(span) = cx.span(id) else { return };
        let metadata = attributes.metadata();
        let origin = origin(metadata);
        let mut said = Said::new(
            Bucket::Inputs,
            metadata.fields().len() + origin.len() + STAMPS,
        );
        attributes.record(&mut said);
        said.attributes.extend(origin);
        let slot = Slot::new(metadata.name(), said, self.parent_of(attributes, &cx));
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Slots>() {
            Some(slots) => slots.others.push((self.key, slot)),
            None => extensions.insert(Slots {
                first: (self.key, slot),
                others: Vec::new(),
            }),
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: LayerContext<'_, S>) {
        if let Some(slot) = self.slot_of(id, &cx) {
            let bucket = if slot.has_started() {
                Bucket::Metadata
            } else {
                Bucket::Inputs
            };
            let mut said = Said::new(bucket, values.len());
            values.record(&mut said);
            slot.record(said);
        }
    }

    fn on_enter(&self, id: &Id, cx: LayerContext<'_, S>) {
        let Some(slot) = self.slot_of(id, &cx) else {
            return;
        };
        let around = context::current();
        let guard = context::attach(current::within_sessions_of(
            slot.start(&self.tracer),
            &around,
        ));
        // The thread may be ending.
        let _ = ENTERED.try_with(|entered| {
            entered.borrow_mut().push(Entered {
                key: self.key,
                id: id.clone(),
                guard,
            });
        });
    }

    fn on_exit(&self, id: &Id, cx: LayerContext<'_, S>) {
        let left = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            let index = entered
                .iter()
                .rposition(|it| it.key == self.key && it.id == *id)?;
            Some(entered.remove(index))
        });
        let Ok(Some(left)) = left else { return };
        drop(left.guard);
        if let Some(slot) = self.slot_of(id, &cx) {
            slot.exited();
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, cx: LayerContext<'_, S>) {
        if let (Some(slot), Some(followed)) = (self.slot_of(id, &cx), self.slot_of(follows, &cx)) {
            slot.link(&followed, &self.tracer);
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: LayerContext<'_, S>) {
        let Some(slot) = cx.event_span(event).and_then(|span| self.slot(&span)) else {
            return;
        };
        let mut message = Message::default();
        event.record(&mut message);
        let span = slot.start(&self.tracer).span();
        if let (Some(returned), None) = (message.returned, &message.text) {
            return span.set_attribute(KeyValue::new(
                key_below(Bucket::Outputs.attribute_prefix(), "result"),
                returned,
            ));
        }
        let metadata = event.metadata();
        let mut attributes = message.attributes;
        let name = match (&message.text, &message.error) {
            (Some(text), _) => text.clone(),
            // The event of `#[instrument(err)]` has no other fields.
            (None, Some(error)) => {
                attributes.push(KeyValue::new(EXCEPTION_MESSAGE, error.clone()));
                EXCEPTION.to_owned()
            }
            (None, None) => metadata.name().to_owned(),
        };
        if *metadata.level() == Level::ERROR {
            let text = message.error.or(message.text);
            set_error(&span, text.unwrap_or_else(|| name.clone()));
        }
        // Swiftide tells of its spans in events what Langfuse is to show.
        let (said, rest): (Vec<_>, Vec<_>) = attributes
            .into_iter()
            .partition(|it| it.key.as_str().starts_with("langfuse."));
        span.set_attributes(said);
        let mut attributes = rest;
        attributes.push(KeyValue::new("level", metadata.level().as_str()));
        attributes.push(KeyValue::new("target", metadata.target()));
        span.add_event(name, attributes);
    }

    fn on_close(&self, id: Id, cx: LayerContext<'_, S>) {
        let slot = cx.span(&id).and_then(|span| self.slot(&span));
        if let Some(slot) = slot {
            slot.end(&self.tracer);
        }
    }
}

/// Returns the target and the level of a span.
fn origin(metadata: &'static Metadata<'static>) -> [KeyValue; 2] {
    [
        KeyValue::new("honeyhive_metadata.level", metadata.level().as_str()),
        KeyValue::new("honeyhive_metadata.target", metadata.target()),
    ]
}
