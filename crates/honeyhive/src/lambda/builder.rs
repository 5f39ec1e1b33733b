//! [`LambdaInstrumentationBuilder`] takes the settings of a function's instrumentation.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::handler::Announced;
use super::{Inner, LambdaInstrumentation, SessionTrust};
use crate::incoming::Flushing;
use crate::tracer::HoneyHiveTracer;

impl LambdaInstrumentation {
    /// Returns an instrumentation with the defaults: see the setters of [`LambdaInstrumentationBuilder`].
    #[must_use]
    pub fn new(tracer: HoneyHiveTracer) -> Self {
        Self::builder(tracer).build()
    }

    /// Begins an instrumentation with settings of its own.
    pub fn builder(tracer: HoneyHiveTracer) -> LambdaInstrumentationBuilder {
        LambdaInstrumentationBuilder::new(tracer)
    }
}

impl From<HoneyHiveTracer> for LambdaInstrumentation {
    fn from(tracer: HoneyHiveTracer) -> Self {
        Self::new(tracer)
    }
}

/// The builder takes the settings of a [`LambdaInstrumentation`].
#[must_use = "an instrumentation is made by `.build()`"]
pub struct LambdaInstrumentationBuilder(Inner);

impl LambdaInstrumentationBuilder {
    pub(super) fn new(tracer: HoneyHiveTracer) -> Self {
        let trust = Arc::clone(tracer.trusts().of_tracer());
        Self(Inner {
            tracer,
            begin_session: true,
            capture_event: true,
            trust,
            flushing: Flushing::default(),
            is_warm: AtomicBool::new(false),
            announced: Announced::default(),
        })
    }

    /// Sets whether the event becomes the session's `inputs.event` (default `true`).
    pub fn capture_event(mut self, on: bool) -> Self {
        self.0.capture_event = on;
        self
    }

    /// Sets the trust in a `session_id` of an event (default: the tracer's, which is [`SessionTrust::Map`] unless set).
    pub fn session_trust(mut self, trust: SessionTrust) -> Self {
        self.0.trust = Arc::new(trust);
        self
    }

    /// Sets the longest time of the flush after an invocation (default 5 s). A flush never takes more than the time
    /// until the invocation's deadline, less 250 ms; zero turns it off. After a flush that delivered nothing, the next
    /// ones take at most 200 ms until something gets through, except every tenth: so an outage of HoneyHive costs an
    /// environment little, and a HoneyHive that is only slow is reached all the same.
    ///
    /// Lambda bills the time of the flush, and the next event of this environment waits for it; the caller's answer
    /// does not.
    pub fn flush_timeout(mut self, timeout: Duration) -> Self {
        self.0.flushing.timeout = timeout;
        self
    }

    /// Sets whether an invocation becomes a session (default `true`). With `false` it is only followed by a flush, for
    /// a function whose sessions are begun further in: by the function itself, or by the layer of an HTTP framework.
    pub fn begin_session(mut self, on: bool) -> Self {
        self.0.begin_session = on;
        self
    }

    /// Returns the instrumentation.
    #[must_use]
    pub fn build(self) -> LambdaInstrumentation {
        self.0.tracer.trusts().add(&self.0.trust);
        LambdaInstrumentation {
            inner: Arc::new(self.0),
        }
    }
}

impl fmt::Debug for LambdaInstrumentationBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("LambdaInstrumentationBuilder")
            .field(&self.0)
            .finish()
    }
}
