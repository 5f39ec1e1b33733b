//! The room is the one in which a [`Store`] may write, beside the files of all other processes in the folder.

use std::io;

use super::Store;

/// A file is closed and a new one begun at this share of the bound: room comes back file by file.
const SHARE: u64 = 16;
const SMALLEST_FILE: u64 = 16 * 1024;
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

impl Store {
    pub(super) fn has_room_in_file(&self, bytes: u64) -> bool {
        let written = self
            .files
            .back()
            .filter(|it| self.writing == Some(it.number));
        written.is_some_and(|it| it.segment.bytes() + bytes <= self.largest_file())
    }

    fn largest_file(&self) -> u64 {
        (self.max_bytes / SHARE).clamp(SMALLEST_FILE, LARGEST_FILE)
    }

    /// Reserves room for so many bytes. Room is first reserved and then counted with the files and reservations of all
    /// others, so that of several processes that want the last of it none takes too much.
    pub(super) fn has_room(&mut self, bytes: u64) -> io::Result<bool> {
        if self.room >= bytes {
            return Ok(true);
        }
        let before = self.room;
        for wanted in [self.largest_file().max(bytes), bytes] {
            self.own()?.keep_room(wanted)?;
            self.room = wanted;
            if self.folder.is_within(self.max_bytes)? {
                return Ok(true);
            }
        }
        self.keep_room(before);
        Ok(false)
    }

    /// Sets the reserved room. If that cannot be written, others see more room reserved than there is.
    pub(super) fn keep_room(&mut self, bytes: u64) {
        self.room = bytes;
        if let Some(own) = &self.own {
            let _ = own.keep_room(bytes);
        }
    }
}
