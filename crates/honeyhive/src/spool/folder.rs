//! The folder of a spool has files, and each file has an owner.
//!
//! A process that spools has a random name of its own: `<name>.lock`, on which it holds an advisory lock for as long as
//! it lives, and `<name>-<number>.hhspool`, its files in their order. When a lock is free, the process that gets it
//! renames all files of the former owner to its own name.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::handles::{self, User, close_to_others, create};

const LOCK: &str = "lock";
const SEGMENT: &str = "hhspool";
/// A file that cannot be read gets this suffix.
const SET_ASIDE: &str = "corrupt";
const PROBE: &str = "probe";
/// So many names are tried, in case another process removes each new lock before we hold it.
const TRIES: usize = 3;

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The files of this user count: others could make us send anything.
    user: User,
}

/// The owner holds a lock: our own, or that of a process that has gone.
#[derive(Debug)]
pub(super) struct Owner {
    name: String,
    lock: PathBuf,
    /// The file is closed, and with that unlocked, when the owner is dropped. Its length is the room that its owner
    /// keeps.
    held: File,
}

impl Folder {
    /// Makes the folder if it is missing, and checks that files in it can be made, locked, and kept from others.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        make(path)?;
        let found = handles::look_at(path)?;
        let probe = path.join(format!("{}.{PROBE}", new_name()));
        let user = user_of(&probe);
        // A neighbour may have been faster.
        let _ = fs::remove_file(probe);
        let user = user?;
        user.may_use(&found)?;
        Ok(Self {
            path: path.to_owned(),
            user,
        })
    }

    /// Makes the folder again, if somebody has removed it.
    pub(super) fn make(&self) -> io::Result<()> {
        make(&self.path)
    }

    /// Returns a new owner with a name of its own.
    pub(super) fn new_owner(&self) -> io::Result<Owner> {
        self.new_owner_with(try_lock)
    }

    pub(super) fn new_owner_with(
        &self,
        try_lock: impl Fn(&File) -> io::Result<bool>,
    ) -> io::Result<Owner> {
        for _ in 0..TRIES {
            let name = new_name();
            let lock = self.lock_path(&name);
            let held = create(&lock)?;
            match try_lock(&held) {
                Ok(true) if lock.exists() => {
                    return Ok(Owner { name, lock, held });
                }
                // Another process has found the lock first, and removes it, since it has no files.
                Ok(_) => {}
                Err(error) => {
                    let _ = fs::remove_file(&lock);
                    return Err(error);
                }
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Returns the names of all owners that have left something here, those that live included.
    pub(super) fn owners(&self) -> io::Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            match extension(&path) {
                Some(LOCK | SEGMENT) => names.extend(owner_of(&path)),
                // The probe is of a process that was killed while it tried the folder.
                Some(PROBE) => drop(fs::remove_file(&path)),
                _ => {}
            }
        }
        Ok(names)
    }

    /// Becomes the owner of an ended process's files; `None` where the process lives, or another was first.
    pub(super) fn take_over(&self, name: &str) -> io::Result<Option<Owner>> {
        let lock = self.lock_path(name);
        let held = match handles::open(&lock) {
            Ok(file) => file,
            // Another process has removed the lock and left the files.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.segments_of(name)?.is_empty() {
                    return Ok(None);
                }
                create(&lock)?
            }
            Err(error) => return Err(error),
        };
        if !self.user.owns(&held.metadata()?) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if !try_lock(&held)? || !lock.exists() {
            return Ok(None);
        }
        Ok(Some(Owner {
            name: name.to_owned(),
            lock,
            held,
        }))
    }

    /// Returns the files of an owner, in the order in which they were begun.
    pub(super) fn segments_of(&self, name: &str) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let is_it = extension(&path) == Some(SEGMENT)
                && owner_of(&path).is_some_and(|owner| owner == name);
            if is_it {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    pub(super) fn segment_path(&self, owner: &Owner, number: u32) -> PathBuf {
        let name = format!("{}-{number:08}.{SEGMENT}", owner.name);
        self.path.join(name)
    }

    /// Returns a file that only we, or those whom an administrator has put into its group, can have written; `None` for
    /// any other.
    pub(super) fn open_ours(&self, path: &Path) -> io::Result<Option<File>> {
        let file = match handles::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
            Err(_) => return Ok(None),
        };
        let is_ours = self.user.owns(&file.metadata()?);
        Ok(is_ours.then_some(file))
    }

    /// Returns true where all files of the spool, and the room that its owners keep for their next records, are within
    /// this bound. Files that were set aside make room, the oldest first.
    pub(super) fn is_within(&self, bound: u64) -> io::Result<bool> {
        // Other processes write meanwhile: room that they have kept becomes a file, and is then no room any more. Room
        // is counted first, so that a record is counted twice and not left out.
        let mut bytes = 0;
        self.each(&[LOCK], |_, found| bytes += found.len())?;
        let mut set_aside = Vec::new();
        self.each(&[SEGMENT, SET_ASIDE], |path, found| {
            bytes += found.len();
            if extension(&path) == Some(SET_ASIDE) {
                let changed = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                set_aside.push((changed, path, found.len()));
            }
        })?;
        set_aside.sort();
        for (_, path, length) in set_aside {
            if bytes > bound && fs::remove_file(path).is_ok() {
                bytes -= length;
            }
        }
        Ok(bytes <= bound)
    }

    /// Visits the files of these kinds, but those that are removed meanwhile.
    fn each(&self, kinds: &[&str], mut visit: impl FnMut(PathBuf, fs::Metadata)) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let path = entry.path();
            let is_wanted = extension(&path).is_some_and(|kind| kinds.contains(&kind));
            if let Some(found) = is_wanted.then(|| entry.metadata().ok()).flatten() {
                visit(path, found);
            }
        }
        Ok(())
    }

    fn lock_path(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.{LOCK}"))
    }
}

impl Owner {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns false once somebody has removed the file, and with it the lock.
    pub(super) fn is_there(&self) -> bool {
        self.lock.exists()
    }

    /// Reserves room for the next records, where every process sees it.
    pub(super) fn keep_room(&self, bytes: u64) -> io::Result<()> {
        self.held.set_len(bytes)
    }

    /// Removes the lock, once its owner has no files left.
    pub(super) fn remove(self) {
        let _ = fs::remove_file(&self.lock);
    }
}

/// Renames a file to the name under which it belongs to another owner.
pub(super) fn hand_over(segment: &Path, path: &Path) -> io::Result<()> {
    close_to_others(&handles::open(segment)?);
    fs::rename(segment, path)
}

/// Renames a file that cannot be read, so that no process tries again.
pub(super) fn set_aside(path: &Path) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(SET_ASIDE);
    fs::rename(path, name)
}

fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Returns the user of this process, by a file that is made for this purpose.
fn user_of(probe: &Path) -> io::Result<User> {
    let file = create(probe)?;
    try_lock(&file)?;
    User::of(&file.metadata()?)
}

/// Returns false where another process holds the lock.
fn try_lock(file: &File) -> io::Result<bool> {
    match fs4::FileExt::try_lock(file) {
        Ok(()) => Ok(true),
        Err(fs4::TryLockError::WouldBlock) => Ok(false),
        Err(fs4::TryLockError::Error(error)) => Err(error),
    }
}

fn new_name() -> String {
    format!("{:032x}", rand::random::<u128>())
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

/// Returns the owner's name in a file's name; `None` where the file is not one of the spool's.
fn owner_of(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let name = match extension(path)? {
        SEGMENT => {
            let (name, number) = stem.split_once('-')?;
            number.parse::<u32>().ok()?;
            name
        }
        _ => stem,
    };
    let is_name = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_name.then(|| name.to_owned())
}
