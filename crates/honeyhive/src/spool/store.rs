//! [`Store`]: records in, records out, oldest first, over as many files as it takes.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::folder::{self, Folder, Owner};
use super::held::Held;
use super::record::{Head, Header, Id, Note};
use super::segment::{Opened, Segment};
use super::settings::Spool;

/// A file is closed, and a new one begun, at a share of what all may take: room comes back file by file.
const SHARE: u64 = 16;
const SMALLEST_FILE: u64 = 16 * 1024;
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// Why a record was not written.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The bound is reached.
    Full,
    Failed(io::Error),
}

/// Which record, for its outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    file: u64,
    at: u64,
    pub(crate) note: Note,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    Record(Ticket, Vec<u8>),
    /// A record that is not what was written. It is to be settled like any other.
    Unreadable(Ticket),
    /// So many items in a file that cannot be read any further.
    Lost(u64),
}

/// What other processes have left.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Still to be delivered.
    pub(crate) items: u64,
    /// They cannot be read, most often since they were being written when the process was killed.
    pub(crate) lost: u64,
    /// Files that cannot be read, or not to the end.
    pub(crate) set_aside: u64,
    /// Processes that have gone, whose key or URL was another.
    pub(crate) elsewhere: u64,
    /// Files that are not only this user's.
    pub(crate) strangers: u64,
}

#[derive(Debug)]
struct Stored {
    number: u64,
    segment: Segment,
    owner: Arc<Owner>,
    /// So many items were not read yet.
    unread: u64,
    /// What stands in place of the marks of a process that has gone.
    mark: Option<u64>,
}

/// All records of this process, and of those it has taken over.
#[derive(Debug)]
pub(crate) struct Store {
    folder: Folder,
    destination: u32,
    max_bytes: u64,
    /// Once something was written.
    own: Option<Arc<Owner>>,
    own_files: u32,
    files: VecDeque<Stored>,
    numbers: u64,
    /// The number of the file that is written to: the last one.
    writing: Option<u64>,
    used: u64,
    held: Held,
    set_aside: u64,
}

impl Store {
    pub(crate) fn open(settings: &Spool, destination: u32) -> io::Result<Self> {
        let folder = Folder::open(&settings.folder)?;
        Ok(Self {
            used: folder.used()?,
            folder,
            destination,
            max_bytes: settings.max_bytes,
            own: None,
            own_files: 0,
            files: VecDeque::new(),
            numbers: 0,
            writing: None,
            held: Held::default(),
            set_aside: 0,
        })
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.held.records() == 0
    }

    pub(crate) const fn has_traces(&self) -> bool {
        self.held.has_traces()
    }

    /// The start of this session may be among the records.
    pub(crate) fn has_start(&self, id: &Id) -> bool {
        self.held.has_start(id)
    }

    /// Something of this session may be among the records.
    pub(crate) fn has_any(&self, id: &Id) -> bool {
        self.held.has_any(id)
    }

    /// Files set aside since this was asked last.
    pub(crate) fn take_set_aside(&mut self) -> u64 {
        std::mem::take(&mut self.set_aside)
    }

    /// Writes a record behind all others.
    pub(crate) fn append(&mut self, note: Note, body: &[u8]) -> Result<(), Refused> {
        let header = Header::of(note, body).ok_or(Refused::Full)?;
        let head = if self.has_room_in_file(header.total()) {
            0
        } else {
            Head::BYTES as u64
        };
        if self.used + head + header.total() > self.max_bytes {
            return Err(Refused::Full);
        }
        if head > 0 {
            self.begin_file().map_err(Refused::Failed)?;
        }
        let Some(file) = self.files.back_mut() else {
            return Err(Refused::Full);
        };
        if let Err(error) = file.segment.append(&header, body) {
            // Nobody shall read half a record: the file ends here.
            let _ = file.segment.cut_off();
            self.writing = None;
            self.remove_settled();
            return Err(Refused::Failed(error));
        }
        file.unread += u64::from(note.items);
        self.used += header.total();
        self.held.add(&note);
        Ok(())
    }

    fn has_room_in_file(&self, bytes: u64) -> bool {
        let largest = (self.max_bytes / SHARE).clamp(SMALLEST_FILE, LARGEST_FILE);
        let written = self
            .files
            .back()
            .filter(|it| self.writing == Some(it.number));
        written.is_some_and(|it| it.segment.bytes() + bytes <= largest)
    }

    fn begin_file(&mut self) -> io::Result<()> {
        let owner = match &self.own {
            Some(owner) => Arc::clone(owner),
            None => Arc::clone(self.own.insert(Arc::new(self.folder.new_owner()?))),
        };
        self.writing = None;
        self.own_files += 1;
        let head = Head {
            destination: self.destination,
            begun: nanoseconds_now(),
        };
        let path = self.folder.segment_path(&owner, self.own_files);
        let segment = Segment::create(path, head)?;
        self.writing = Some(self.add(segment, owner, None, 0));
        // What others have written counts, too.
        self.used = self.folder.used()?;
        Ok(())
    }

    fn add(&mut self, segment: Segment, owner: Arc<Owner>, mark: Option<u64>, unread: u64) -> u64 {
        self.numbers += 1;
        self.files.push_back(Stored {
            number: self.numbers,
            segment,
            owner,
            unread,
            mark,
        });
        self.numbers
    }

    /// Takes over what processes have left that are gone. Its records get this mark.
    pub(crate) fn take_over(&mut self, mark: u64) -> io::Result<Found> {
        let mut found = Found::default();
        let mut taken = Vec::new();
        for name in self.folder.owners()? {
            if self.knows(&name) {
                continue;
            }
            match self.folder.take_over(&name) {
                Ok(Some(owner)) => taken.push(self.look_into(owner, &mut found)),
                Ok(None) => {}
                Err(_) => found.strangers += 1,
            }
        }
        // Of two processes that have gone, one after the other, the first comes first.
        taken.sort_by_key(|files| files.first().map(|(segment, ..)| segment.head.begun));
        for (segment, owner, unread) in taken.into_iter().flatten() {
            self.writing = None;
            self.add(segment, owner, Some(mark), unread);
        }
        self.remove_settled();
        self.used = self.folder.used()?;
        Ok(found)
    }

    fn knows(&self, name: &str) -> bool {
        let own = self.own.as_ref().is_some_and(|own| own.name() == name);
        own || self.files.iter().any(|file| file.owner.name() == name)
    }

    fn look_into(&mut self, owner: Owner, found: &mut Found) -> Vec<(Segment, Arc<Owner>, u64)> {
        let Ok(paths) = self.folder.segments_of(owner.name()) else {
            return Vec::new();
        };
        let mut opened = Vec::new();
        for path in paths {
            let it = self.folder.is_ours(&path).then(|| Segment::open(&path));
            let Some(Ok(it)) = it else {
                found.strangers += 1;
                continue;
            };
            if it.is_for_another(self.destination) {
                found.elsewhere += 1;
                // Dropping the owner leaves all of it to whom it belongs.
                return Vec::new();
            }
            opened.push((path, it));
        }
        let owner = Arc::new(owner);
        let mut segments = Vec::new();
        for (path, opened) in opened {
            if let Some((segment, unread)) = self.sort_out(&path, opened, found) {
                segments.push((segment, Arc::clone(&owner), unread));
            }
        }
        if let Some(owner) = Arc::into_inner(owner) {
            owner.remove();
        }
        segments
    }

    fn sort_out(
        &mut self,
        path: &Path,
        opened: Opened,
        found: &mut Found,
    ) -> Option<(Segment, u64)> {
        match opened {
            Opened::Segment {
                segment,
                notes,
                lost,
            } => {
                let items = notes.iter().map(|note| u64::from(note.items)).sum();
                notes.iter().for_each(|note| self.held.add(note));
                found.items += items;
                found.lost += lost;
                Some((segment, items))
            }
            Opened::Empty => {
                let _ = fs::remove_file(path);
                None
            }
            Opened::Foreign => {
                if folder::set_aside(path).is_ok() {
                    found.set_aside += 1;
                }
                None
            }
        }
    }

    /// The oldest record that was not read yet.
    pub(crate) fn next(&mut self) -> Option<Next> {
        for file in &mut self.files {
            if file.segment.is_read() {
                continue;
            }
            let Some(read) = file.segment.read_next() else {
                let lost = std::mem::take(&mut file.unread);
                if lost > 0 {
                    return Some(Next::Lost(lost));
                }
                continue;
            };
            let mut note = read.note;
            file.unread = file.unread.saturating_sub(u64::from(note.items));
            note.mark = file.mark.unwrap_or(note.mark);
            let ticket = Ticket {
                file: file.number,
                at: read.at,
                note,
            };
            return Some(match read.body {
                Some(body) => Next::Record(ticket, body),
                None => Next::Unreadable(ticket),
            });
        }
        None
    }

    /// A record has its outcome and is not read again.
    pub(crate) fn settle(&mut self, ticket: &Ticket) {
        self.held.remove(&ticket.note);
        if let Some(file) = self.files.iter_mut().find(|it| it.number == ticket.file) {
            file.segment.settle(ticket.at);
        }
        self.remove_settled();
    }

    /// Removes the files of which nothing is left to deliver.
    fn remove_settled(&mut self) {
        let mut index = 0;
        while let Some(file) = self.files.get(index) {
            if !(file.segment.is_settled() && file.segment.is_read()) {
                index += 1;
                continue;
            }
            if let Some(file) = self.files.remove(index) {
                self.remove(file);
            }
        }
    }

    fn remove(&mut self, file: Stored) {
        let Stored {
            number,
            segment,
            owner,
            ..
        } = file;
        if self.writing == Some(number) {
            self.writing = None;
        }
        if segment.is_damaged {
            self.set_aside += u64::from(folder::set_aside(&segment.path).is_ok());
        } else if fs::remove_file(&segment.path).is_ok() {
            self.used = self.used.saturating_sub(segment.bytes());
        }
        // Our own is kept for what we write next.
        if let Some(owner) = Arc::into_inner(owner) {
            owner.remove();
        }
    }
}

impl Drop for Store {
    /// The lock of a process that leaves nothing goes with it; else it is for the next one to take.
    fn drop(&mut self) {
        if self.files.is_empty()
            && let Some(own) = self.own.take().and_then(Arc::into_inner)
        {
            own.remove();
        }
    }
}

/// Always greater than zero, and greater than before within a process but for a clock that was set back.
fn nanoseconds_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX))
}
