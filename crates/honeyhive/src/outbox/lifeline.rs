//! [`Lifeline`] keeps delivery going.

use std::sync::Arc;
use std::time::Duration;

use super::{Command, Outbox, Reply};

/// The delivery thread goes on for this time after the last handle is gone. No caller waits for it.
pub(crate) const LAST_FLUSH: Duration = Duration::from_secs(5);

/// The handle keeps delivery going: of a tracer, a client, or a provider whose spans are still to come.
#[derive(Debug)]
pub(crate) struct Lifeline(Arc<Outbox>);

impl Lifeline {
    pub(crate) const fn new(outbox: Arc<Outbox>) -> Self {
        Self(outbox)
    }

    pub(crate) const fn outbox(&self) -> &Arc<Outbox> {
        &self.0
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        self.0.last_handle_is_gone();
        self.0.command(Command::Stop(LAST_FLUSH, Reply::nobody()));
    }
}
