//! Some connections only read, beside the one that writes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::failed::Failed;
use super::open;
use super::read::Reading;

/// So many connections are kept; more are opened where more read at a time, and closed afterwards.
const KEPT: usize = 4;

/// `Readers` are the source of reads: a file's own connections, or the one that a store in memory has.
#[derive(Debug)]
pub(super) enum Readers {
    Shared(Arc<Mutex<Connection>>),
    OfFile {
        path: PathBuf,
        idle: Mutex<Vec<Connection>>,
    },
}

impl Readers {
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Reading<'_>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        match self {
            Self::Shared(connection) => at_one_moment(&locked(connection), read),
            Self::OfFile { path, idle } => {
                let kept = locked(idle).pop();
                let connection = kept.map_or_else(|| open::reader(path), Ok)?;
                let result = at_one_moment(&connection, read);
                let mut idle = locked(idle);
                if idle.len() < KEPT {
                    idle.push(connection);
                }
                result
            }
        }
    }
}

/// Calls `read` in a transaction, so that all it sees is of one moment.
fn at_one_moment<T>(
    connection: &Connection,
    read: impl FnOnce(&Reading<'_>) -> Result<T, Failed>,
) -> Result<T, Failed> {
    let transaction = connection.unchecked_transaction()?;
    let result = read(&Reading::new(&transaction));
    transaction.finish()?;
    result
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
