//! The process-wide default tracer, for `#[honeyhive::trace]` outside every session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use super::HoneyHiveTracer;

/// Set once [`DEFAULT`] holds a tracer. A traced function that records nothing reads only this.
static IS_SET: AtomicBool = AtomicBool::new(false);
static DEFAULT: RwLock<Option<HoneyHiveTracer>> = RwLock::new(None);

impl HoneyHiveTracer {
    /// Makes this the tracer of every `#[honeyhive::trace]` function that runs outside all sessions and
    /// names no tracer itself. Answers the one it takes the place of.
    ///
    /// The process holds on to it, so it does not shut down by being dropped: keep a
    /// [`shutdown_guard`](Self::shutdown_guard) in `main`.
    ///
    /// ```
    /// use honeyhive::HoneyHiveTracer;
    ///
    /// #[honeyhive::trace]
    /// fn work() {}
    ///
    /// let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
    /// HoneyHiveTracer::set_default(tracer.clone());
    /// let _guard = tracer.shutdown_guard();
    /// work(); // a span in the tracer's own session
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    pub fn set_default(tracer: Self) -> Option<Self> {
        let replaced = DEFAULT
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(tracer);
        IS_SET.store(true, Ordering::Release);
        replaced
    }

    pub(crate) fn has_default() -> bool {
        IS_SET.load(Ordering::Acquire)
    }

    pub(crate) fn default_tracer() -> Option<Self> {
        DEFAULT
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
