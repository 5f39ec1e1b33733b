//! The memory and the handles of this process, as the operating system counts them.

use std::fs;

const PAGE: u64 = 4096;

/// Memory, threads and open files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes of memory that are resident.
    pub resident: u64,
    /// Threads.
    pub threads: usize,
    /// Open files, sockets among them.
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
            // The one that is open to count them is not meant.
            files: fs::read_dir("/proc/self/fd").ok()?.count() - 1,
        })
    }
}
