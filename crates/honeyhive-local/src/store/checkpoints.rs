//! Checkpoints: a thread of their own moves what was committed from the log into the file, so that no write waits for
//! the disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

/// A log of this size is due. It is emptied whenever the next commit finds that all of it is in the file.
const DUE: u64 = 4 * 1024 * 1024;

/// The pages of a log at which the writing thread itself makes the checkpoint: writes come faster than the thread can
/// move them, or somebody reads without a pause.
pub(super) const OVERDUE_PAGES: u32 = 16 * 1024;

/// The thread's handle; dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Checkpoints {
    log: PathBuf,
    due: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the thread for the store in `path`, which is open and has a log.
    pub(super) fn start(path: &Path, connection: Connection) -> io::Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let (due, asked) = mpsc::sync_channel(1);
        let builder = thread::Builder::new().name("honeyhive-store-log".to_owned());
        let thread = builder.spawn(move || work(&connection, &asked))?;
        Ok(Self {
            log: PathBuf::from(log),
            due: Some(due),
            thread: Some(thread),
        })
    }

    /// Asks for a checkpoint where the log has grown enough.
    pub(super) fn after_commit(&self) {
        let grown = fs::metadata(&self.log).is_ok_and(|log| log.len() >= DUE);
        if let Some(due) = self.due.as_ref().filter(|_| grown) {
            // A full channel says that one is due already.
            let _ = due.try_send(());
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.due.take());
        if let Some(thread) = self.thread.take() {
            // Joining fails only where the thread panicked, and a drop must not.
            let _ = thread.join();
        }
    }
}

fn work(connection: &Connection, asked: &Receiver<()>) {
    while asked.recv().is_ok() {
        // A checkpoint that fails loses nothing: the log holds it all, and the next commit asks again.
        let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    }
}
