//! [`EventKind`] tells sessions and the kinds of events apart.

use super::open::open_enum;

open_enum! {
    /// An event is of one of these kinds.
    EventKind {
        /// A session is the root event of its events.
        Session = "session",
        /// The event is a call of a language model.
        Model = "model",
        /// The event is a group of others.
        Chain = "chain",
        /// The event is anything else that does work.
        Tool = "tool",
    }
}

/// The default is the kind of an event whose answer left the field out.
impl Default for EventKind {
    fn default() -> Self {
        Self::Other(String::new())
    }
}
