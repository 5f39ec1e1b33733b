//! A function that returns a stream has a span that ends with the stream.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use futures_core::Stream;

use super::active::Active;
use super::budget::Budget;
use super::items::Items;
use super::record::Outputs;

pin_project_lite::pin_project! {
    /// The stream has its span current whenever it is polled, and its items are recorded.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TracedStream<S, O> {
        // The stream is an option, so that it can be dropped before the span ends.
        #[pin]
        stream: Option<S>,
        active: Option<Active>,
        observe: O,
        budget: Budget,
        items: Items,
    }

    impl<S, O> PinnedDrop for TracedStream<S, O> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(active) = this.active.take() {
                let dropped = active.enter(|| this.stream.set(None));
                this.items.close(&active, this.budget);
                active.mark_cancelled();
                if let Err(payload) = dropped {
                    active.panic(payload);
                }
            }
        }
    }
}

/// Keeps the span open until the stream ends.
#[inline]
pub fn stream<S, O>(active: Option<Active>, stream: S, observe: O) -> TracedStream<S, O>
where
    S: Stream,
    O: FnMut(&S::Item, &mut Outputs<'_>),
{
    TracedStream {
        stream: Some(stream),
        active,
        observe,
        budget: Budget::stream(),
        items: Items::default(),
    }
}

impl<S, O> Stream for TracedStream<S, O>
where
    S: Stream,
    O: FnMut(&S::Item, &mut Outputs<'_>),
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(stream) = this.stream.as_pin_mut() else {
            // Only the destructor takes the stream away.
            return Poll::Ready(None);
        };
        let Some(active) = this.active else {
            return stream.poll_next(task);
        };
        match active.enter(|| stream.poll_next(task)) {
            Ok(Poll::Ready(Some(item))) => {
                active.record(this.budget, Some(this.items), |outputs| {
                    (this.observe)(&item, outputs);
                });
                Poll::Ready(Some(item))
            }
            Ok(Poll::Ready(None)) => {
                this.items.close(active, this.budget);
                *this.active = None;
                Poll::Ready(None)
            }
            Ok(Poll::Pending) => Poll::Pending,
            Err(payload) => match this.active.take() {
                Some(active) => active.panic(payload),
                None => std::panic::resume_unwind(payload),
            },
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}
