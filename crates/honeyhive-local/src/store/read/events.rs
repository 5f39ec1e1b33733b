//! Events are read whole.

use rusqlite::{OptionalExtension, Row};

use super::{Reading, words};
use crate::model::{LocalEvent, canonical_id};
use crate::store::failed::Failed;

/// The expression finds the event of an event's parent span in the same session, of a table named `x`. A parent often
/// arrives after its children, so it is looked up when somebody asks.
pub(super) const PARENT: &str = "(SELECT p.event_id FROM event p WHERE p.trace_id = x.trace_id \
     AND p.span_id = x.parent_span_id AND p.span_id <> '' AND p.orphan = 0 AND p.session_id = x.session_id)";

impl Reading<'_> {
    /// Returns the events of a session, in the order they came; an unknown session has none.
    pub(crate) fn events(&self, session_id: &str) -> Result<Vec<LocalEvent>, Failed> {
        let condition = "x.session_id = ?1 AND x.orphan = 0 ORDER BY x.seq";
        self.whole(condition, &[&canonical_id(session_id)])
    }

    /// Returns the events that belong to no session, in the order they came.
    pub(crate) fn orphaned_events(&self) -> Result<Vec<LocalEvent>, Failed> {
        self.whole("x.orphan = 1 ORDER BY x.seq", &[])
    }

    /// Returns the event of this id; of several, the latest.
    pub(crate) fn event(&self, id: &str) -> Result<Option<LocalEvent>, Failed> {
        let condition = "x.event_id = ?1 ORDER BY x.seq DESC LIMIT 1";
        let sql = format!("SELECT x.doc, x.orphan, {PARENT} FROM event x WHERE {condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_row([canonical_id(id)], |row| Ok(read(row)));
        found.optional()?.transpose()
    }

    /// Returns the ids of the events of a session that hold all words of `query`.
    pub(crate) fn found_in(&self, session_id: &str, query: &str) -> Result<Vec<String>, Failed> {
        let Some(query) = words::queries(query).pop() else {
            return Ok(Vec::new());
        };
        let sql = "SELECT event_id FROM event WHERE session_id = ?1 AND orphan = 0 \
                   AND seq IN (SELECT rowid FROM text WHERE text MATCH ?2) ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids = statement.query_map([canonical_id(session_id), query], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn whole(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<LocalEvent>, Failed> {
        let sql = format!("SELECT x.doc, x.orphan, {PARENT} FROM event x WHERE {condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(values)?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            events.push(read(row)?);
        }
        Ok(events)
    }
}

fn read(row: &Row<'_>) -> Result<LocalEvent, Failed> {
    let doc = row.get_ref(0)?;
    let event = serde_json::from_str(doc.as_str().unwrap_or("{}"))?;
    Ok(placed(event, row.get(1)?, row.get(2)?))
}

/// Returns an event with its parent: the one that it names itself, else the event of its parent span, else the session.
pub(super) fn placed(mut event: LocalEvent, orphan: bool, above: Option<String>) -> LocalEvent {
    if !orphan {
        let above = event.parent_id.take().or(above);
        event.parent_id = Some(above.unwrap_or_else(|| event.session_id.clone()));
    }
    event
}
