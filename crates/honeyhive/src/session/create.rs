//! [`CreateSession`] is a session that is usable at once and can be awaited until it is confirmed.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::handle::Session;
use crate::error::StartError;
use crate::outbox::wait::{Awaited, Waited};
use crate::outbox::{Command, Reply};

/// The start of the session has been handed over; the value comes from
/// [`acreate_session`](crate::HoneyHiveTracer::acreate_session).
///
/// [`session`](Self::session) is usable at once. Awaiting the value resolves when HoneyHive has answered, on any
/// runtime; dropping it cancels nothing.
///
/// ```
/// # async fn example(tracer: honeyhive::HoneyHiveTracer) -> Result<(), honeyhive::StartError> {
/// let created = tracer.acreate_session("support-chat");
/// let session = created.session();   // already collects spans
/// created.await?;                    // HoneyHive has it
/// # drop(session);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the session is `.session()`; await this to wait for HoneyHive's answer"]
pub struct CreateSession {
    session: Session,
    answer: Option<Awaited<Result<(), StartError>>>,
}

impl CreateSession {
    pub(crate) const fn new(session: Session) -> Self {
        Self {
            session,
            answer: None,
        }
    }

    /// Returns the session, which is usable at once.
    #[must_use]
    pub fn session(&self) -> Session {
        self.session.clone()
    }

    pub(crate) fn into_session(self) -> Session {
        self.session
    }

    /// Commands the delivery thread to send the start now and to answer.
    fn ask(session: &Session) -> Awaited<Result<(), StartError>> {
        let (reply, answer) = Reply::awaited(session.outbox.answer_timeout());
        session
            .outbox
            .command(Command::Confirm(session.start.clone(), reply));
        answer
    }
}

impl Future for CreateSession {
    type Output = Result<Session, StartError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { session, answer } = self.get_mut();
        if let Some(known) = session.start.outcome() {
            return Poll::Ready(known.map(|()| session.clone()).map_err(StartError::clone));
        }
        let receiver = answer.get_or_insert_with(|| Self::ask(session));
        Pin::new(receiver).poll(cx).map(|waited| {
            let answer = match waited {
                Waited::Answered(answer) => answer,
                Waited::Gone => Err(StartError::ShutDown),
                Waited::Late => Err(StartError::Unconfirmed {
                    detail: "no answer in time".to_owned(),
                }),
            };
            answer.map(|()| session.clone())
        })
    }
}
