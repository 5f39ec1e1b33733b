//! The body of an async function runs in its span.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use super::active::Active;

pin_project_lite::pin_project! {
    /// The future is the body, with the span current whenever it is polled. It hands the span back with the output.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<F> {
        // The body is an option, so that it can be dropped before the span ends.
        #[pin]
        future: Option<F>,
        active: Option<Active>,
    }

    impl<F> PinnedDrop for Run<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(active) = this.active.take() {
                let dropped = active.enter(|| this.future.set(None));
                active.mark_cancelled();
                match dropped {
                    Ok(()) => active.error("cancelled".to_owned()),
                    Err(payload) => active.panic(payload),
                }
            }
        }
    }
}

/// Returns `None`, of the type that a future gives: the expansion cannot name the output of a type behind an alias.
#[inline]
#[must_use]
pub fn none_of_output<F: Future>(_: Option<F>) -> Option<F::Output> {
    None
}

impl<F> Run<F> {
    /// Returns the body, not yet polled.
    #[inline]
    pub const fn new(active: Option<Active>, future: F) -> Self {
        Self {
            future: Some(future),
            active,
        }
    }
}

impl<F: Future> Future for Run<F> {
    type Output = (F::Output, Option<Active>);

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            // Only the destructor takes the body away.
            return Poll::Pending;
        };
        let Some(active) = this.active else {
            return future.poll(task).map(|output| (output, None));
        };
        match active.enter(|| future.poll(task)) {
            Ok(polled) => polled.map(|output| (output, this.active.take())),
            Err(payload) => match this.active.take() {
                Some(active) => active.panic(payload),
                None => std::panic::resume_unwind(payload),
            },
        }
    }
}
