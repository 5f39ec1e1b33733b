//! Facets narrow a list: they are the values that recent sessions have.

use rusqlite::Connection;

use super::Reading;
use crate::store::failed::Failed;

/// So many newest sessions are read: a list of choices need not be complete, and must be quick.
const RECENT: usize = 500;

/// A facet has at most this many values.
const MOST: usize = 4;

/// A value of more characters is no choice: a link cannot hold texts of any length.
const LONGEST: usize = 200;

/// `Facets` has the most frequent values among recent sessions.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Facets {
    pub(crate) models: Vec<String>,
    pub(crate) sources: Vec<String>,
}

impl Reading<'_> {
    /// Returns the models and sources of recent sessions, the most frequent first.
    pub(crate) fn facets(&self) -> Result<Facets, Failed> {
        Ok(Facets {
            models: frequent(self.connection, "model")?,
            sources: frequent(self.connection, "source")?,
        })
    }
}

fn frequent(connection: &Connection, column: &'static str) -> Result<Vec<String>, Failed> {
    let sql = format!(
        "SELECT value FROM (SELECT {column} AS value FROM session ORDER BY seq DESC LIMIT {RECENT}) \
         WHERE length(value) <= {LONGEST} GROUP BY value ORDER BY count(*) DESC, value LIMIT {MOST}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = statement.query_map([], |row| row.get(0))?;
    Ok(values.collect::<Result<_, _>>()?)
}
