//! [`ResponseGuard`] accompanies a response from its head to the end of its body.

use std::error::Error;
use std::fmt;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Headers;
use super::traced::{Handling, INTERNAL_SERVER_ERROR};
use crate::model::causes::with_causes;
use crate::outbox::Outcome;
#[cfg(feature = "model-calls")]
use crate::stream::each_piece;

/// The guard stands for a response whose body is on its way. Dropping the guard records that the client went away.
#[must_use = "dropping the guard says that the client went away"]
pub struct ResponseGuard(pub(super) Handling);

impl ResponseGuard {
    /// Returns true where nobody asks how the body goes: no session is begun for the request.
    #[must_use]
    #[inline]
    pub fn is_idle(&self) -> bool {
        matches!(&self.0, Handling::LeftAlone(_))
    }

    /// Returns true where the end of a session has been recorded.
    #[inline]
    fn has_ended(&self) -> bool {
        matches!(&self.0, Handling::Traced(traced) if traced.has_ended)
    }

    /// Returns true where the end has been recorded and is held back until it is delivered: the response or its last
    /// piece then goes into a [`Held`](super::Held).
    #[must_use]
    #[inline]
    pub fn is_held(&self) -> bool {
        self.0.is_held()
    }

    /// Returns true where the end will be held back, or is.
    #[must_use]
    pub fn holds_end(&self) -> bool {
        matches!(&self.0, Handling::Traced(traced) if traced.held.is_some())
    }

    /// Polls for the delivery: ready once the last piece may go; at once, where ends are not [held
    /// back](super::ServerInstrumentationBuilder::hold_end).
    pub(super) fn poll_delivered(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_delivered(cx)
    }

    /// Returns the last piece of a body, which was [held back](super::Held) with this guard.
    pub fn released<T>(&mut self, (piece, guard): (T, Self)) -> T {
        *self = guard;
        piece
    }

    /// Polls a body in the request's context. A panic is recorded and goes on.
    ///
    /// Once both the session and the body have ended, no code of the program is left to run, so the body is polled
    /// without the context.
    #[inline]
    pub fn poll<B, T>(
        &mut self,
        body: Pin<&mut B>,
        has_ended: impl FnOnce(&B) -> bool,
        poll: impl FnOnce(Pin<&mut B>) -> T,
    ) -> T {
        if self.has_ended() && has_ended(&body) {
            return poll(body);
        }
        self.run(|| poll(body))
    }

    /// Runs a piece of the body in the request's context. A panic is recorded and goes on.
    #[inline]
    pub fn run<T>(&mut self, piece: impl FnOnce() -> T) -> T {
        self.0.run(piece)
    }

    /// Announces bytes of the body that are about to pass. An adapter that has them calls this before
    /// [`on_data`](Self::on_data), so that a stream to a user is recorded.
    #[inline]
    #[cfg_attr(not(feature = "model-calls"), expect(unused_variables))]
    pub fn on_bytes(&mut self, bytes: &[u8]) {
        #[cfg(feature = "model-calls")]
        if let Some(traced) = self.0.open_mut() {
            traced.listen(bytes);
        }
    }

    /// Announces a buffer that is about to pass, as [`on_bytes`](Self::on_bytes) does bytes: its first piece, its
    /// length, and what shows its pieces where the first is not all. An event with bytes that are not shown is left
    /// out.
    #[inline]
    #[cfg_attr(not(feature = "model-calls"), expect(unused_variables))]
    pub fn on_buffer<'a>(
        &mut self,
        first: &'a [u8],
        length: usize,
        pieces: impl FnOnce(&mut [IoSlice<'a>]) -> usize,
    ) {
        #[cfg(feature = "model-calls")]
        if let Some(traced) = self.0.open_mut() {
            let unread = each_piece(first, length, pieces, |piece| traced.listen(piece));
            if unread > 0 {
                traced.skip(unread);
            }
        }
    }

    /// Announces bytes of the body that are about to pass.
    #[inline]
    pub fn on_data(&mut self, bytes: usize) {
        if let Some(traced) = self.0.open_mut() {
            traced.data(bytes);
        }
    }

    /// Announces trailers that are about to pass; they end the body.
    pub fn on_trailers(&mut self, trailers: &dyn Headers) {
        if let Some(traced) = self.0.open_mut() {
            traced.trailers(trailers);
        }
    }

    /// Records that the body has ended.
    #[inline]
    pub fn finish(&mut self) {
        if let Some(traced) = self.0.open_mut() {
            traced.complete();
        }
    }

    /// Records that the body has failed, with this error and its causes.
    pub fn on_error(&mut self, error: &dyn Error) {
        if let Some(traced) = self.0.open_mut() {
            let text = with_causes(error);
            traced.fail(Outcome::Error, INTERNAL_SERVER_ERROR, text);
        }
    }
}

/// The default is the guard of a response that belongs to no session.
impl Default for ResponseGuard {
    fn default() -> Self {
        Self(Handling::LeftAlone(None))
    }
}

impl Drop for ResponseGuard {
    #[inline]
    fn drop(&mut self) {
        self.0.let_go();
    }
}

impl fmt::Debug for ResponseGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = match &self.0 {
            Handling::Traced(traced) => traced.answer.as_ref(),
            Handling::LeftAlone(_) => None,
        };
        formatter
            .debug_struct("ResponseGuard")
            .field("status_code", &answer.map(|answer| answer.status_code))
            .field("bytes", &answer.map(|answer| answer.bytes))
            .finish_non_exhaustive()
    }
}
