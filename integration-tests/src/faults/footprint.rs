//! The operating system counts the memory and the handles of this process.

use std::fs;

const PAGE: u64 = 4096;

/// A `Footprint` has memory, threads and open files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// The bytes of memory that are resident.
    pub resident: u64,
    /// The number of threads.
    pub threads: usize,
    /// The number of open files, sockets among them.
    pub files: usize,
}

impl Footprint {
    /// Returns the footprint of now. `None` where there is no `/proc`.
    #[must_use]
    pub fn now() -> Option<Self> {
        let memory = fs::read_to_string("/proc/self/statm").ok()?;
        let pages: u64 = memory.split(' ').nth(1)?.parse().ok()?;
        Some(Self {
            resident: pages * PAGE,
            threads: fs::read_dir("/proc/self/task").ok()?.count(),
            // The count leaves out the file that is open for counting.
            files: fs::read_dir("/proc/self/fd").ok()?.count() - 1,
        })
    }
}
