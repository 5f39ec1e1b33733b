//! [`Segment`] is one file of the spool.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::handles::{create, open};
use super::note::Note;
use super::record::{DONE, Head, Header};

/// A segment is a file with records, of which some may be settled.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) head: Head,
    /// The file is open while it is written or read: more files may exist than can be open.
    file: Option<File>,
    /// The whole records end here.
    end: u64,
    /// Reading goes on here.
    next: u64,
    /// So many records are still to be read.
    unread: u64,
    /// So many records were read and have no outcome yet.
    pending: u64,
    /// The flag tells whether a part of the file cannot be read.
    pub(super) is_damaged: bool,
}

/// The reading is a record that was read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) at: u64,
    pub(super) note: Note,
    /// The body is `None` where it is damaged.
    pub(super) body: Option<Vec<u8>>,
}

/// A file that was found is one of these.
#[derive(Debug)]
pub(super) enum Opened {
    /// The file has contents that were not looked at.
    Segment(Segment),
    /// The file is empty.
    Empty,
    /// The file is of a later version, which alone can read it.
    Newer,
    /// The file is of another program.
    Foreign,
}

impl Opened {
    pub(super) fn is_for_another(&self, destination: u32) -> bool {
        matches!(self, Self::Segment(segment) if segment.head.destination != destination)
    }
}

/// The bytes after the whole records are one of these.
enum Tail {
    Nothing,
    /// A record with this many items was being written when the process ended.
    Torn(u64),
    Damaged,
}

impl Segment {
    pub(super) fn create(path: PathBuf, head: Head) -> io::Result<Self> {
        let mut file = create(&path)?;
        if let Err(error) = file.write_all(&head.encode()) {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        Ok(Self {
            file: Some(file),
            ..Self::new(path, head)
        })
    }

    /// Reads the kind of a file.
    pub(super) fn of(path: &Path, mut file: &File) -> io::Result<Opened> {
        let mut head = [0; Head::BYTES];
        match file.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Opened::Empty),
            Err(error) => return Err(error),
        }
        Ok(match Head::decode(&head) {
            Some(head) => Opened::Segment(Self::new(path.to_owned(), head)),
            None if Head::is_newer(&head) => Opened::Newer,
            None => Opened::Foreign,
        })
    }

    const fn new(path: PathBuf, head: Head) -> Self {
        Self {
            path,
            head,
            file: None,
            end: Head::BYTES as u64,
            next: Head::BYTES as u64,
            unread: 0,
            pending: 0,
            is_damaged: false,
        }
    }

    /// Finds the records that are still to be delivered, and the number of items at the end that cannot be read.
    pub(super) fn look_through(&mut self) -> io::Result<(Vec<Note>, u64)> {
        let file = open(&self.path)?;
        let length = file.metadata()?.len();
        let mut notes = Vec::new();
        let (end, tail) = scan(&file, length, |note| notes.push(note))?;
        self.end = end;
        self.unread = notes.len() as u64;
        self.is_damaged = matches!(tail, Tail::Damaged);
        let lost = match tail {
            Tail::Nothing => 0,
            Tail::Torn(items) => items,
            // The length of the damaged record is unknown, so the records after it cannot be found.
            Tail::Damaged => 1,
        };
        Ok((notes, lost))
    }

    /// Returns the notes of all records without an outcome, as far as they can be found.
    pub(super) fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        if let Ok(file) = open(&self.path) {
            let _ = scan(&file, self.end, |note| notes.push(note));
        }
        notes
    }

    /// Appends a record, and returns its place.
    pub(super) fn append(&mut self, header: &Header, body: &[u8]) -> io::Result<u64> {
        let mut bytes = Vec::with_capacity(Header::BYTES + body.len());
        bytes.extend_from_slice(&header.encode());
        bytes.extend_from_slice(body);
        let at = self.end;
        let file = self.file()?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&bytes)?;
        self.end += header.total();
        self.unread += 1;
        Ok(at)
    }

    /// Removes the rest of a failed write, so that no reader takes it for a record.
    pub(super) fn cut_off(&mut self) -> io::Result<()> {
        let end = self.end;
        self.file()?.set_len(end)
    }

    /// Returns the next record to deliver; `None` where one should follow and cannot be found.
    pub(super) fn read_next(&mut self) -> io::Result<Option<Reading>> {
        match self.file() {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        while self.next < self.end {
            let at = self.next;
            let Ok(header) = self.header_at(at) else {
                break;
            };
            self.next += header.total();
            if header.is_done {
                continue;
            }
            self.unread = self.unread.saturating_sub(1);
            self.pending += 1;
            let body = self.body_of(&header);
            self.is_damaged |= body.is_none();
            return Ok(Some(Reading {
                at,
                note: header.note,
                body,
            }));
        }
        Ok(None)
    }

    /// Gives up the records that were not read yet, and returns the place from where on.
    pub(super) fn give_up(&mut self) -> u64 {
        self.is_damaged = true;
        self.unread = 0;
        self.close();
        self.next
    }

    fn header_at(&mut self, at: u64) -> io::Result<Header> {
        let mut header = [0; Header::BYTES];
        let file = self.file()?;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut header)?;
        Header::decode(&header).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn body_of(&mut self, header: &Header) -> Option<Vec<u8>> {
        let mut body = vec![0; header.body_bytes as usize];
        self.file().ok()?.read_exact(&mut body).ok()?;
        (super::record::checksum(&body) == header.body_sum).then_some(body)
    }

    /// Notes that the record has its outcome.
    pub(super) fn settle(&mut self, at: u64) {
        self.pending = self.pending.saturating_sub(1);
        let was_closed = self.file.is_none();
        // A mark that cannot be written costs one more delivery, by the next process.
        let _ = self.write_done(at);
        if was_closed {
            self.close();
        }
    }

    fn write_done(&mut self, at: u64) -> io::Result<()> {
        let file = self.file()?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&[DONE])
    }

    fn file(&mut self) -> io::Result<&mut File> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => Ok(none.insert(open(&self.path)?)),
        }
    }

    /// Closes the file; reading opens it again.
    pub(super) fn close(&mut self) {
        self.file = None;
    }

    pub(super) const fn is_read(&self) -> bool {
        self.unread == 0
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.unread == 0 && self.pending == 0
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.end
    }
}

/// Reads the headers of a file of this length, and shows the records to deliver. Returns where the whole records end,
/// and why there.
fn scan(file: &File, length: u64, mut show: impl FnMut(Note)) -> io::Result<(u64, Tail)> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut end = Head::BYTES as u64;
    reader.seek(SeekFrom::Start(end))?;
    loop {
        let left = length.saturating_sub(end);
        if left == 0 {
            return Ok((end, Tail::Nothing));
        }
        if left < Header::BYTES as u64 {
            return Ok((end, Tail::Torn(1)));
        }
        let mut header = [0; Header::BYTES];
        reader.read_exact(&mut header)?;
        let Some(header) = Header::decode(&header) else {
            return Ok((end, Tail::Damaged));
        };
        if left < header.total() {
            return Ok((end, Tail::Torn(u64::from(header.note.items))));
        }
        if !header.is_done {
            show(header.note);
        }
        end += header.total();
        reader.seek_relative(i64::from(header.body_bytes))?;
    }
}
