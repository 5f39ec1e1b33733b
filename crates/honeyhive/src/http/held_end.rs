//! [`HeldEnd`] holds the end of a response back until its recordings have been delivered.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::incoming::{Flush, Flushing};
use crate::outbox::{Command, Outbox, Reply};

/// The end of one response waits for delivery once it has been recorded.
pub(super) struct HeldEnd {
    flushing: Arc<Flushing>,
    flush: Flush,
}

impl HeldEnd {
    pub(super) fn new(flushing: &Arc<Flushing>) -> Self {
        Self {
            flushing: Arc::clone(flushing),
            flush: Flush::ToBegin(None),
        }
    }

    /// Polls for the delivery: ready once all that was recorded before the first poll has been delivered, or its time
    /// has run out.
    pub(super) fn poll(&mut self, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<()> {
        self.flush.poll(&self.flushing, outbox, cx)
    }

    /// Makes delivery begin, without waiting for it.
    pub(super) fn hurry(&self, outbox: &Outbox) {
        let timeout: Duration = self.flushing.timeout;
        outbox.command(Command::Flush(timeout, Reply::nobody()));
    }
}

impl fmt::Debug for HeldEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HeldEnd")
    }
}
