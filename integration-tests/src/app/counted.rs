//! A body can count how often it is asked.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use http_body::{Body, Frame};

/// `Polls` has the numbers of polls of bodies, and of polls that found their end.
#[derive(Debug, Default)]
pub struct Polls {
    asked: AtomicUsize,
    ended: AtomicUsize,
}

impl Polls {
    /// Returns both counts, and sets them to zero.
    #[must_use]
    pub fn take(&self) -> (usize, usize) {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::Relaxed);
        (take(&self.asked), take(&self.ended))
    }
}

/// A `Counted` body has some pieces, and knows when it has handed out the last one.
pub struct Counted {
    left: usize,
    polls: Arc<Polls>,
}

impl Counted {
    pub(super) const fn new(pieces: usize, polls: Arc<Polls>) -> Self {
        Self {
            left: pieces,
            polls,
        }
    }

    fn next(&mut self) -> Option<Bytes> {
        self.polls.asked.fetch_add(1, Ordering::Relaxed);
        let Some(left) = self.left.checked_sub(1) else {
            self.polls.ended.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        self.left = left;
        Some(Bytes::from_static(b"piece"))
    }
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }
}

impl MessageBody for Counted {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.next().map(Ok))
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Counted({})", self.left)
    }
}
