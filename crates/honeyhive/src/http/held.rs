//! [`Held`] keeps an answer, or its last piece, until the recordings before it have been delivered.

use std::fmt;
use std::task::{Context, Poll};

use super::ResponseGuard;

/// A held answer, or last piece of a body, is [held back](super::ServerInstrumentationBuilder::hold_end) with its guard
/// until the recordings before it have been delivered.
///
/// Few ends are held back, so a `Held` that holds nothing is one word long.
pub struct Held<T>(Option<Box<(T, ResponseGuard)>>);

impl<T> Held<T> {
    /// Returns a `Held` that holds nothing.
    #[must_use]
    pub const fn nothing() -> Self {
        Self(None)
    }

    /// Returns the value that is held back.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.0.as_deref().map(|(held, _)| held)
    }

    /// Returns `None` where nothing is held back; ready with the response and its guard once it may go.
    #[inline]
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Option<Poll<(T, ResponseGuard)>> {
        let held = self.0.take()?;
        Some(self.wait(held, cx))
    }

    /// Holds an answer back, where [the guard asks for it](ResponseGuard::is_held); ready where everything is delivered
    /// already.
    #[cold]
    pub fn hold(
        &mut self,
        held: T,
        guard: ResponseGuard,
        cx: &mut Context<'_>,
    ) -> Poll<(T, ResponseGuard)> {
        self.wait(Box::new((held, guard)), cx)
    }

    #[cold]
    fn wait(
        &mut self,
        mut held: Box<(T, ResponseGuard)>,
        cx: &mut Context<'_>,
    ) -> Poll<(T, ResponseGuard)> {
        if held.1.poll_delivered(cx).is_pending() {
            self.0 = Some(held);
            return Poll::Pending;
        }
        Poll::Ready(*held)
    }
}

impl<T> fmt::Debug for Held<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "Held" } else { "Nothing" })
    }
}
