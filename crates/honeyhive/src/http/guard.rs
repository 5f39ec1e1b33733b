//! [`RequestGuard`]: from the request to the response head.

use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use super::ending::{Active, Ending};
use super::{Headers, ResponseGuard};
use crate::id::SessionId;
use crate::incoming::{Scope, panic_text, text_of};
use crate::outbox::Outcome;
use crate::session::{CreateSession, Session};

/// What an answer that failed before its head counts as.
const INTERNAL_SERVER_ERROR: u16 = 500;
/// What an answer that nobody waited for counts as (nginx's "client closed request").
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// A request that is being handled. Dropping it says that the client went away.
#[must_use = "dropping the guard says that the client went away"]
pub struct RequestGuard {
    pub(super) scope: Scope,
    pub(super) active: Option<Active>,
    /// Rarely there, so it takes little room.
    pub(super) confirmation: Option<Box<CreateSession>>,
}

impl RequestGuard {
    pub(super) const fn inactive(scope: Scope) -> Self {
        Self {
            scope,
            active: None,
            confirmation: None,
        }
    }

    /// The session that begins or is linked here; `None` where the request is not traced, or a layer
    /// further out has seen to it.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.active.as_ref().map(|active| &active.session)
    }

    /// Ready at once, except under [`SessionStart::Confirmed`](super::SessionStart::Confirmed): then once HoneyHive has answered. The
    /// handler is not polled before.
    #[inline]
    pub fn poll_confirmed(&mut self, cx: &mut task::Context<'_>) -> Poll<()> {
        if let Some(confirmation) = &mut self.confirmation {
            // Whatever HoneyHive says, the request goes on.
            let _ = ready!(Pin::new(confirmation).poll(cx));
            self.confirmation = None;
        }
        Poll::Ready(())
    }

    /// Runs a piece of the handler in the request's context. A panic is recorded and goes on.
    #[inline]
    pub fn run<T>(&mut self, piece: impl FnOnce() -> T) -> T {
        match self.scope.run(piece) {
            Ok(done) => done,
            Err(panic) => self.panicked(panic),
        }
    }

    #[cold]
    fn panicked(&mut self, panic: Box<dyn Any + Send>) -> ! {
        self.end(
            Outcome::Panicked,
            INTERNAL_SERVER_ERROR,
            Some(panic_text(&*panic)),
        );
        resume_unwind(panic)
    }

    /// Which id the response header should carry, unless the program has set that header itself.
    #[must_use]
    #[inline]
    pub fn response_id(&self) -> Option<SessionId> {
        self.active.as_ref().map(|active| active.session.id())
    }

    /// The response head is ready, with a body of this length where it is known.
    #[inline]
    pub fn on_response(
        &mut self,
        status_code: u16,
        headers: &dyn Headers,
        body_length: Option<u64>,
    ) -> ResponseGuard {
        let scope = std::mem::replace(&mut self.scope, Scope::Unchanged);
        ResponseGuard::begin(scope, self.active.take(), status_code, headers, body_length)
    }

    /// The handler failed. With a status, the framework makes a response of the error further out;
    /// without one there will be none.
    pub fn on_error(&mut self, status_code: Option<u16>, error: &dyn fmt::Display) {
        let status = status_code.unwrap_or(INTERNAL_SERVER_ERROR);
        if status < INTERNAL_SERVER_ERROR {
            // An answer to the client's mistake is an answer like any other.
            self.end(Outcome::Complete, status, None);
        } else {
            self.end(Outcome::Error, status, Some(text_of(error)));
        }
    }

    #[inline]
    fn end(&mut self, outcome: Outcome, status_code: u16, error: Option<String>) {
        if let Some(active) = self.active.take() {
            active.end(
                &self.scope,
                Ending::before_head(outcome, status_code, error),
            );
        }
    }
}

impl Drop for RequestGuard {
    #[inline]
    fn drop(&mut self) {
        self.end(Outcome::ClientDisconnected, CLIENT_CLOSED_REQUEST, None);
    }
}

impl fmt::Debug for RequestGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RequestGuard")
            .field("session", &self.session())
            .finish_non_exhaustive()
    }
}
