//! A [`Session`] is current in these scopes: blocks, futures, tasks, streams and closures.

use std::fmt;
use std::future::Future;

use futures_core::Stream;
use opentelemetry::Context;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use super::current;
use super::handle::Session;
use crate::context::{self, Attached, Scoped};

impl Session {
    /// Returns the innermost session that is current here.
    #[must_use]
    pub fn current() -> Option<Self> {
        context::map(|cx| current::in_context(cx).cloned()).flatten()
    }

    /// Returns the current context with this session as the current one. Spans keep their parent.
    #[must_use]
    pub fn context(&self) -> Context {
        context::map(|cx| self.within(cx)).unwrap_or_else(|| self.within(&Context::new()))
    }

    pub(crate) fn within(&self, cx: &Context) -> Context {
        current::with_session(cx, self.clone(), false)
    }

    /// Returns a context in which the session is current as the unit of work: adapters and Lambda's layer join it.
    #[cfg(feature = "evaluate")]
    pub(crate) fn as_unit_of_work(&self, cx: &Context) -> Context {
        current::with_session(cx, self.clone(), true)
    }

    /// Makes the session current on this thread until the guard is dropped.
    ///
    /// Do not hold the guard across an `.await`: use [`scope`](Self::scope) there.
    #[doc(alias = "unlink")]
    #[doc(alias = "unlink_carrier")]
    #[must_use = "the session is current until the guard is dropped"]
    pub fn enter(&self) -> SessionGuard {
        SessionGuard(context::attach(self.context()))
    }

    /// Runs `f` with the session current. An `Err` that it returns is not recorded: use [`fail`](Self::fail) for that.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _guard = self.enter();
        f()
    }

    /// Returns the future, with the session current whenever it is polled.
    ///
    /// The future's output is not recorded. For work that can fail use
    /// [`try_with_session`](crate::HoneyHiveTracer::try_with_session), which records an `Err` with its causes, or
    /// [`fail`](Self::fail) for a session that goes on after the work.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped::new(future, self.context())
    }

    /// Calls [`tokio::spawn`] with the session current in the task. A plain `tokio::spawn` loses it.
    ///
    /// # Panics
    ///
    /// The call panics outside a Tokio runtime, as `tokio::spawn` does.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tokio::spawn(self.scope(future))
    }

    /// Calls [`tokio::task::spawn_blocking`] with the session current on the blocking thread.
    ///
    /// # Panics
    ///
    /// The call panics outside a Tokio runtime, as `tokio::task::spawn_blocking` does.
    pub fn spawn_blocking<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        tokio::task::spawn_blocking(self.wrap(f))
    }

    /// Calls [`JoinSet::spawn`] with the session current in the task.
    ///
    /// ```
    /// use tokio::task::JoinSet;
    ///
    /// # async fn example(tracer: honeyhive::HoneyHiveTracer) {
    /// let session = tracer.create_session("research");
    /// let mut searches = JoinSet::new();
    /// for page in 0..3 {
    ///     session.spawn_in(&mut searches, async move { page });
    /// }
    /// let pages = searches.join_all().await;
    /// # let _ = pages;
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// The call panics outside a Tokio runtime, as `JoinSet::spawn` does.
    pub fn spawn_in<F>(&self, set: &mut JoinSet<F::Output>, future: F) -> AbortHandle
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        set.spawn(self.scope(future))
    }

    /// Calls [`JoinSet::spawn_blocking`] with the session current on the blocking thread.
    ///
    /// # Panics
    ///
    /// The call panics outside a Tokio runtime, as `JoinSet::spawn_blocking` does.
    pub fn spawn_blocking_in<F, T>(&self, set: &mut JoinSet<T>, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        set.spawn_blocking(self.wrap(f))
    }

    /// Returns the stream, with the session current whenever it is polled: for a stream that is polled after this code
    /// has returned, such as a response body.
    pub fn scope_stream<S: Stream>(&self, stream: S) -> Scoped<S> {
        Scoped::new(stream, self.context())
    }

    /// Returns the closure, with the session current while it runs, on any thread. Spans that start in it are children
    /// of the span that is current here.
    ///
    /// ```
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// # let session = tracer.create_session("import");
    /// let rows = std::thread::spawn(session.wrap(|| 10_000)); // likewise `rayon::spawn(..)`
    /// # assert_eq!(rows.join().ok(), Some(10_000));
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    pub fn wrap<F, T>(&self, f: F) -> impl FnOnce() -> T + use<F, T>
    where
        F: FnOnce() -> T,
    {
        let cx = self.context();
        move || {
            let _guard = context::attach(cx);
            f()
        }
    }

    /// Does the same as [`wrap`](Self::wrap) for a closure that is called many times with an argument, such as the one
    /// of a rayon iterator: `items.par_iter().map(session.wrap_fn(|item| …))`.
    pub fn wrap_fn<A, F, T>(&self, f: F) -> impl Fn(A) -> T + use<A, F, T>
    where
        F: Fn(A) -> T,
    {
        let cx = self.context();
        move |argument| {
            let _guard = context::attach(cx.clone());
            f(argument)
        }
    }
}

/// The guard keeps a session current on this thread; see [`Session::enter`].
#[must_use = "the session is current until the guard is dropped"]
pub struct SessionGuard(#[expect(dead_code, reason = "held for its drop")] Attached);

impl fmt::Debug for SessionGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionGuard")
    }
}
