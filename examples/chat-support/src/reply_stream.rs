//! [`ReplyStream`] is an answer, token by token.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::StreamExt;

use crate::error::{ChatError, UpstreamError};
use crate::message::StreamEvent;
use crate::responder::Deltas;
use crate::turn::Turn;

/// A `ReplyStream` has the events of `POST /chat/stream`. A drop before its end says that nobody listens any more.
#[must_use = "a stream does nothing unless polled"]
pub struct ReplyStream {
    deltas: Deltas,
    /// The turn; `None` once the last event is out.
    turn: Option<Turn>,
}

impl ReplyStream {
    pub(crate) const fn new(turn: Turn, deltas: Deltas) -> Self {
        Self {
            deltas,
            turn: Some(turn),
        }
    }
}

impl Stream for ReplyStream {
    type Item = StreamEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        let this = self.get_mut();
        while let Some(turn) = &this.turn {
            let deltas = &mut this.deltas;
            let delta = ready!(turn.model().in_scope(|| deltas.poll_next_unpin(cx)));
            if let Some(event) = this.event(delta) {
                return Poll::Ready(Some(event));
            }
        }
        Poll::Ready(None)
    }
}

impl ReplyStream {
    /// Returns the client's event for a piece of the answer, its failure or its end.
    fn event(&mut self, delta: Option<Result<String, UpstreamError>>) -> Option<StreamEvent> {
        match delta {
            Some(Ok(delta)) => {
                self.turn.as_mut()?.push(&delta);
                Some(StreamEvent::Token(delta))
            }
            Some(Err(error)) => {
                let error = self.turn.take()?.fail(error);
                Some(StreamEvent::Failed(ChatError::from(error).body()))
            }
            None => {
                let reply = self.turn.take()?.complete("");
                Some(StreamEvent::Done(reply))
            }
        }
    }
}

impl fmt::Debug for ReplyStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ReplyStream")
            .field("turn", &self.turn)
            .finish_non_exhaustive()
    }
}
