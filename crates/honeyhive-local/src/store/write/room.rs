//! New data needs room: the oldest goes first.

use rusqlite::OptionalExtension;

use super::Writing;
use crate::store::failed::Failed;
use crate::store::feed::Kind;

impl Writing<'_> {
    /// Drops the oldest sessions and events until every limit is kept.
    pub(super) fn make_room(&mut self) -> Result<(), Failed> {
        while self.totals.sessions > self.limits.sessions {
            self.drop_oldest_session()?;
        }
        while self.totals.events > self.limits.events {
            self.drop_oldest_event()?;
        }
        while self.totals.bytes > self.limits.bytes {
            let before = self.totals.bytes;
            self.drop_oldest()?;
            if self.totals.bytes == before {
                break;
            }
        }
        Ok(())
    }

    /// Drops the oldest session with its events, or an orphan that is older; of a session that is alone, its oldest
    /// event.
    fn drop_oldest(&mut self) -> Result<(), Failed> {
        let session = self.oldest("SELECT min(seq) FROM session")?;
        let orphan = self.oldest("SELECT min(seq) FROM event WHERE orphan = 1")?;
        match (session, orphan) {
            (_, Some(orphan)) if session.is_none_or(|session| orphan < session) => {
                self.drop_event(orphan)
            }
            (Some(_), _) if self.totals.sessions > 1 => self.drop_oldest_session(),
            _ => self.drop_oldest_event(),
        }
    }

    fn drop_oldest_session(&mut self) -> Result<(), Failed> {
        let sql = "SELECT seq, id, bytes FROM session ORDER BY seq LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let oldest = statement.query_row([], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, u64>(2)?,
            ))
        });
        let Some((seq, id, bytes)) = oldest.optional()? else {
            return Ok(());
        };
        drop(statement);
        let sql = "DELETE FROM event WHERE session_id = ?1 AND orphan = 0 RETURNING seq, bytes";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let events: Vec<(i64, u64)> = rows.collect::<Result<_, _>>()?;
        drop(statement);
        for (event, bytes) in &events {
            self.unindex(*event)?;
            self.totals.bytes = self.totals.bytes.saturating_sub(*bytes);
        }
        let sql = "DELETE FROM session WHERE seq = ?1";
        self.connection.prepare_cached(sql)?.execute([seq])?;
        self.unindex(seq)?;
        self.totals.bytes = self.totals.bytes.saturating_sub(bytes);
        self.totals.sessions -= 1;
        self.totals.events -= events.len();
        self.totals.dropped_sessions += 1;
        self.totals.dropped_events += events.len() as u64;
        self.changed(Kind::Session, &id, false);
        Ok(())
    }

    fn drop_oldest_event(&mut self) -> Result<(), Failed> {
        match self.oldest("SELECT min(seq) FROM event")? {
            Some(seq) => self.drop_event(seq),
            None => Ok(()),
        }
    }

    fn oldest(&self, sql: &str) -> Result<Option<i64>, Failed> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}
