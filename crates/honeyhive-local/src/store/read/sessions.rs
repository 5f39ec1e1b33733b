//! Sessions are read whole.

use rusqlite::OptionalExtension;

use super::Reading;
use crate::model::{LocalSession, canonical_id};
use crate::store::failed::Failed;

impl Reading<'_> {
    /// Returns all sessions, oldest first.
    pub(crate) fn sessions(&self) -> Result<Vec<LocalSession>, Failed> {
        let sql = "SELECT doc, events FROM session ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut sessions = Vec::new();
        while let Some(row) = rows.next()? {
            sessions.push(counted(
                row.get_ref(0)?.as_str().unwrap_or("{}"),
                row.get(1)?,
            )?);
        }
        Ok(sessions)
    }

    /// Returns the session of this id.
    pub(crate) fn session(&self, id: &str) -> Result<Option<LocalSession>, Failed> {
        let sql = "SELECT doc, events FROM session WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([canonical_id(id)], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?))
        });
        let found = found.optional()?;
        found.map(|(doc, events)| counted(&doc, events)).transpose()
    }
}

pub(super) fn counted(doc: &str, events: i64) -> Result<LocalSession, Failed> {
    Ok(LocalSession {
        event_count: usize::try_from(events).unwrap_or(0),
        ..serde_json::from_str(doc)?
    })
}
