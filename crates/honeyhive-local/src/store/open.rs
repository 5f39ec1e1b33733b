//! A store is opened: its file, its lock, its version.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::checkpoints::OVERDUE_PAGES;

/// The number marks a file as one of honeyhive-local's: `HHlo`.
const APPLICATION: i64 = 0x4848_6c6f;

/// The schema has these steps; a store's `user_version` is how many of them it has.
const MIGRATIONS: [&str; 3] = [
    include_str!("schema.sql"),
    include_str!("tokens.sql"),
    include_str!("failed.sql"),
];

const CACHED_STATEMENTS: usize = 64;

/// The error says why a store could not be opened.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another program has the file open for writing.
    #[error(
        "{} is in use by another honeyhive-local: end that one, or take another file (`--data`)",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote the file.
    #[error(
        "{} is of a newer honeyhive-local (its version is {found}, this program knows {known}): \
         use the newer program, or another file (`--data`)",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's version.
        found: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// Another program has made the file.
    #[error("{} is no store of honeyhive-local: take another file (`--data`)", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be made, read or written.
    #[error("cannot open {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The database refuses the file.
    #[error("cannot open the store: {0}")]
    Database(String),
}

/// `main` shows the `Debug` of an error that it returns, so `Debug` is the text that people read.
impl fmt::Debug for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Returns the database's error as a text: a `From` would put its crate into the public API.
#[expect(clippy::needless_pass_by_value, reason = "what `map_err` calls")]
pub(super) fn refused(error: rusqlite::Error) -> StoreError {
    StoreError::Database(error.to_string())
}

/// `Opened` is an open database, with the lock that keeps others from writing to it.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) lock: Option<File>,
}

pub(super) fn in_memory() -> Result<Opened, StoreError> {
    let connection = Connection::open_in_memory().map_err(refused)?;
    prepare(&connection).map_err(refused)?;
    migrate(&connection, Path::new(":memory:"))?;
    Ok(Opened {
        connection,
        lock: None,
    })
}

pub(super) fn file(path: &Path) -> Result<Opened, StoreError> {
    let lock = lock(path)?;
    make_private(path)?;
    let connection = Connection::open_with_flags(path, writing_flags()).map_err(refused)?;
    prepare(&connection).map_err(|error| as_foreign(error, path))?;
    migrate(&connection, path)?;
    Ok(Opened {
        connection,
        lock: Some(lock),
    })
}

fn as_foreign(error: rusqlite::Error, path: &Path) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign {
            path: path.to_owned(),
        },
        _ => refused(error),
    }
}

/// Opens a connection that makes checkpoints, beside the one that writes.
pub(super) fn second(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, writing_flags())?;
    prepare(&connection)?;
    // A checkpoint that waits for readers would hold up the writer.
    connection.busy_timeout(std::time::Duration::ZERO)?;
    Ok(connection)
}

/// Opens a connection that only reads, beside the one that writes.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn writing_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    // A negative number means KiB.
    connection.pragma_update(None, "cache_size", -8192)
}

/// Takes the lock, which is a file of its own: the database's locks come and go with its transactions.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let opened = private_options().open(&name);
    let file = opened.map_err(|source| StoreError::File { path: name, source })?;
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => Ok(file),
        Err(_) => Err(StoreError::InUse {
            path: path.to_owned(),
        }),
    }
}

/// Makes the file before the database does, so that nobody else may ever read it; SQLite gives the files beside it
/// the same mode.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::File {
        path: path.to_owned(),
        source,
    };
    let file = private_options().open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o600);
        file.set_permissions(mode).map_err(failed)?;
    }
    drop(file);
    Ok(())
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Brings a store to the newest version, step by step; refuses a store that is newer or of another program.
fn migrate(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let found = pragma("user_version").map_err(|error| as_foreign(error, path))?;
    let tables = connection
        .query_row("SELECT count(*) FROM sqlite_master", [], |row| {
            row.get::<_, i64>(0)
        })
        .map_err(refused)?;
    if tables > 0 && pragma("application_id").map_err(refused)? != APPLICATION {
        return Err(StoreError::Foreign {
            path: path.to_owned(),
        });
    }
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    step_up(connection, usize::try_from(found).unwrap_or(0)).map_err(refused)
}

/// Does the steps that the store has not had yet.
fn step_up(connection: &Connection, done: usize) -> rusqlite::Result<()> {
    // An answered write is there after the program is killed; only a crash of the machine may take the last second.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    // Another thread makes checkpoints before so many pages are in the log.
    connection.pragma_update(None, "wal_autocheckpoint", OVERDUE_PAGES)?;
    for (step, migration) in MIGRATIONS.iter().enumerate().skip(done) {
        let version = step + 1;
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {migration} PRAGMA user_version = {version}; \
             PRAGMA application_id = {APPLICATION}; COMMIT;"
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_the_first_version_is_brought_to_the_newest_with_what_it_holds() {
        let connection = Connection::open_in_memory().expect("a database");
        let first = format!(
            "{} PRAGMA user_version = 1; PRAGMA application_id = {APPLICATION};
             INSERT INTO session (seq, id, start_ms, tokens, bytes, doc) VALUES (1, 'a', 0, 42, 0, '{{}}');
             INSERT INTO event (seq, event_id, session_id, trace_id, span_id, type, name, start_ms, end_ms, duration,
                 tokens, cost, orphan, bytes, doc)
             VALUES (2, 'b', 'a', '', '', 'model', 'ask', 0, 0, 0, 42, 0, 0, 0,
                 '{{\"metadata\": {{\"prompt_tokens\": 40, \"output_tokens\": 2}}}}');",
            MIGRATIONS[0]
        );
        connection.execute_batch(&first).expect("the first version");
        migrate(&connection, Path::new(":memory:")).expect("a migration");
        let sql = "SELECT input_tokens, output_tokens, tokens FROM session";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let tokens: (i64, i64, i64) = connection.query_row(sql, [], read).expect("a session");
        assert_eq!(tokens, (40, 2, 42));
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        assert_eq!(version, Ok(MIGRATIONS.len() as i64));
    }
}
