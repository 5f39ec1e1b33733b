//! [`Spool`] is the setting of the spool's folder.

use std::path::{Path, PathBuf};

/// The spool is a folder for items that memory cannot hold, that wait in a lasting outage, or that are pending at
/// shutdown. The items are delivered from it once HoneyHive takes them again, by this process or by the next one that starts with this folder.
///
/// The folder is made for its owner only (0700 on Unix), and so is each file in it (0600). No key is ever written.
/// Processes can share a folder; each delivers only the items for its own key, URL and project.
///
/// ```no_run
/// use honeyhive::{HoneyHiveTracer, Spool};
///
/// let tracer = HoneyHiveTracer::builder()
///     .spool(Spool::new("/var/spool/chat").max_bytes(1024 * 1024 * 1024))
///     .build()?;
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it is given to a tracer's builder"]
pub struct Spool {
    pub(crate) folder: PathBuf,
    pub(crate) max_bytes: u64,
}

impl Spool {
    const DEFAULT_BYTES: u64 = 256 * 1024 * 1024;

    /// Returns a spool in this folder (`HH_SPOOL_DIR`), which is made if it does not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            max_bytes: Self::DEFAULT_BYTES,
        }
    }

    /// Sets the most bytes that the spool's files may take together (default 256 MiB), those of all processes that
    /// share the folder. Items that do not fit stay in memory, as far as there is room.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the folder and its bound in words.
    #[cfg(feature = "client")]
    pub(super) fn told(&self) -> String {
        let folder = self.folder.display();
        format!("{folder}, with at most {} bytes", self.max_bytes)
    }
}
