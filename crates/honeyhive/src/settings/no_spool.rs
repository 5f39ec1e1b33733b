//! [`Spool`] has no value where none is built in.

use std::path::Path;

/// The spool of a build without the feature has no value.
#[derive(Debug, Clone)]
pub(crate) enum Spool {}

#[allow(clippy::unused_self, reason = "there is none")]
impl Spool {
    pub(crate) fn folder(&self) -> &Path {
        match *self {}
    }

    #[cfg(feature = "client")]
    pub(super) fn told(&self) -> String {
        match *self {}
    }
}
