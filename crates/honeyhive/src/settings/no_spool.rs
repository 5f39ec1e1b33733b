//! [`Spool`] where none is built in: there can be none.

/// Never made.
#[derive(Debug, Clone)]
pub(crate) enum Spool {}
