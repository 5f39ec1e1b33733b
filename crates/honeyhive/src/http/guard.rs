//! [`RequestGuard`] accompanies a request from its head to the head of the response.

use std::error::Error;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use super::traced::{Handling, INTERNAL_SERVER_ERROR};
use super::{Headers, ResponseGuard};
use crate::model::causes::with_causes;
use crate::model::id::SessionId;
use crate::outbox::Outcome;
use crate::session::Session;

/// The guard stands for a request that is being handled. Dropping the guard records that the client went away.
#[must_use = "dropping the guard says that the client went away"]
pub struct RequestGuard(pub(super) Handling);

impl RequestGuard {
    /// Returns the session that begins or is linked here; `None` where the request is not traced, or an outer layer has
    /// begun one.
    #[must_use]
    #[inline]
    pub fn session(&self) -> Option<&Session> {
        self.0.open().map(|traced| &traced.session)
    }

    /// Polls until the handler may start: at once, except under
    /// [`SessionStart::Confirmed`](super::SessionStart::Confirmed), then once HoneyHive has answered.
    #[inline]
    pub fn poll_confirmed(&mut self, cx: &mut task::Context<'_>) -> Poll<()> {
        if let Handling::Traced(traced) = &mut self.0
            && let Some(confirmation) = &mut traced.confirmation
        {
            // The request goes on whatever HoneyHive answers.
            let _ = ready!(Pin::new(&mut **confirmation).poll(cx));
            traced.confirmation = None;
        }
        Poll::Ready(())
    }

    /// Runs a piece of the handler in the request's context. A panic is recorded and goes on.
    #[inline]
    pub fn run<T>(&mut self, piece: impl FnOnce() -> T) -> T {
        self.0.run(piece)
    }

    /// Returns the session's id, unsigned; the text for the response header is that of
    /// [`with_response_id`](Self::with_response_id).
    #[must_use]
    #[inline]
    pub fn response_id(&self) -> Option<SessionId> {
        self.session().map(Session::id)
    }

    /// Returns the text for the response header, which is the id or a signed one.
    #[inline]
    pub fn with_response_id<T>(&self, make: impl FnOnce(&str) -> T) -> Option<T> {
        let traced = self.0.open()?;
        #[cfg(feature = "signed-ids")]
        if let Some(keys) = &traced.signing {
            return Some(make(&traced.session.signed_id(keys)));
        }
        Some(traced.session.start.with_text(make))
    }

    /// Records the error that the handler returned, with its causes, before the head of the response that the framework
    /// has made of it. The status of the response tells whose mistake it was: only the server's own is an error.
    #[cold]
    pub fn on_handler_error(&mut self, status_code: u16, error: &dyn Error) {
        if let Some(traced) = self.0.open_mut()
            && status_code >= INTERNAL_SERVER_ERROR
        {
            traced.handler_error = Some(with_causes(error));
        }
    }

    /// Records that the response head is ready, with a body of this length where it is known.
    #[inline]
    pub fn on_response(
        &mut self,
        status_code: u16,
        headers: &dyn Headers,
        body_length: Option<u64>,
    ) -> ResponseGuard {
        let mut handling = self.take();
        if let Some(traced) = handling.open_mut() {
            traced.answer(status_code, headers, body_length);
        }
        ResponseGuard(handling)
    }

    /// Records that the handler failed, with this error and its causes. With a status, the framework makes a response
    /// of the error further out; without one there will be none. The returned guard tells whether the error is held
    /// back.
    pub fn on_error(&mut self, status_code: Option<u16>, error: &dyn Error) -> ResponseGuard {
        let mut handling = self.take();
        let status = status_code.unwrap_or(INTERNAL_SERVER_ERROR);
        match handling.open_mut() {
            // An answer to the client's mistake is an answer like any other.
            Some(traced) if status < INTERNAL_SERVER_ERROR => traced.complete_with(status),
            Some(traced) => traced.fail(Outcome::Error, status, with_causes(error)),
            None => {}
        }
        ResponseGuard(handling)
    }

    fn take(&mut self) -> Handling {
        mem::replace(&mut self.0, Handling::LeftAlone(None))
    }
}

impl Drop for RequestGuard {
    #[inline]
    fn drop(&mut self) {
        self.0.let_go();
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
