//! [`MissingSession`].

/// A handler asked for the current session, and there is none: the layer or middleware is missing, or
/// the request is one that it does not trace.
///
/// Ask for `Option<CurrentSession>` in handlers that serve such requests too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this request has no HoneyHive session: is the route inside the HoneyHive layer or middleware, and does \
     its filter let the request through?"
)]
pub struct MissingSession;

impl MissingSession {
    /// The status a framework answers with: it is the program's mistake, not the client's.
    pub const STATUS_CODE: u16 = 500;
}
