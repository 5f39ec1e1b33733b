//! [`Spool`] has no value where none is built in.

/// The spool of a build without the feature has no value.
#[derive(Debug, Clone)]
pub(crate) enum Spool {}

#[cfg(feature = "client")]
impl Spool {
    #[allow(clippy::unused_self, reason = "there is none")]
    pub(super) fn told(&self) -> String {
        match *self {}
    }
}
