//! [`Spool`] where none is built in: there can be none.

/// The spool of a build without the feature, which has no value.
#[derive(Debug, Clone)]
pub(crate) enum Spool {}
