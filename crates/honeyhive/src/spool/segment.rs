//! One file of the spool.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::folder;
use super::record::{DONE, Head, Header, Note};

/// A file with records, of which some may be settled.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) head: Head,
    file: File,
    /// Where the whole records end.
    end: u64,
    /// Where reading goes on.
    next: u64,
    /// So many records are still to be delivered,
    unsettled: u64,
    /// and so many of them were not read yet.
    unread: u64,
    /// Not everything in it can be read.
    pub(super) is_damaged: bool,
}

/// A record that was read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) at: u64,
    pub(super) note: Note,
    /// `None` where it is not what was written.
    pub(super) body: Option<Vec<u8>>,
}

/// A file that was found.
#[derive(Debug)]
pub(super) enum Opened {
    Segment {
        segment: Segment,
        /// What is still to be delivered.
        notes: Vec<Note>,
        /// What was being written when the process ended, or cannot be read for another reason.
        lost: u64,
    },
    /// Nothing was ever written into it.
    Empty,
    /// It is no file of ours, or one of another version.
    Foreign,
}

impl Opened {
    pub(super) fn is_for_another(&self, destination: u32) -> bool {
        matches!(self, Self::Segment { segment, .. } if segment.head.destination != destination)
    }
}

impl Segment {
    pub(super) fn create(path: PathBuf, head: Head) -> io::Result<Self> {
        let mut file = folder::create(&path)?;
        if let Err(error) = file.write_all(&head.encode()) {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        Ok(Self {
            path,
            head,
            file,
            end: Head::BYTES as u64,
            next: Head::BYTES as u64,
            unsettled: 0,
            unread: 0,
            is_damaged: false,
        })
    }

    pub(super) fn open(path: &Path) -> io::Result<Opened> {
        let mut file = File::options().read(true).write(true).open(path)?;
        let length = file.metadata()?.len();
        if length < Head::BYTES as u64 {
            return Ok(Opened::Empty);
        }
        let mut head = [0; Head::BYTES];
        file.read_exact(&mut head)?;
        let Some(head) = Head::decode(&head) else {
            return Ok(Opened::Foreign);
        };
        let mut segment = Self {
            path: path.to_owned(),
            head,
            file,
            end: Head::BYTES as u64,
            next: Head::BYTES as u64,
            unsettled: 0,
            unread: 0,
            is_damaged: false,
        };
        let (notes, lost) = segment.look_through(length)?;
        Ok(Opened::Segment {
            segment,
            notes,
            lost,
        })
    }

    /// Finds the whole records, by their headers.
    fn look_through(&mut self, length: u64) -> io::Result<(Vec<Note>, u64)> {
        let mut notes = Vec::new();
        let mut reader = BufReader::with_capacity(64 * 1024, &self.file);
        loop {
            let left = length - self.end;
            if left == 0 {
                return Ok((notes, 0));
            }
            if left < Header::BYTES as u64 {
                return Ok((notes, 1));
            }
            let mut header = [0; Header::BYTES];
            reader.read_exact(&mut header)?;
            let Some(header) = Header::decode(&header) else {
                // How long the record was is not known, so what comes after it cannot be found.
                self.is_damaged = true;
                return Ok((notes, 1));
            };
            if left < header.total() {
                return Ok((notes, u64::from(header.note.items)));
            }
            if !header.is_done {
                self.unsettled += 1;
                self.unread += 1;
                notes.push(header.note);
            }
            self.end += header.total();
            reader.seek_relative(i64::from(header.body_bytes))?;
        }
    }

    /// Adds a record at the end.
    pub(super) fn append(&mut self, header: &Header, body: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(Header::BYTES + body.len());
        bytes.extend_from_slice(&header.encode());
        bytes.extend_from_slice(body);
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&bytes)?;
        self.end += header.total();
        self.unsettled += 1;
        self.unread += 1;
        Ok(())
    }

    /// Takes back what a write that failed has left, so that a reader does not take it for a record.
    pub(super) fn cut_off(&self) -> io::Result<()> {
        self.file.set_len(self.end)
    }

    /// The next record that is still to be delivered.
    pub(super) fn read_next(&mut self) -> Option<Reading> {
        while self.next < self.end {
            let at = self.next;
            let Ok(header) = self.header_at(at) else {
                // The other records cannot be found any more.
                self.next = self.end;
                self.unsettled -= std::mem::take(&mut self.unread);
                self.is_damaged = true;
                return None;
            };
            self.next += header.total();
            if header.is_done {
                continue;
            }
            self.unread = self.unread.saturating_sub(1);
            let body = self.body_of(&header);
            self.is_damaged |= body.is_none();
            return Some(Reading {
                at,
                note: header.note,
                body,
            });
        }
        None
    }

    fn header_at(&mut self, at: u64) -> io::Result<Header> {
        let mut header = [0; Header::BYTES];
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(&mut header)?;
        Header::decode(&header).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn body_of(&mut self, header: &Header) -> Option<Vec<u8>> {
        let mut body = vec![0; header.body_bytes as usize];
        self.file.read_exact(&mut body).ok()?;
        (super::record::checksum(&body) == header.body_sum).then_some(body)
    }

    /// The record has its outcome.
    pub(super) fn settle(&mut self, at: u64) {
        self.unsettled = self.unsettled.saturating_sub(1);
        // Where this fails it is delivered once more by whoever comes next.
        let _ = self
            .file
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.file.write_all(&[DONE]));
    }

    pub(super) const fn is_read(&self) -> bool {
        self.next >= self.end
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.end
    }
}
