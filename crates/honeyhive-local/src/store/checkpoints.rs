//! A thread of its own makes checkpoints: it moves what was committed from the log into the file while nobody writes,
//! so that a write rarely waits for the disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

/// A log of this size is emptied in the next pause.
const DUE: u64 = 2 * 1024 * 1024;

/// A pause has this length.
const PAUSE: Duration = Duration::from_millis(20);

/// The writing thread itself makes the checkpoint at this number of pages in the log: there has been no pause.
pub(super) const OVERDUE_PAGES: u32 = 4096;

/// `Checkpoints` is the thread's handle; dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Checkpoints {
    commits: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the thread for the store in `path`, with a connection of its own.
    pub(super) fn start(path: &Path, connection: Connection) -> io::Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let (sender, commits) = mpsc::sync_channel(1);
        let builder = thread::Builder::new().name("honeyhive-store-log".to_owned());
        let thread = builder.spawn(move || work(&connection, &PathBuf::from(log), &commits))?;
        Ok(Self {
            commits: Some(sender),
            thread: Some(thread),
        })
    }

    /// Wakes the thread after a commit; a full channel means that it is awake already.
    pub(super) fn after_commit(&self) {
        if let Some(commits) = &self.commits {
            let _ = commits.try_send(());
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.commits.take());
        if let Some(thread) = self.thread.take() {
            // Joining fails only where the thread panicked, and a drop must not.
            let _ = thread.join();
        }
    }
}

fn work(connection: &Connection, log: &Path, commits: &Receiver<()>) {
    while commits.recv().is_ok() {
        while commits.recv_timeout(PAUSE).is_ok() {}
        if fs::metadata(log).is_ok_and(|log| log.len() >= DUE) {
            empty(connection);
        }
    }
}

/// Moves all that the log holds, which lets others write meanwhile, and then cuts the log off. A checkpoint that fails
/// loses nothing: the log still holds it all.
fn empty(connection: &Connection) {
    for step in ["PASSIVE", "TRUNCATE"] {
        let pragma = format!("PRAGMA wal_checkpoint({step})");
        let _ = connection.query_row(&pragma, [], |_| Ok(()));
    }
}
