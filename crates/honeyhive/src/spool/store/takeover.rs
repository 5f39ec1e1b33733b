//! A [`Store`] takes over files that ended processes have left.

use std::fs;
use std::io;
use std::path::Path;

use super::Store;
use crate::log::Once;
use crate::spool::answers::Found;
use crate::spool::folder::{self, Owner};
use crate::spool::segment::{Opened, Segment};

impl Store {
    /// Gets another lock where somebody has removed ours, or the whole folder, for the files that are left.
    fn mend_lock(&mut self) -> io::Result<()> {
        if self.own.as_ref().is_none_or(Owner::is_there) {
            return Ok(());
        }
        // The file may have been removed as well; as long as it is open it can be read.
        self.writing = None;
        self.folder.make()?;
        self.own = Some(self.folder.new_owner()?);
        self.keep_room(self.room);
        for index in 0..self.files.len() {
            let path = self.next_path()?;
            let segment = &mut self.files[index].segment;
            if folder::hand_over(&segment.path, &path).is_ok() {
                segment.path = path;
            }
        }
        Ok(())
    }

    /// Takes over the files of ended processes. Their records get this mark.
    ///
    /// Each file was begun later than everything that its process had written or taken over before, so records that
    /// belong together are in order, whichever processes had them.
    pub(crate) fn take_over(&mut self, mark: u64) -> io::Result<Found> {
        self.mend_lock()?;
        let mut found = Found::default();
        for name in self.folder.owners()? {
            if self.own.as_ref().is_some_and(|own| own.name() == name) {
                continue;
            }
            let taken = match self.folder.take_over(&name) {
                Ok(Some(owner)) => self.take_from(owner, mark, &mut found),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            found.strangers += u64::from(taken.is_err());
        }
        self.remove_settled();
        Ok(found)
    }

    /// Takes an owner's files. A file that fails is left for the next look, and so are those behind it, so that nothing
    /// overtakes.
    fn take_from(&mut self, owner: Owner, mark: u64, found: &mut Found) -> io::Result<()> {
        let mut opened = Vec::new();
        for path in self.folder.segments_of(owner.name())? {
            let Some(file) = self.folder.open_ours(&path)? else {
                found.strangers += 1;
                continue;
            };
            let it = Segment::of(&path, &file)?;
            if matches!(it, Opened::Newer) {
                say_of_newer_once();
                return owner.keep_room(0);
            }
            if it.is_for_another(self.destination) {
                found.elsewhere += 1;
                // The owner is dropped, and its files stay as they are, but for the reserved room.
                return owner.keep_room(0);
            }
            opened.push((path, it));
        }
        for (path, it) in opened {
            self.sort_out(&path, it, mark, found)?;
        }
        owner.remove();
        Ok(())
    }

    fn sort_out(
        &mut self,
        path: &Path,
        it: Opened,
        mark: u64,
        found: &mut Found,
    ) -> io::Result<()> {
        match it {
            Opened::Segment(segment) => self.take(segment, mark, found)?,
            Opened::Empty => drop(fs::remove_file(path)),
            Opened::Newer => {}
            Opened::Foreign => found.set_aside += u64::from(folder::set_aside(path).is_ok()),
        }
        Ok(())
    }

    /// Makes a file ours, by its name, too, so that there is one lock, whatever was taken over.
    fn take(&mut self, mut segment: Segment, mark: u64, found: &mut Found) -> io::Result<()> {
        let (notes, lost) = segment.look_through()?;
        let path = self.next_path()?;
        folder::hand_over(&segment.path, &path)?;
        segment.path = path;
        // Records that we write next must follow those that came here.
        self.stop_writing();
        // The file that was being read may not be the first any more.
        self.files.iter_mut().for_each(|it| it.segment.close());
        let items = notes.iter().map(|note| u64::from(note.items)).sum();
        notes.iter().for_each(|note| self.shelf.add(note));
        self.add(segment, Some(mark), [(mark, items)].into());
        self.tell();
        found.items += items;
        found.lost += lost;
        Ok(())
    }
}

fn say_of_newer_once() {
    static SAID: Once = Once::new();
    SAID.warn(
        "a later version of honeyhive has left telemetry in the spool's folder; it stays there for one",
    );
}
