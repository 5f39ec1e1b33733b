//! A write happens inside the transaction that commits it together with others.

mod events;
mod pending;
mod records;
mod room;
mod sessions;
mod text;

use std::panic::{self, AssertUnwindSafe};

use rusqlite::Connection;

use super::failed::Failed;
use super::feed::Kind;
use super::totals::Totals;
use crate::config::Limits;

/// A `Writing` has the tools of a write: the open transaction, the totals, the limits.
#[derive(Debug)]
pub(crate) struct Writing<'c> {
    connection: &'c Connection,
    totals: &'c mut Totals,
    limits: Limits,
    changes: Vec<(Kind, String, bool)>,
    /// The error with which the whole transaction is gone, where the database has ended it by itself.
    broken: Option<Failed>,
}

impl<'c> Writing<'c> {
    pub(super) fn new(connection: &'c Connection, totals: &'c mut Totals, limits: Limits) -> Self {
        Self {
            connection,
            totals,
            limits,
            changes: Vec::new(),
            broken: None,
        }
    }

    pub(super) fn broken(&self) -> Option<&Failed> {
        self.broken.as_ref()
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
        let whole = || work(self).and_then(|done| self.make_room().map(|()| done));
        // A panic undoes its own write: the thread, and with it the server, is there for all others.
        let done = panic::catch_unwind(AssertUnwindSafe(whole));
        let done = done.unwrap_or_else(|_| Err(Failed::Broken("a write panicked".to_owned())));
        match &done {
            Ok(_) => {}
            // A full disk makes the database roll back all that was to be committed together.
            Err(failed) if self.connection.is_autocommit() => {
                self.broken = Some(failed.clone());
                return done;
            }
            Err(_) => {
                *self.totals = totals;
                self.changes.truncate(changes);
                self.run("ROLLBACK TO job")?;
            }
        }
        self.run("RELEASE job")?;
        done
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

    /// Lets the database grow to this many pages and no further, as a full disk does.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) -> Result<(), Failed> {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        self.connection.query_row(&pragma, [], |_| Ok(()))?;
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
