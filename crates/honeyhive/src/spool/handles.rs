//! Files and folders are handled by open handles: the checked file is the one that is used, and no link is followed.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a new file that only its owner can read.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Opens an existing file; an error for a link, a folder and anything else that is no file.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = follow_no_link(File::options().read(true).write(true)).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(refused("it is no file"))
    }
}

/// Opens an existing folder, to read its metadata.
#[cfg(unix)]
pub(super) fn look_at(folder: &Path) -> io::Result<Metadata> {
    if fs::symlink_metadata(folder)?.is_symlink() {
        return Err(refused("it is a link: name the folder that it leads to"));
    }
    // The flag keeps the open from following a link that somebody makes meanwhile.
    let handle = follow_no_link(File::options().read(true)).open(folder)?;
    handle.metadata()
}

/// Reads a folder's metadata by its path, since a folder is not opened like a file.
#[cfg(not(unix))]
pub(super) fn look_at(folder: &Path) -> io::Result<Metadata> {
    fs::symlink_metadata(folder)
}

#[cfg(unix)]
fn follow_no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    // The bits are those of the system's own `open`.
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags.bits().cast_signed())
}

#[cfg(not(unix))]
const fn follow_no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Takes a file's permissions from everybody but its owner. A failure leaves the file as it was.
pub(super) fn close_to_others(file: &File) {
    #[cfg(unix)]
    let _ = file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600));
    #[cfg(not(unix))]
    let _ = file;
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

/// The user is that of this process, as the file system sees it.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct User(u32);

#[cfg(unix)]
impl User {
    /// Reads the user from a file that was just made; an error where anybody can open such files.
    pub(super) fn of(own: &Metadata) -> io::Result<Self> {
        let user = Self(std::os::unix::fs::MetadataExt::uid(own));
        if user.owns(own) {
            return Ok(user);
        }
        Err(refused("its files are open to everybody"))
    }

    /// Returns an error where others can put files into the folder, or take them out. Its group may have been let in,
    /// as Kubernetes does with `fsGroup`; then it may be the administrator's.
    pub(super) fn may_use(&self, folder: &Metadata) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        const ADMINISTRATOR: u32 = 0;
        if !folder.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        if ![self.0, ADMINISTRATOR].contains(&folder.uid()) {
            return Err(refused(
                "the folder is somebody else's: name a folder of its own",
            ));
        }
        if folder.mode() & 0o002 != 0 {
            return Err(refused(
                "everybody can write into the folder: name a folder of its own, inside it for example, which is then made",
            ));
        }
        Ok(())
    }

    /// Returns whether the file is this user's, and not everybody's to read or write. The group may have access, as
    /// with Kubernetes' `fsGroup`.
    pub(super) fn owns(&self, file: &Metadata) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        file.uid() == self.0 && file.mode() & 0o007 == 0
    }
}

/// The folder's access list decides, so there is no user to know.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct User;

#[cfg(not(unix))]
impl User {
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    pub(super) fn of(_: &Metadata) -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on Unix")]
    pub(super) fn may_use(&self, _: &Metadata) -> io::Result<()> {
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "as on Unix")]
    pub(super) fn owns(&self, _: &Metadata) -> bool {
        true
    }
}
