//! One write, inside the transaction that commits it together with others.

mod events;
mod pending;
mod records;
mod room;
mod sessions;
mod text;

use rusqlite::Connection;

use super::failed::Failed;
use super::feed::Kind;
use super::totals::Totals;
use crate::config::Limits;

/// What a write works with.
#[derive(Debug)]
pub(crate) struct Writing<'c> {
    connection: &'c Connection,
    totals: &'c mut Totals,
    limits: Limits,
    changes: Vec<(Kind, String, bool)>,
}

impl<'c> Writing<'c> {
    pub(super) fn new(connection: &'c Connection, totals: &'c mut Totals, limits: Limits) -> Self {
        Self {
            connection,
            totals,
            limits,
            changes: Vec::new(),
        }
    }

    pub(super) fn into_changes(self) -> Vec<(Kind, String, bool)> {
        self.changes
    }

    /// Does all of `work`, or nothing of it.
    pub(super) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let (totals, changes) = (*self.totals, self.changes.len());
        self.run("SAVEPOINT job")?;
        let done = work(self).and_then(|done| self.make_room().map(|()| done));
        if done.is_err() {
            *self.totals = totals;
            self.changes.truncate(changes);
            // Where the disk is full, the database may have rolled back the whole transaction by itself.
            let _ = self.run("ROLLBACK TO job");
        }
        let released = self.run("RELEASE job");
        let done = done?;
        released?;
        Ok(done)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) -> Result<(), Failed> {
        for table in ["session", "event", "pending_update", "record", "text"] {
            self.connection
                .execute(&format!("DELETE FROM {table}"), [])?;
        }
        *self.totals = Totals {
            next_seq: self.totals.next_seq,
            ..Totals::default()
        };
        self.changes.push((Kind::Cleared, String::new(), false));
        Ok(())
    }

    fn run(&self, sql: &str) -> Result<(), Failed> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    fn changed(&mut self, kind: Kind, id: &str, new: bool) {
        // Many events of one session in one write are one change.
        let known = self.changes.last();
        if known.is_none_or(|(last, last_id, _)| *last != kind || last_id != id) {
            self.changes.push((kind, id.to_owned(), new));
        }
    }
}
