//! [`EventKind`].

use super::open::open_enum;

open_enum! {
    /// The kind of an event.
    EventKind {
        /// A session, which is the root event of its events.
        Session = "session",
        /// A call of a language model.
        Model = "model",
        /// A group of others.
        Chain = "chain",
        /// Anything else that does work.
        Tool = "tool",
    }
}

/// The kind of an event whose answer left the field out.
impl Default for EventKind {
    fn default() -> Self {
        Self::Other(String::new())
    }
}
