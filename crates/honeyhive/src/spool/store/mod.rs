//! [`Store`] takes records in and gives them out, oldest first, over as many files as needed.

mod room;
mod takeover;

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::settings::Spool;
use crate::spool::answers::{Lost, Next, Place, Refused, Ticket};
use crate::spool::folder::{self, Folder, Owner};
use crate::spool::note::Note;
use crate::spool::record::{Head, Header};
use crate::spool::segment::Segment;
use crate::spool::shelf::Shelf;

#[derive(Debug)]
struct Stored {
    number: u64,
    segment: Segment,
    /// The items that were not read yet are counted by mark.
    unread: BTreeMap<u64, u64>,
    /// The mark replaces the marks of a process that has gone.
    mark: Option<u64>,
}

/// The store has the records of this process, and of those that it has taken over.
#[derive(Debug)]
pub(crate) struct Store {
    folder: Folder,
    destination: u32,
    max_bytes: u64,
    /// The owner is known once something was written or taken over.
    own: Option<Owner>,
    own_files: u32,
    /// The files are in the order in which they were begun, by any process.
    files: VecDeque<Stored>,
    numbers: u64,
    /// The latest file that was ever among them was begun at this time.
    latest: u64,
    /// The file with this number is written to: the last one.
    writing: Option<u64>,
    /// This room is reserved for the next records.
    room: u64,
    /// The delivery thread reads these numbers without asking this thread.
    pub(in crate::spool) shelf: Shelf,
    set_aside: u64,
}

impl Store {
    pub(crate) fn open(settings: &Spool, destination: u32, shelf: Shelf) -> io::Result<Self> {
        let folder = Folder::open(&settings.folder)?;
        Ok(Self {
            folder,
            destination,
            max_bytes: settings.max_bytes,
            own: None,
            own_files: 0,
            files: VecDeque::new(),
            numbers: 0,
            latest: 0,
            writing: None,
            room: 0,
            shelf,
            set_aside: 0,
        })
    }

    /// Returns whether the store holds no records; those with an outcome are not kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the number of files set aside since the last call.
    pub(crate) fn take_set_aside(&mut self) -> u64 {
        std::mem::take(&mut self.set_aside)
    }

    /// Writes a record behind all others.
    pub(crate) fn append(&mut self, note: Note, body: &[u8]) -> Result<Place, Refused> {
        let header = Header::of(note, body).ok_or(Refused::Full)?;
        let is_first = !self.has_room_in_file(header.total());
        let mut bytes = header.total();
        if is_first {
            bytes += Head::BYTES as u64;
        }
        if !self.has_room(bytes).map_err(Refused::Failed)? {
            return Err(Refused::Full);
        }
        if is_first {
            self.begin_file().map_err(Refused::Failed)?;
        }
        let Some(file) = self.files.back_mut() else {
            return Err(Refused::Full);
        };
        let at = match file.segment.append(&header, body) {
            Ok(at) => at,
            Err(error) => {
                // The file ends here, so that no process reads half a record.
                let _ = file.segment.cut_off();
                self.stop_writing();
                self.remove_settled();
                return Err(Refused::Failed(error));
            }
        };
        *file.unread.entry(note.mark).or_default() += u64::from(note.items);
        let file = file.number;
        self.keep_room(self.room - bytes);
        self.shelf.add(&note);
        self.tell();
        Ok(Place { file, at })
    }

    fn begin_file(&mut self) -> io::Result<()> {
        self.stop_writing();
        let head = Head {
            destination: self.destination,
            // The time is later than all before, though the clock was set back.
            begun: nanoseconds_now().max(self.latest.saturating_add(1)),
        };
        let segment = Segment::create(self.next_path()?, head)?;
        self.writing = Some(self.add(segment, None, BTreeMap::new()));
        Ok(())
    }

    /// Ends the current file, so that the next record begins another one.
    fn stop_writing(&mut self) {
        if let Some(number) = self.writing.take()
            && let Some(file) = self.files.iter_mut().find(|it| it.number == number)
        {
            file.segment.close();
        }
    }

    /// Returns the path of our next file.
    fn next_path(&mut self) -> io::Result<PathBuf> {
        self.own()?;
        self.own_files += 1;
        let number = self.own_files;
        let own = self.own.as_ref().ok_or(io::ErrorKind::NotFound)?;
        Ok(self.folder.segment_path(own, number))
    }

    /// Returns this process's place in the folder.
    fn own(&mut self) -> io::Result<&Owner> {
        match &mut self.own {
            Some(own) => Ok(own),
            none => Ok(none.insert(self.folder.new_owner()?)),
        }
    }

    fn add(&mut self, segment: Segment, mark: Option<u64>, unread: BTreeMap<u64, u64>) -> u64 {
        let begun = segment.head.begun;
        let index = self
            .files
            .partition_point(|it| it.segment.head.begun <= begun);
        self.latest = self.latest.max(begun);
        self.numbers += 1;
        let stored = Stored {
            number: self.numbers,
            segment,
            unread,
            mark,
        };
        self.files.insert(index, stored);
        self.numbers
    }

    /// Returns the oldest record that was not read yet.
    pub(crate) fn next(&mut self) -> Option<Next> {
        let file = self.files.iter_mut().find(|it| !it.segment.is_read())?;
        let number = file.number;
        let read = match file.segment.read_next() {
            Ok(Some(read)) => read,
            Ok(None) => return self.lose(number).map(Next::Lost),
            Err(error) => return Some(Next::Failed(error)),
        };
        if file.segment.is_read() && self.writing != Some(number) {
            file.segment.close();
        }
        let mut note = read.note;
        note.mark = file.mark.unwrap_or(note.mark);
        if let Some(items) = file.unread.get_mut(&note.mark) {
            *items = items.saturating_sub(u64::from(note.items));
        }
        let place = Place {
            file: number,
            at: read.at,
        };
        self.tell();
        let ticket = Ticket { place, note };
        Some(match read.body {
            Some(body) => Next::Record(ticket, body),
            None => Next::Unreadable(ticket),
        })
    }

    /// Gives up the unread records of a file.
    fn lose(&mut self, number: u64) -> Option<Lost> {
        if self.writing == Some(number) {
            self.stop_writing();
        }
        let file = self.files.iter_mut().find(|it| it.number == number)?;
        let mut items = std::mem::take(&mut file.unread);
        items.retain(|_, items| *items > 0);
        let at = file.segment.give_up();
        self.recount();
        self.remove_settled();
        let from = Place { file: number, at };
        Some(Lost { items, from })
    }

    /// Counts the records anew: the ids of lost ones are unknown, but those of the others can be read.
    fn recount(&self) {
        let notes: Vec<Note> = self
            .files
            .iter()
            .flat_map(|file| file.segment.notes())
            .collect();
        self.shelf.recount(&notes);
    }

    /// Notes that a record has its outcome and is not read again.
    pub(crate) fn settle(&mut self, ticket: &Ticket) {
        self.shelf.remove(&ticket.note);
        let Place { file, at } = ticket.place;
        if let Some(file) = self.files.iter_mut().find(|it| it.number == file) {
            file.segment.settle(at);
        }
        self.remove_settled();
    }

    /// Tells the shelf whether there are records, and whether any is unread.
    fn tell(&self) {
        let has_unread = self.files.iter().any(|it| !it.segment.is_read());
        self.shelf.set_files(!self.files.is_empty(), has_unread);
    }

    /// Removes the files of which nothing is left to deliver.
    fn remove_settled(&mut self) {
        let mut index = 0;
        while let Some(file) = self.files.get(index) {
            if !file.segment.is_settled() {
                index += 1;
                continue;
            }
            if let Some(file) = self.files.remove(index) {
                self.remove(file);
            }
        }
        if self.files.is_empty() {
            // The records that could not be counted have gone, too.
            self.shelf.recount([]);
            self.keep_room(0);
        }
        self.tell();
    }

    fn remove(&mut self, file: Stored) {
        let Stored {
            number, segment, ..
        } = file;
        if self.writing == Some(number) {
            self.writing = None;
        }
        if segment.is_damaged {
            self.set_aside += u64::from(folder::set_aside(&segment.path).is_ok());
        } else {
            let _ = fs::remove_file(&segment.path);
        }
    }
}

impl Drop for Store {
    /// Removes the lock of a process that leaves no files; else the next process takes it.
    fn drop(&mut self) {
        match self.own.take() {
            Some(own) if self.files.is_empty() => own.remove(),
            Some(own) => drop(own.keep_room(0)),
            None => {}
        }
    }
}

/// Returns the time in nanoseconds: always greater than zero, and greater than before within a process but for a clock
/// that was set back.
fn nanoseconds_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX))
}
