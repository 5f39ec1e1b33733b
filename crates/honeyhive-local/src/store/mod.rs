//! The store is one SQLite database, in memory or in a file; it has one writer, and readers beside it.

mod checkpoints;
mod failed;
mod feed;
mod open;
mod read;
mod readers;
mod requests;
mod totals;
mod write;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use tokio::sync::oneshot;

use crate::config::Limits;

use checkpoints::Checkpoints;
use readers::Readers;
use totals::Totals;
use writer::{Writer, WriterState};

pub(crate) use failed::Failed;
pub(crate) use feed::{Changes, Feed, Kind};
pub use open::StoreError;
pub(crate) use read::{
    Facets, Found, Listed, MOST_FOUND, Orphan, Reading, SessionFilter, SessionRow, Tree, TreeRow,
};
pub(crate) use requests::Requests;
pub(crate) use write::Writing;

/// The `Store` is the handle that everybody shares.
#[derive(Debug)]
pub(crate) struct Store {
    /// The writer is dropped before the readers, so that a file is whole when the last of them closes it.
    writer: Writer,
    readers: Readers,
    totals: Arc<Mutex<Totals>>,
}

impl Store {
    /// Opens the store in `path`, or one in memory.
    pub(crate) fn open(
        path: Option<&Path>,
        limits: Limits,
        feed: Arc<Feed>,
    ) -> Result<Self, StoreError> {
        let opened = match path {
            Some(path) => open::file(path)?,
            None => open::in_memory()?,
        };
        let totals = Arc::new(Mutex::new(
            Totals::of(&opened.connection).map_err(open::refused)?,
        ));
        let connection = Arc::new(Mutex::new(opened.connection));
        let readers = match path {
            Some(path) => Readers::OfFile {
                path: path.to_owned(),
                idle: Mutex::default(),
            },
            None => Readers::Shared(Arc::clone(&connection)),
        };
        let failed = |error: std::io::Error| StoreError::Database(error.to_string());
        let checkpoints = match path {
            Some(path) => Some(
                Checkpoints::start(path, open::second(path).map_err(open::refused)?)
                    .map_err(failed)?,
            ),
            None => None,
        };
        let state = WriterState {
            connection,
            totals: Arc::clone(&totals),
            feed,
            limits,
            lock: opened.lock,
            checkpoints,
        };
        Ok(Self {
            writer: Writer::start(state).map_err(failed)?,
            readers,
            totals,
        })
    }

    /// Writes, and returns once the write is committed.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Failed> {
        let (sender, receiver) = oneshot::channel();
        // The caller may have gone.
        let told = move |done| drop(sender.send(done));
        self.writer.submit(work, told);
        receiver.await.unwrap_or_else(|_| gone())
    }

    /// Writes as [`write`](Self::write) does, in code that is not async.
    pub(crate) fn write_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Failed> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let told = move |done| drop(sender.send(done));
        self.writer.submit(work, told);
        receiver.recv().unwrap_or_else(|_| gone())
    }

    /// Reads committed data, all of one moment; blocks for as long as that takes.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Reading<'_>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        self.readers.read(read)
    }

    pub(crate) fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gone<T>() -> Result<T, Failed> {
    Err(Failed::Broken("the writing thread has ended".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{Failed, Feed, Store};
    use crate::config::Limits;
    use crate::model::LocalSession;

    fn session(number: usize) -> LocalSession {
        LocalSession {
            session_id: format!("00000000-0000-4000-8000-{number:012}"),
            name: Some("x".repeat(20_000)),
            ..LocalSession::default()
        }
    }

    /// A full disk is a database that may not grow here; SQLite says the same of both.
    #[test]
    fn a_full_disk_refuses_what_is_new_keeps_what_was_and_goes_on_when_there_is_room() {
        let feed = Arc::new(Feed::default());
        let store = Store::open(None, Limits::default(), feed).expect("a store");
        let limit = |pages: u32| {
            let done = store.write_blocking(move |writing| writing.limit_pages(pages));
            done.expect("a limit");
        };
        limit(100);
        let mut kept = 0;
        let refused = loop {
            let posted = session(kept);
            match store.write_blocking(move |writing| writing.post(posted)) {
                Ok(_) => kept += 1,
                Err(failed) => break failed,
            }
            assert!(kept < 1000, "it is full some time");
        };
        assert_eq!(refused, Failed::Full);
        assert_eq!(store.totals().sessions, kept);
        limit(100_000);
        let posted = session(kept);
        store
            .write_blocking(move |writing| writing.post(posted))
            .expect("there is room");
        let held = store.read(|reading| reading.sessions()).expect("a read");
        assert_eq!(held.len(), kept + 1);
        assert_eq!(store.totals().sessions, kept + 1);
    }

    #[test]
    fn the_log_is_emptied_in_a_pause_without_a_write_that_has_to_do_it() {
        let folder = std::env::temp_dir().join(format!("honeyhive-local-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).expect("a folder");
        let file = folder.join("store.db");
        let store = Store::open(Some(&file), Limits::default(), Arc::new(Feed::default()));
        let store = store.expect("a store");
        let log = || std::fs::metadata(folder.join("store.db-wal")).map_or(0, |log| log.len());
        let mut written = 0;
        while log() < 4 * 1024 * 1024 && written < 1000 {
            written += 1;
            let posted = session(written);
            store
                .write_blocking(move |writing| writing.post(posted))
                .expect("a session");
        }
        let ample = Instant::now() + Duration::from_secs(20);
        while log() > 0 && Instant::now() < ample {
            std::thread::yield_now();
        }
        assert_eq!(log(), 0);
        let held = store.read(|reading| reading.sessions()).expect("a read");
        assert_eq!(held.len(), written);
        drop(store);
        std::fs::remove_dir_all(&folder).expect("a folder");
    }

    /// Posts a session and fails, posts another, and asserts that the other alone is there.
    #[track_caller]
    fn assert_undone(then: fn() -> Result<(), Failed>, expected: &Failed) {
        let feed = Arc::new(Feed::default());
        let store = Store::open(None, Limits::default(), Arc::clone(&feed)).expect("a store");
        let failed = store.write_blocking(move |writing| {
            writing.post(session(1))?;
            then()
        });
        assert_eq!(failed.as_ref(), Err(expected));
        store
            .write_blocking(|writing| writing.post(session(2)))
            .expect("a session");
        let held = store.read(|reading| reading.sessions()).expect("a read");
        assert_eq!(held.len(), 1);
        assert_eq!(store.totals().sessions, 1);
        assert_eq!(feed.since(0).changes.len(), 1);
    }

    #[test]
    fn a_write_that_fails_leaves_nothing_and_takes_no_neighbour_with_it() {
        let fails = || Err(Failed::Refused("no".to_owned()));
        assert_undone(fails, &Failed::Refused("no".to_owned()));
    }

    #[test]
    fn a_write_that_panics_leaves_nothing_and_ends_no_thread() {
        let panics = || panic!("asked for");
        assert_undone(panics, &Failed::Broken("a write panicked".to_owned()));
    }
}
