//! The program sends commands to the delivery thread.

use std::fmt;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

use super::flushed::Flushed;
use super::start::StartRecord;
use super::wait::Awaited;
use crate::error::StartError;
#[cfg(feature = "client")]
use crate::wire::{Answer, ApiCall, ApiFailure};

#[derive(Debug)]
pub(crate) enum Command {
    /// The start is to be sent now, and HoneyHive's answer returned.
    Confirm(Arc<StartRecord>, Reply<Result<(), StartError>>),
    /// All items that were accepted so far are to be delivered.
    Flush(Duration, Reply<Flushed>),
    /// The end of this session came too late; a server that is stopped writes another in its place.
    EndRefused(Arc<StartRecord>),
    /// The sessions of requests that nobody waits for any longer are to end.
    CutOff,
    /// All items that were accepted so far are to be delivered; then the thread ends.
    Stop(Duration, Reply<Flushed>),
}

/// A call of the typed client knows where its answer goes.
#[cfg(feature = "client")]
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) call: ApiCall,
    pub(crate) reply: Reply<Result<Answer, ApiFailure>>,
}

/// A reply carries an answer back. Dropping the reply tells the caller that no answer will come.
pub(crate) struct Reply<T>(Box<dyn FnOnce(T) + Send>);

impl<T: Send + 'static> Reply<T> {
    /// Makes a reply for a caller that awaits, on any runtime, for `limit` and a moment at the most.
    pub(crate) fn awaited(limit: Duration) -> (Self, Awaited<T>) {
        let (sender, receiver) = oneshot::channel();
        let reply = Self(Box::new(|answer| drop(sender.send(answer))));
        (reply, Awaited::new(receiver, limit))
    }

    /// Makes a reply for a caller that blocks, inside a runtime too.
    pub(crate) fn blocking() -> (Self, mpsc::Receiver<T>) {
        let (sender, receiver) = mpsc::sync_channel(1);
        let reply = Self(Box::new(move |answer| drop(sender.try_send(answer))));
        (reply, receiver)
    }

    /// Makes a reply that is called on the delivery thread.
    #[cfg(feature = "client")]
    pub(crate) fn to(tell: impl FnOnce(T) + Send + 'static) -> Self {
        Self(Box::new(tell))
    }

    /// Makes a reply without a receiver.
    pub(crate) fn nobody() -> Self {
        Self(Box::new(drop))
    }

    pub(crate) fn send(self, answer: T) {
        (self.0)(answer);
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reply")
    }
}
