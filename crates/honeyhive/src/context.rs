//! OpenTelemetry's current context, a thread-local value, is asked for and attached only here.
//!
//! Thread-local values are destroyed one after another while a thread ends. Asking OpenTelemetry for its own after that
//! panics, and a panic in the destructor of another value ends the process. So every question goes through here: once
//! the thread is ending there is no current context, nothing is recorded and nothing attached.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::task::{self, Poll};

use futures_core::Stream;
use opentelemetry::{Context, ContextGuard};

/// A thread's context is in one of these states.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Open,
    Closed,
}

thread_local! {
    /// The cell has no destructor, so it can always be read.
    static STATE: Cell<State> = const { Cell::new(State::Unknown) };
    /// The sentinel is made after the thread-locals of the context, so it is dropped before them.
    static SENTINEL: Sentinel = const { Sentinel };
}

struct Sentinel;

impl Drop for Sentinel {
    fn drop(&mut self) {
        STATE.set(State::Closed);
    }
}

/// Returns whether this thread has a current context: not while it ends.
#[inline]
pub(crate) fn is_open() -> bool {
    match STATE.get() {
        State::Open => true,
        State::Closed => false,
        State::Unknown => open(),
    }
}

#[cold]
fn open() -> bool {
    // Ids are made of a thread-local value, too. Both panic where others have used them on this thread, and the
    // thread is ending already.
    let ask = || Context::map_current(|_| rand::random::<u8>());
    let is_there = catch_unwind(ask).is_ok();
    let is_open = is_there && SENTINEL.try_with(|_| ()).is_ok();
    STATE.set(if is_open { State::Open } else { State::Closed });
    is_open
}

/// Calls `ask` with the current context, where there is one. `ask` must not attach another.
#[inline]
pub(crate) fn map<T>(ask: impl FnOnce(&Context) -> T) -> Option<T> {
    is_open().then(|| Context::map_current(ask))
}

/// Returns the current context; an empty one where the thread is ending.
#[inline]
pub(crate) fn current() -> Context {
    map(Context::clone).unwrap_or_default()
}

/// Makes a context current until the guard is dropped.
#[inline]
pub(crate) fn attach(cx: Context) -> Attached {
    Attached(is_open().then(|| cx.attach()))
}

/// The guard keeps a context current on this thread.
#[must_use = "the context is current until the guard is dropped"]
pub(crate) struct Attached(Option<ContextGuard>);

impl fmt::Debug for Attached {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Attached")
    }
}

impl Drop for Attached {
    #[inline]
    fn drop(&mut self) {
        if !is_open() {
            // The context that the guard would restore is gone.
            std::mem::forget(self.0.take());
        }
    }
}

pin_project_lite::pin_project! {
    /// A scoped future or stream has a session or a span that is current whenever it is polled; see
    /// [`Session::scope`](crate::Session::scope), [`Session::scope_stream`](crate::Session::scope_stream) and
    /// [`Span::scope`](crate::Span::scope).
    #[derive(Debug, Clone)]
    #[must_use = "it does nothing unless polled"]
    pub struct Scoped<T> {
        #[pin]
        inner: T,
        cx: Context,
    }
}

impl<T> Scoped<T> {
    pub(crate) const fn new(inner: T, cx: Context) -> Self {
        Self { inner, cx }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _attached = attach(this.cx.clone());
        this.inner.poll(task)
    }
}

impl<S: Stream> Stream for Scoped<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let _attached = attach(this.cx.clone());
        this.inner.poll_next(task)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}
