//! [`RunUnderway`] is an experiment that runs in this process, whose spans may wait for whole batches.

#[cfg(any(feature = "evaluate", test))]
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Outbox;

/// The value counts as a run until it is dropped.
#[cfg(any(feature = "evaluate", test))]
#[derive(Debug)]
pub(crate) struct RunUnderway(Arc<Outbox>);

#[cfg(any(feature = "evaluate", test))]
impl RunUnderway {
    pub(crate) fn new(outbox: &Arc<Outbox>) -> Self {
        outbox.runs.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(outbox))
    }
}

#[cfg(any(feature = "evaluate", test))]
impl Drop for RunUnderway {
    fn drop(&mut self) {
        self.0.runs.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Outbox {
    /// Returns true while an experiment runs in this process, and there is room for its spans to wait in.
    pub(crate) fn has_run(&self) -> bool {
        self.runs.load(Ordering::Relaxed) > 0 && self.bounds.have_room_for_batches()
    }
}
