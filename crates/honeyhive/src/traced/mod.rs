//! What the expansion of `#[honeyhive::trace]` calls.
//!
//! The order is always the same: [`begin`] finds the tracer and starts the span, with the inputs;
//! [`run`] or [`Run`] executes the body with the span current; [`finish`] or [`TracedStream`] records
//! what came out. With nothing recording, each of them passes through.

mod active;
pub mod by;
mod future;
mod record;
mod stream;

use std::sync::Arc;

use opentelemetry::trace::{Span as _, SpanBuilder, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;

pub use active::Active;
pub use by::{Failure, Outcome, Probe};
pub use future::Run;
pub use record::{Inputs, Outputs};
pub use stream::{TracedStream, stream};

use crate::EventType;
use crate::HoneyHiveTracer;
use crate::attributes::{CALL_SITE, EVENT_TYPE};
#[cfg(feature = "model-calls")]
use crate::model_span;
use crate::outbox::Outbox;
use crate::panics::guarded;
use crate::session::{Session, current, suppression};

/// What is known of a traced function at compile time.
#[derive(Debug)]
pub struct Site {
    name: &'static str,
    event_type: Option<EventType>,
    /// So many arguments are recorded.
    inputs: usize,
    /// The file and the line.
    location: &'static str,
}

impl Site {
    /// What the attribute says.
    #[must_use]
    pub const fn new(
        name: &'static str,
        event_type: Option<EventType>,
        inputs: usize,
        location: &'static str,
    ) -> Self {
        Self {
            name,
            event_type,
            inputs,
            location,
        }
    }
}

/// Whoever makes the span.
struct Target {
    tracer: Arc<SdkTracer>,
    outbox: Arc<Outbox>,
}

impl Target {
    fn of(tracer: &HoneyHiveTracer) -> Self {
        Self {
            tracer: tracer.shared_sdk_tracer(),
            outbox: Arc::clone(tracer.outbox()),
        }
    }

    /// The tracer of the innermost session, else the default one.
    ///
    /// A session that has outlived its tracer records nothing: its spans have nowhere to go, and the
    /// default tracer's session is not theirs.
    #[inline]
    fn here() -> Option<Self> {
        Context::map_current(|cx| match current::in_context(cx) {
            Some(session) => Self::of_session(session),
            None if HoneyHiveTracer::has_default() => Self::by_default(cx),
            None => None,
        })
    }

    fn of_session(session: &Session) -> Option<Self> {
        Some(Self {
            tracer: session.outbox.tracer()?,
            outbox: Arc::clone(&session.outbox),
        })
    }

    #[inline(never)]
    fn by_default(cx: &Context) -> Option<Self> {
        let target = Self::of(&HoneyHiveTracer::default_tracer()?);
        // As the processor has it: a session that came from outside is one all the same.
        let is_meant =
            !suppression::is_suppressed(&target.outbox) || current::from_baggage(cx).is_some();
        is_meant.then_some(target)
    }

    // Out of line, and so are the others that a function without a tracer never reaches.
    #[inline(never)]
    fn begin(self, site: &Site, fill: impl FnOnce(&mut Inputs<'_>)) -> Option<Active> {
        /// Room for what the processor stamps and for a small result.
        const MORE: usize = 8;
        let mut attributes = Vec::with_capacity(site.inputs + MORE);
        attributes.extend(
            site.event_type
                .map(|kind| KeyValue::new(EVENT_TYPE, kind.as_str())),
        );
        // A copy: the program's code runs below, and may change what is current.
        let cx = Context::current();
        if cfg!(debug_assertions) && current::of_tracer(&cx, &self.outbox).is_none() {
            attributes.push(KeyValue::new(CALL_SITE, site.location));
        }
        if cx.is_telemetry_suppressed() {
            return None;
        }
        // What a panic leaves out is counted.
        let _ = guarded(&self.outbox, || {
            let mut inputs = Inputs::new(&mut attributes, &self.outbox);
            fill(&mut inputs);
            inputs.close();
        });
        let builder = SpanBuilder::from_name(site.name).with_attributes(attributes);
        let span = self.tracer.build_with_context(builder, &cx);
        if !span.is_recording() {
            return None;
        }
        let cx = cx.with_span(span);
        #[cfg(feature = "model-calls")]
        let cx = match site.event_type {
            Some(event_type) => model_span::mark(cx, event_type),
            None => cx,
        };
        Some(Active {
            cx,
            outbox: self.outbox,
        })
    }
}

/// Starts the span with the current session's tracer, else the default one.
#[inline]
pub fn begin(site: &Site, fill: impl FnOnce(&mut Inputs<'_>)) -> Option<Active> {
    Target::here()?.begin(site, fill)
}

/// Starts the span with this tracer.
#[inline]
pub fn begin_with(
    site: &Site,
    tracer: &HoneyHiveTracer,
    fill: impl FnOnce(&mut Inputs<'_>),
) -> Option<Active> {
    Target::of(tracer).begin(site, fill)
}

/// Executes the body with the span current.
#[inline]
pub fn run<T>(active: Option<Active>, body: impl FnOnce() -> T) -> (T, Option<Active>) {
    match active {
        None => (body(), None),
        Some(active) => active.run(body),
    }
}

/// Records what came out and ends the span.
#[inline]
pub fn finish<T>(
    active: Option<Active>,
    output: T,
    observe: impl FnOnce(&T, &mut Outputs<'_>),
) -> T {
    if let Some(active) = active {
        active.finish(|outputs| observe(&output, outputs));
    }
    output
}
