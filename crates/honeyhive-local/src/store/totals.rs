//! The totals count the kept data, so that the database need not be asked.

use rusqlite::Connection;

/// `Totals` has sums over the tables, and what was dropped since the store was opened or cleared.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) sessions: usize,
    /// The number of events, orphans included.
    pub(crate) events: usize,
    pub(crate) orphans: usize,
    pub(crate) pending_updates: usize,
    pub(crate) bytes: u64,
    /// The number of the next row.
    pub(crate) next_seq: i64,
    pub(crate) dropped_sessions: u64,
    pub(crate) dropped_events: u64,
    pub(crate) dropped_updates: u64,
}

impl Totals {
    /// Counts what a store already holds.
    pub(crate) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let count = |sql: &str| number(sql).map(|count| usize::try_from(count).unwrap_or(0));
        let tables = ["session", "event", "pending_update", "record"];
        let mut bytes = 0;
        let mut last = 0;
        for table in tables {
            bytes += number(&format!("SELECT coalesce(sum(bytes), 0) FROM {table}"))?;
            last = last.max(number(&format!(
                "SELECT coalesce(max(seq), 0) FROM {table}"
            ))?);
        }
        Ok(Self {
            sessions: count("SELECT count(*) FROM session")?,
            events: count("SELECT count(*) FROM event")?,
            orphans: count("SELECT count(*) FROM event WHERE orphan = 1")?,
            pending_updates: count("SELECT count(*) FROM pending_update")?,
            bytes: u64::try_from(bytes).unwrap_or(0),
            next_seq: last + 1,
            ..Self::default()
        })
    }

    pub(crate) fn take_seq(&mut self) -> i64 {
        self.next_seq += 1;
        self.next_seq - 1
    }
}
