use super::{LocalEvent, LocalSession};

/// An `Arrival` is an event that came in, and the session to make should its own be unknown.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) event: LocalEvent,
    pub(crate) auto_create: Option<LocalSession>,
}
