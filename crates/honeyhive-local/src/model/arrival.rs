//! An event that comes in, and where it belongs.

use super::{LocalEvent, LocalSession};

/// An event that came in, and the session to make should its own be unknown.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) event: LocalEvent,
    pub(crate) auto_create: Option<LocalSession>,
}
