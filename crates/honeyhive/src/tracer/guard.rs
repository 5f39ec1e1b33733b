//! The guards run an action when a future or a program ends.

use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::time::{Duration, Instant};

use super::HoneyHiveTracer;
use crate::log::{self, CallSite};
use crate::outbox::LAST_FLUSH;
use crate::outbox::{Closed, Outcome, SessionEnd};
use crate::panics::panic_text;
use crate::session::{NewSession, Session};
use crate::span::Failure;

impl HoneyHiveTracer {
    /// Runs a unit of work (a job, a message, a batch) in a session of its own, which ends with it. The future holds
    /// a handle of the tracer, so it can be spawned.
    ///
    /// The session does not depend on the output of the work: for work that can fail there is
    /// [`try_with_session`](Self::try_with_session).
    ///
    /// ```
    /// # async fn example(tracer: honeyhive::HoneyHiveTracer) {
    /// let rows = tracer
    ///     .with_session("nightly-import", async |session| {
    ///         session.metadata(honeyhive::json!({"run": 7}));
    ///         10_000 // spans in here are in the session
    ///     })
    ///     .await;
    /// # let _: i32 = rows;
    /// # }
    /// ```
    #[track_caller]
    pub fn with_session<N, F, Fut>(
        &self,
        new: N,
        work: F,
    ) -> impl Future<Output = Fut::Output> + use<N, F, Fut>
    where
        N: Into<NewSession>,
        F: FnOnce(Session) -> Fut,
        Fut: Future,
    {
        let (tracer, site) = (self.clone(), CallSite::here());
        async move {
            // The time is taken before the session begins, so that no span of it seems to begin after its end.
            let began = Instant::now();
            to_its_end(tracer.begin_session(new.into(), site), began, work, |_| {
                None
            })
            .await
        }
    }

    /// Runs work that can fail in a session of its own, as [`with_session`](Self::with_session) does: an `Err` becomes
    /// the session's error, with its causes, and the session ends as `error`.
    ///
    /// The `Err` may be any error, what boxes or wraps one (`Box<dyn Error>`, `anyhow::Error`), or text.
    ///
    /// ```
    /// # async fn example(tracer: honeyhive::HoneyHiveTracer) -> std::io::Result<()> {
    /// let rows = tracer
    ///     .try_with_session("nightly-import", async |session| {
    ///         let orders = std::fs::read_to_string("orders.csv")?;
    ///         session.outputs(honeyhive::json!({"bytes": orders.len()}));
    ///         Ok::<_, std::io::Error>(orders.lines().count())
    ///     })
    ///     .await?;
    /// # let _: usize = rows;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the work.
    #[track_caller]
    pub fn try_with_session<N, F, Fut, T, E, Kind>(
        &self,
        new: N,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + use<N, F, Fut, T, E, Kind>
    where
        N: Into<NewSession>,
        F: FnOnce(Session) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Failure<Kind>,
    {
        let (tracer, site) = (self.clone(), CallSite::here());
        let error = |output: &Result<T, E>| output.as_ref().err().map(Failure::to_text);
        async move {
            let began = Instant::now();
            to_its_end(tracer.begin_session(new.into(), site), began, work, error).await
        }
    }

    /// Runs blocking work in a session of its own, which ends with it: [`with_session`](Self::with_session) for what is
    /// not async.
    ///
    /// ```
    /// # fn example(tracer: honeyhive::HoneyHiveTracer) {
    /// let rows = tracer.with_session_blocking("nightly-import", |session| {
    ///     session.metadata(honeyhive::json!({"run": 7}));
    ///     10_000 // spans in here are in the session
    /// });
    /// # let _: i32 = rows;
    /// # }
    /// ```
    #[track_caller]
    pub fn with_session_blocking<T>(
        &self,
        new: impl Into<NewSession>,
        work: impl FnOnce(Session) -> T,
    ) -> T {
        let began = Instant::now();
        to_its_end_blocking(&self.create_session(new), began, work, |_| None)
    }

    /// Runs blocking work that can fail in a session of its own, as [`try_with_session`](Self::try_with_session) does
    /// for what is async.
    ///
    /// ```
    /// # fn example(tracer: honeyhive::HoneyHiveTracer) -> std::io::Result<()> {
    /// let rows = tracer.try_with_session_blocking("nightly-import", |session| {
    ///     let orders = std::fs::read_to_string("orders.csv")?;
    ///     session.outputs(honeyhive::json!({"bytes": orders.len()}));
    ///     Ok::<_, std::io::Error>(orders.lines().count())
    /// })?;
    /// # let _: usize = rows;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the work.
    #[track_caller]
    pub fn try_with_session_blocking<T, E: Failure<Kind>, Kind>(
        &self,
        new: impl Into<NewSession>,
        work: impl FnOnce(Session) -> Result<T, E>,
    ) -> Result<T, E> {
        let error = |output: &Result<T, E>| output.as_ref().err().map(Failure::to_text);
        let began = Instant::now();
        to_its_end_blocking(&self.create_session(new), began, work, error)
    }

    /// Shuts the tracer down when the guard is dropped, within 5 seconds unless told otherwise.
    #[doc(alias = "atexit")]
    #[track_caller]
    pub fn shutdown_guard(&self) -> ShutdownGuard {
        ShutdownGuard::new(self.clone(), CallSite::here())
    }
}

/// The guard shuts the tracer down when dropped: keep it in `main`.
///
/// The guard blocks the thread that drops it, [`timeout`](Self::timeout) at the most. Without a guard and without a
/// call of [`shutdown`](HoneyHiveTracer::shutdown), what was recorded last can be lost when the process ends.
///
/// `let _ = tracer.shutdown_guard();` drops it at once: write `let _guard = tracer.shutdown_guard();`. What is
/// recorded after that is dropped, and a warning says so.
#[derive(Debug)]
#[must_use = "the tracer is shut down when the guard is dropped: `let _guard = tracer.shutdown_guard();`"]
pub struct ShutdownGuard {
    tracer: HoneyHiveTracer,
    timeout: Duration,
    made_at: CallSite,
}

impl ShutdownGuard {
    pub(super) const fn new(tracer: HoneyHiveTracer, made_at: CallSite) -> Self {
        Self {
            tracer,
            timeout: LAST_FLUSH,
            made_at,
        }
    }

    /// Sets the longest time that the shutdown may take (default 5 s).
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Drop for ShutdownGuard {
    fn drop(&mut self) {
        let by = Closed::Guard(self.made_at);
        match self.tracer.stop_blocking(self.timeout, by) {
            Ok(_) | Err(crate::FlushError::ShutDown) => {}
            Err(error) => log::warn(format_args!("at shutdown: {error}")),
        }
    }
}

/// Runs a unit of work in a session, which ends with it. `verdict` finds the error in an output.
async fn to_its_end<F, Fut>(
    session: Session,
    began: Instant,
    work: F,
    verdict: impl FnOnce(&Fut::Output) -> Option<String>,
) -> Fut::Output
where
    F: FnOnce(Session) -> Fut,
    Fut: Future,
{
    let mut ending = EndOfFuture(EndOfSession::new(session.clone(), began));
    let output = {
        let work = ending
            .0
            .watch(|| session.in_scope(|| work(session.clone())));
        let mut work = pin!(session.scope(work));
        poll_fn(|cx| ending.0.watch(|| work.as_mut().poll(cx))).await
    };
    ending.0.end_with(verdict(&output));
    output
}

/// Runs blocking work as [`to_its_end`] does.
fn to_its_end_blocking<T>(
    session: &Session,
    began: Instant,
    work: impl FnOnce(Session) -> T,
    verdict: impl FnOnce(&T) -> Option<String>,
) -> T {
    let mut ending = EndOfSession::new(session.clone(), began);
    let output = ending.watch(|| session.in_scope(|| work(session.clone())));
    ending.end_with(verdict(&output));
    output
}

/// The end of a session is recorded once, by what comes of its work.
#[derive(Debug)]
struct EndOfSession {
    session: Session,
    began: Instant,
    has_ended: bool,
}

impl EndOfSession {
    const fn new(session: Session, began: Instant) -> Self {
        Self {
            session,
            began,
            has_ended: false,
        }
    }

    /// Runs a piece of the work. A panic ends the session and goes on; whether the thread is panicking would
    /// not do, since what panics may be something beside this.
    fn watch<T>(&mut self, piece: impl FnOnce() -> T) -> T {
        // The panic goes on, so nobody sees what it may have left half-done.
        catch_unwind(AssertUnwindSafe(piece)).unwrap_or_else(|panic| {
            self.end(Outcome::Panicked, Some(panic_text(&*panic)));
            resume_unwind(panic)
        })
    }

    fn end_with(&mut self, error: Option<String>) {
        let outcome = match error {
            None => Outcome::Complete,
            Some(_) => Outcome::Error,
        };
        self.end(outcome, error);
    }

    fn end(&mut self, outcome: Outcome, error: Option<String>) {
        if mem::replace(&mut self.has_ended, true) {
            return;
        }
        let duration = self.began.elapsed();
        self.session.end(SessionEnd {
            error,
            whole_session: self.session.is_whole(),
            ..SessionEnd::of_work(self.session.start.started_at, duration, outcome)
        });
    }
}

/// The guard ends the session of a future as cancelled when it is dropped before the work has an end.
#[derive(Debug)]
struct EndOfFuture(EndOfSession);

impl Drop for EndOfFuture {
    fn drop(&mut self) {
        let cancelled = "cancelled: the future was dropped before its end";
        self.0.end(Outcome::Cancelled, Some(cancelled.to_owned()));
    }
}
