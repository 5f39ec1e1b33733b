//! [`HandlerGuard`] tells the guard around the handler how the handler ended.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use opentelemetry::Context;

use crate::context;
use crate::incoming::panic_text;
use crate::model::causes::with_causes;
use crate::outbox::Outcome;

/// The handler ends with an outcome.
#[derive(Debug, Clone)]
pub(super) struct HandlerEnd {
    pub(super) outcome: Outcome,
    pub(super) error: Option<String>,
}

/// The wire leads from the handler's guard to the layer, in the OpenTelemetry context, so that layers in between need
/// not know it.
#[derive(Debug, Clone, Default)]
pub(super) struct Wire(Arc<Line>);

#[derive(Debug, Default)]
struct Line {
    has_begun: AtomicBool,
    end: OnceLock<HandlerEnd>,
}

impl Wire {
    /// Returns the wire of an outer layer, or a new one.
    pub(super) fn within(cx: &Context) -> Self {
        cx.get::<Self>().cloned().unwrap_or_default()
    }

    pub(super) fn end(&self) -> Option<HandlerEnd> {
        self.0.end.get().cloned()
    }

    /// Returns whether a guard was made around the handler, so that the handler was at least called.
    pub(super) fn has_begun(&self) -> bool {
        self.0.has_begun.load(Ordering::Relaxed)
    }
}

/// The announcement says that an inner service has a handler with a guard; it is in the OpenTelemetry context while
/// readiness is polled, which reaches the innermost service before an event comes.
#[derive(Debug, Clone, Default)]
pub(super) struct Announced(Arc<AtomicBool>);

impl Announced {
    pub(super) fn is(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The guard stands around the handler of an invocation, inside the layer that turns its errors and panics into
/// answers. It tells the [`InvocationGuard`](super::InvocationGuard) around it how the handler ended.
///
/// A guard without an outer one does nothing.
///
/// ```
/// use honeyhive::lambda::{HandlerGuard, Invocation, LambdaInstrumentation};
///
/// fn handle(event: &str) -> Result<i64, std::num::ParseIntError> {
///     let guard = HandlerGuard::current();
///     let answer = guard.run(|| event.parse::<i64>());
///     match &answer {
///         Ok(_) => guard.on_success(),
///         Err(error) => guard.on_error(error),
///     }
///     answer
/// }
///
/// # let (tracer, captured) = honeyhive::testing::tracer();
/// let instrumentation = LambdaInstrumentation::new(tracer);
/// let event = b"forty-two".as_slice().into();
/// let mut invocation = instrumentation.on_invocation(&Invocation::new("8476a536", "answers", &event));
/// let answer = invocation.run(|| handle("forty-two"));
/// invocation.on_answer(); // Lambda has been told, whatever the answer is
/// # assert!(answer.is_err());
/// # assert_eq!(captured.session_named("answers").metadata["outcome"], "error");
/// ```
#[derive(Debug)]
pub struct HandlerGuard {
    wire: Option<Wire>,
}

impl HandlerGuard {
    /// Announces that the handler has a guard, before an invocation is there: in
    /// [`LambdaInstrumentation::on_ready`](super::LambdaInstrumentation::on_ready). An invocation without a guard is
    /// then known to have been answered without the handler.
    pub fn announce() {
        let announced: Option<Announced> = context::map(|cx| cx.get().cloned()).flatten();
        if let Some(announced) = announced {
            announced.set();
        }
    }

    /// Returns a guard for the handler of the invocation that is current here, which is called now.
    #[must_use]
    pub fn current() -> Self {
        let wire: Option<Wire> = context::map(|cx| cx.get().cloned()).flatten();
        if let Some(Wire(line)) = &wire {
            line.has_begun.store(true, Ordering::Relaxed);
        }
        Self { wire }
    }

    /// Runs a piece of the handler. A panic is told and goes on.
    pub fn run<T>(&self, piece: impl FnOnce() -> T) -> T {
        // The panic goes on, so its half-done work is never seen.
        catch_unwind(AssertUnwindSafe(piece)).unwrap_or_else(|panic| {
            self.tell(Outcome::Panicked, Some(panic_text(&*panic)));
            resume_unwind(panic)
        })
    }

    /// Tells that the handler has a result.
    pub fn on_success(&self) {
        self.tell(Outcome::Complete, None);
    }

    /// Tells that the handler has failed, with this error and its causes.
    pub fn on_error(&self, error: &dyn Error) {
        if self.wire.is_some() {
            self.tell(Outcome::Error, Some(with_causes(error)));
        }
    }

    fn tell(&self, outcome: Outcome, error: Option<String>) {
        if let Some(Wire(line)) = &self.wire {
            // The innermost guard tells first, and knows best.
            let _ = line.end.set(HandlerEnd { outcome, error });
        }
    }
}
