//! The store can fail.

/// `Failed` says why a read or a write failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failed {
    /// The disk is full; nothing of the write is kept.
    #[error("there is no room on the disk for what is kept: free some, and send it again")]
    Full,
    /// The caller asked for something that makes no sense; the text says what.
    #[error("{0}")]
    Refused(String),
    /// Nothing of this kind has this id.
    #[error("{0}")]
    Missing(String),
    /// The database has said something else.
    #[error("the store failed: {0}")]
    Broken(String),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            // The error comes from a quota, or from a file that may grow no further.
            Some(rusqlite::ErrorCode::SystemIoFailure) if is_write(&error) => Self::Full,
            _ => Self::Broken(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

fn is_write(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(rusqlite::ffi::SQLITE_IOERR_WRITE)
}
