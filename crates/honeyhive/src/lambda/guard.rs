//! [`InvocationGuard`] accompanies an invocation from the event to the moment at which the next may come.

use std::error::Error;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::{self, Poll};

use opentelemetry::Context;

use super::Inner;
use super::ending::Active;
use super::handler::{HandlerEnd, Wire};
use crate::incoming::Flush;
use crate::incoming::{panic_text, run_in};
use crate::model::causes::with_causes;
use crate::outbox::Outcome;
use crate::session::Session;

const NEVER_RAN: &str = "the runtime answered before the handler ran; its log says why";
const UNFINISHED: &str = "the answer was given before the handler had ended";
const CANCELLED: &str = "cancelled: the future was dropped before its end";

/// The guard stands for an invocation that is under way. Dropping it says that it was cancelled.
///
/// ```
/// use std::future::poll_fn;
///
/// use honeyhive::lambda::{Invocation, LambdaInstrumentation};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let (tracer, captured) = honeyhive::testing::tracer();
/// let instrumentation = LambdaInstrumentation::new(tracer);
/// let event = br#"{"message": "what is 6 * 7?"}"#.as_slice().into();
///
/// let mut guard = instrumentation.on_invocation(&Invocation::new("8476a536", "answers", &event));
/// let answer = guard.run(|| 6 * 7); // its spans are the session's
/// // … post the answer to Lambda, then:
/// guard.on_answer();
/// poll_fn(|cx| guard.poll_flush(cx)).await; // before the next event is asked for
/// # assert_eq!((answer, captured.session_named("answers").metadata["outcome"].as_str()), (42, Some("answered")));
/// # }
/// ```
#[must_use = "dropping the guard says that the invocation was cancelled"]
pub struct InvocationGuard {
    pub(super) instrumentation: Arc<Inner>,
    /// The pieces run in this context; `None` where it is current already.
    pub(super) cx: Option<Context>,
    pub(super) active: Option<Active>,
    pub(super) wire: Wire,
    pub(super) flush: Flush,
}

impl InvocationGuard {
    /// Returns the session that begins or is linked here; `None` where none is begun, or an outer layer has begun one.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.active.as_ref().map(|active| &active.session)
    }

    /// Runs a piece of the function in the invocation's context. A panic is recorded and goes on.
    pub fn run<T>(&mut self, piece: impl FnOnce() -> T) -> T {
        let Some(cx) = &self.cx else {
            return piece();
        };
        run_in(cx, piece).unwrap_or_else(|panic| {
            self.end(HandlerEnd {
                outcome: Outcome::Panicked,
                error: Some(panic_text(&*panic)),
            });
            resume_unwind(panic)
        })
    }

    /// Records that Lambda has its answer. A [`HandlerGuard`](super::HandlerGuard) tells how the invocation ended. One
    /// that is there and has told nothing means that the answer is none of the handler's, and the outcome is `error`;
    /// where there is none, it may have been a result or an error, and the outcome is `answered`.
    pub fn on_answer(&mut self) {
        let how = self.wire.end().unwrap_or_else(|| self.silence());
        self.end(how);
    }

    fn silence(&self) -> HandlerEnd {
        let error = match (self.wire.has_begun(), self.instrumentation.announced.is()) {
            (true, _) => Some(UNFINISHED),
            (false, true) => Some(NEVER_RAN),
            (false, false) => None,
        };
        HandlerEnd {
            outcome: error.map_or(Outcome::Answered, |_| Outcome::Error),
            error: error.map(str::to_owned),
        }
    }

    /// Records that Lambda got no answer, with the error and its causes.
    pub fn on_error(&mut self, error: &dyn Error) {
        if self.active.is_some() {
            self.end(HandlerEnd {
                outcome: Outcome::Error,
                error: Some(with_causes(error)),
            });
        }
    }

    /// Polls the flush: ready once everything that was recorded so far has been delivered, or the time for that is
    /// over. The poll belongs after the end, and before the next event is asked for.
    ///
    /// A flush that fails is one line in the log, once a minute; what is pending stays so and goes with the
    /// next invocation.
    pub fn poll_flush(&mut self, cx: &mut task::Context<'_>) -> Poll<()> {
        let inner = &self.instrumentation;
        self.flush.poll(&inner.flushing, inner.tracer.outbox(), cx)
    }

    fn end(&mut self, how: HandlerEnd) {
        if let Some(active) = self.active.take() {
            active.end(how);
        }
    }
}

impl Drop for InvocationGuard {
    fn drop(&mut self) {
        self.end(HandlerEnd {
            outcome: Outcome::Cancelled,
            error: Some(CANCELLED.to_owned()),
        });
    }
}

impl fmt::Debug for InvocationGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InvocationGuard")
            .field("session", &self.session())
            .finish_non_exhaustive()
    }
}
