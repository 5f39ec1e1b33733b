//! The expansion of `#[honeyhive::trace]` calls these functions.
//!
//! The order is always the same: [`begin`] finds the tracer and starts the span, with the inputs; [`run`] or [`Run`]
//! executes the body with the span current; [`finish`] or [`TracedStream`] records the result. Without a tracer each of
//! them passes through.

mod active;
mod budget;
pub mod by;
mod future;
mod items;
mod record;
mod stream;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanBuilder, TraceContextExt as _, Tracer as _};

pub use active::Active;
pub use by::{Failure, Outcome, Probe, Recorded};
pub use future::{Run, none_of_output};
pub use record::{Inputs, Outputs};
pub use stream::{TracedStream, stream};

use crate::EventType;
use crate::HoneyHiveTracer;
use crate::attributes::{CALL_SITE, EVENT_TYPE};
use crate::context;
use crate::log::CallSite;
#[cfg(feature = "model-calls")]
use crate::model_span;
use crate::panics::guarded;
use crate::session::current;
use crate::span::Maker;
use crate::tracer::here::maker_here;

/// The site has the facts about a traced function that are known at compile time.
#[derive(Debug)]
pub struct Site {
    name: &'static str,
    event_type: Option<EventType>,
    /// So many arguments are recorded.
    inputs: usize,
    /// The location is the file and the line.
    location: &'static str,
}

impl Site {
    /// Makes a site of the attribute's arguments.
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

impl Site {
    fn call_site(&self) -> CallSite {
        CallSite::named(self.location)
    }

    // The function is out of line, and so are the others that a function without a tracer never reaches.
    #[inline(never)]
    fn begin(&self, maker: Maker, fill: impl FnOnce(&mut Inputs<'_>)) -> Option<Active> {
        let site = self;
        let Maker { tracer, outbox } = maker;
        outbox.expect_open(format_args!("the span {:?}", site.name), site.call_site());
        /// The room is for what the processor stamps and for a small result.
        const MORE: usize = 8;
        let mut attributes = Vec::with_capacity(site.inputs + MORE);
        attributes.extend(
            site.event_type
                .map(|kind| KeyValue::new(EVENT_TYPE, kind.as_str())),
        );
        // The context is a copy, since the program's code runs below, and may change what is current.
        let cx = context::current();
        if cfg!(debug_assertions) && current::of_tracer(&cx, &outbox).is_none() {
            attributes.push(KeyValue::new(CALL_SITE, site.location));
        }
        if cx.is_telemetry_suppressed() {
            return None;
        }
        // A panic of the program's code loses the remaining arguments and is counted.
        let _ = guarded(&outbox, || {
            let mut inputs = Inputs::new(&mut attributes, &outbox, site.inputs);
            fill(&mut inputs);
            inputs.close();
        });
        let mut builder = SpanBuilder::from_name(site.name);
        builder.attributes = Some(attributes);
        let span = tracer.build_with_context(builder, &cx);
        if !span.is_recording() {
            return None;
        }
        let cx = cx.with_span(span);
        #[cfg(feature = "model-calls")]
        let cx = match site.event_type {
            Some(event_type) => model_span::mark(cx, event_type),
            None => cx,
        };
        Some(Active { cx, outbox })
    }
}

/// Starts the span with the current session's tracer, else the default one.
#[inline]
pub fn begin(site: &Site, fill: impl FnOnce(&mut Inputs<'_>)) -> Option<Active> {
    let maker = maker_here(site.name, site.call_site())?;
    site.begin(maker, fill)
}

/// Starts the span with this tracer.
#[inline]
pub fn begin_with(
    site: &Site,
    tracer: &HoneyHiveTracer,
    fill: impl FnOnce(&mut Inputs<'_>),
) -> Option<Active> {
    site.begin(tracer.maker()?, fill)
}

/// Executes the body with the span current.
#[inline]
pub fn run<T>(active: Option<Active>, body: impl FnOnce() -> T) -> (T, Option<Active>) {
    match active {
        None => (body(), None),
        Some(active) => active.run(body),
    }
}

/// Records the output and ends the span.
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
