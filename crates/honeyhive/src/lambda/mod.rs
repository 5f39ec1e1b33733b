//! The instrumentation records the invocations of a Lambda function, whatever runs it (feature `lambda`).
//!
//! An adapter borrows the invocation as an [`Invocation`], asks [`LambdaInstrumentation::on_invocation`] for
//! an [`InvocationGuard`], runs the function with the guard's context attached, tells the guard how it went,
//! and waits for the guard's flush before it asks for the next event: the environment may be frozen from then
//! on. No type of AWS's is in here; the layer for the crate `lambda_runtime` is in `honeyhive-tower`.
//!
//! # What is recorded?
//!
//! Each invocation is a session. The session is named after the function, so that all invocations of a function
//! have one name, as all requests of a route have. What tells them apart is in the metadata:
//!
//! | what | where |
//! |---|---|
//! | the function's name | the session's name |
//! | the event, where it is JSON of at most 256 KiB | `inputs.event` |
//! | why the event is not there, and its size | `metadata.event_not_recorded` (`not_json` or `too_large`), `metadata.event_bytes` |
//! | the request id, and whether this is the first event of the environment | `metadata.request_id`, `metadata.cold_start` |
//! | how it ended | `metadata.outcome`, `metadata.latency_ms`, the error |
//!
//! A session of several invocations has the metadata of the latest.
//!
//! An event may hold what should not leave the account: that of an API gateway has all headers of the
//! request. [`capture_event(false)`](LambdaInstrumentationBuilder::capture_event) leaves it out; the function
//! can add what it wants to see with [`Session::enrich`](crate::Session::enrich).
//!
//! # Which session?
//!
//! An event that is a JSON object with a text `session_id` goes on in that session, as far as the
//! [`SessionTrust`] lets it; that invocation starts none, and its event is not recorded. A `session_id` that
//! is no usable id counts as absent
//! ([`DeliveryStats::ignored_session_ids`](crate::DeliveryStats::ignored_session_ids)); `null` is absent.
//! The function answers with the session's id, and the next event carries it.
//!
//! # When is what recorded?
//!
//! | moment | adapter calls | recorded |
//! |---|---|---|
//! | the event is there | [`LambdaInstrumentation::on_invocation`] | the session begins, or is linked |
//! | the answer was given | [`InvocationGuard::on_answer`] | the session ends, as the handler has told |
//! | no answer could be given | [`InvocationGuard::on_error`] | the session ends as `error` |
//! | a panic goes through | it runs in [`InvocationGuard::run`] | the session ends as `panicked` |
//! | the guard is dropped before that | | the session ends as `cancelled` |
//! | after the end | [`InvocationGuard::poll_flush`] | everything is delivered, within a bound |
//!
//! The layer that holds the guard may not see the answer: `lambda_runtime` turns an error or a panic of the handler
//! into an answer below its layers. So:
//!
//! * A [`HandlerGuard`] around the handler itself tells the outer guard, and the outcome is `complete`, `error` or
//!   `panicked`.
//! * An answer before the handler has run, such as that to a payload which does not deserialise, is an `error`, too, if
//!   the handler has announced its guard ([`HandlerGuard::announce`]).
//! * Without such a guard the outcome is `answered`: Lambda has its answer, be it a result or an error.

mod builder;
mod ending;
mod event;
mod guard;
mod handler;
mod invocation;
mod open;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use builder::LambdaInstrumentationBuilder;
pub use guard::InvocationGuard;
pub use handler::HandlerGuard;
pub use invocation::Invocation;

use self::handler::Announced;
use crate::incoming::Flushing;
pub use crate::session::SessionTrust;
use crate::tracer::HoneyHiveTracer;

/// The instrumentation makes a session of each invocation of a function. Clones are cheap, and all clones are one.
///
/// ```
/// use std::time::Duration;
///
/// use honeyhive::HoneyHiveTracer;
/// use honeyhive::lambda::{LambdaInstrumentation, SessionTrust};
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let instrumentation = LambdaInstrumentation::builder(tracer)
///     .capture_event(false)
///     .session_trust(SessionTrust::Uuid)
///     .flush_timeout(Duration::from_secs(2))
///     .build();
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Clone)]
pub struct LambdaInstrumentation {
    inner: Arc<Inner>,
}

struct Inner {
    tracer: HoneyHiveTracer,
    begin_session: bool,
    capture_event: bool,
    trust: Arc<SessionTrust>,
    flushing: Flushing,
    /// An event has come before.
    is_warm: AtomicBool,
    /// The announcement tells whether a [`HandlerGuard`] exists around the handler.
    announced: Announced,
}

impl LambdaInstrumentation {
    /// Returns the tracer.
    #[must_use]
    pub fn tracer(&self) -> &HoneyHiveTracer {
        &self.inner.tracer
    }
}

impl fmt::Debug for LambdaInstrumentation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("LambdaInstrumentation")
            .field(&self.inner)
            .finish()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Inner")
            .field("begin_session", &self.begin_session)
            .field("capture_event", &self.capture_event)
            .field("session_trust", &self.trust)
            .field("flush_timeout", &self.flushing.timeout)
            .finish_non_exhaustive()
    }
}
