//! A tracer delivers what is left when it is flushed or shut down.

use std::time::Duration;

use super::HoneyHiveTracer;
use crate::error::FlushError;
use crate::log::{self, CallSite};
use crate::outbox::{Closed, Command, Reply, wait};
use crate::report::FlushReport;

impl HoneyHiveTracer {
    /// Delivers everything that was accepted before this call, and waits for that, at most for `timeout`.
    ///
    /// The call works on any runtime, and ends in time whatever hooks of the program do. Updates of a session that
    /// nobody has begun wait for the spans of their request, and this call does not wait for them.
    ///
    /// # Errors
    ///
    /// [`FlushError::TimedOut`] when items are still pending, [`FlushError::Dropped`] when some were
    /// lost on the way, [`FlushError::ShutDown`] after a shutdown.
    #[doc(alias = "flush")]
    #[doc(alias = "timeout_millis")]
    pub async fn force_flush(&self, timeout: Duration) -> Result<FlushReport, FlushError> {
        if self.is_off() {
            return Ok(FlushReport::default());
        }
        let (reply, answer) = Reply::awaited(timeout);
        let outbox = &self.inner.outbox;
        outbox.command(Command::Flush(timeout, reply));
        outbox.flushed(answer.await, timeout)
    }

    /// Does the same as [`force_flush`](Self::force_flush) in code that is not async: it blocks this thread.
    ///
    /// # Errors
    ///
    /// The same as those of [`force_flush`](Self::force_flush).
    pub fn force_flush_blocking(&self, timeout: Duration) -> Result<FlushReport, FlushError> {
        self.blocking(timeout, Command::Flush)
    }

    /// Delivers everything that was accepted, at most for `timeout`, and ends the delivery thread. Later items are
    /// dropped and counted.
    ///
    /// # Errors
    ///
    /// The same as those of [`force_flush`](Self::force_flush). With a [`Spool`](crate::Spool), items that are still
    /// pending stay on disk for the next process to deliver. Without one they are lost, and counted as
    /// [`DropReason::ShutDown`](crate::DropReason::ShutDown).
    #[doc(alias = "shutdown_tracer")]
    #[doc(alias = "graceful_shutdown_all")]
    #[track_caller]
    pub fn shutdown(
        &self,
        timeout: Duration,
    ) -> impl Future<Output = Result<FlushReport, FlushError>> + Send + use<> {
        self.stop(timeout, Closed::Call(CallSite::here()))
    }

    pub(super) fn stop(
        &self,
        timeout: Duration,
        by: Closed,
    ) -> impl Future<Output = Result<FlushReport, FlushError>> + Send + use<> {
        let tracer = self.clone();
        async move {
            if tracer.is_off() {
                return Ok(FlushReport::default());
            }
            let (reply, answer) = Reply::awaited(timeout);
            let outbox = &tracer.inner.outbox;
            outbox.close(by);
            outbox.command(Command::Stop(timeout, reply));
            outbox.flushed(answer.await, timeout)
        }
    }

    /// Does the same as [`shutdown`](Self::shutdown) in code that is not async: it blocks this thread.
    ///
    /// # Errors
    ///
    /// The same as those of [`shutdown`](Self::shutdown).
    #[track_caller]
    pub fn shutdown_blocking(&self, timeout: Duration) -> Result<FlushReport, FlushError> {
        self.stop_blocking(timeout, Closed::Call(CallSite::here()))
    }

    pub(super) fn stop_blocking(
        &self,
        timeout: Duration,
        by: Closed,
    ) -> Result<FlushReport, FlushError> {
        if self.is_off() {
            return Ok(FlushReport::default());
        }
        self.inner.outbox.close(by);
        self.blocking(timeout, Command::Stop)
    }

    fn blocking(
        &self,
        timeout: Duration,
        command: impl FnOnce(Duration, Reply<Result<FlushReport, FlushError>>) -> Command,
    ) -> Result<FlushReport, FlushError> {
        if self.is_off() {
            return Ok(FlushReport::default());
        }
        let (reply, answer) = Reply::blocking();
        self.inner.outbox.command(command(timeout, reply));
        let waited = wait::block(&answer, timeout);
        // The calling thread may have a subscriber of its own, which the delivery thread cannot reach.
        log::replay();
        self.inner.outbox.flushed(waited, timeout)
    }
}
