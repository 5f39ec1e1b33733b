//! What a connection fails with, before it is known what that means.

use crate::error::BuildError;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn unusable(error: impl Into<BoxError>) -> BuildError {
    BuildError::HttpClient {
        source: error.into(),
    }
}
