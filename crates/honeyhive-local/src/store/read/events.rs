//! Whole events.

use rusqlite::{OptionalExtension, Row};

use super::Reading;
use crate::model::{LocalEvent, canonical_id};
use crate::store::failed::Failed;

/// An event's `doc`, and its parent: what the event names, else the event of its parent span in the same session,
/// else the session. A parent often arrives after its children, so it is looked up when somebody asks.
const WHOLE: &str = "SELECT e.doc, e.orphan, \
     (SELECT p.event_id FROM event p WHERE p.trace_id = e.trace_id AND p.span_id = e.parent_span_id \
      AND p.span_id <> '' AND p.orphan = 0 AND p.session_id = e.session_id) FROM event e";

impl Reading<'_> {
    /// The events of a session, in the order they came; none for an unknown session.
    pub(crate) fn events(&self, session_id: &str) -> Result<Vec<LocalEvent>, Failed> {
        let condition = "e.session_id = ?1 AND e.orphan = 0 ORDER BY e.seq";
        self.whole(condition, &[&canonical_id(session_id)])
    }

    /// The events that belong to no session, in the order they came.
    pub(crate) fn orphaned_events(&self) -> Result<Vec<LocalEvent>, Failed> {
        self.whole("e.orphan = 1 ORDER BY e.seq", &[])
    }

    /// The event of this id; of several, the latest.
    pub(crate) fn event(&self, id: &str) -> Result<Option<LocalEvent>, Failed> {
        let condition = "e.event_id = ?1 ORDER BY e.seq DESC LIMIT 1";
        let sql = format!("{WHOLE} WHERE {condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_row([canonical_id(id)], |row| Ok(read(row)));
        found.optional()?.transpose()
    }

    fn whole(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<LocalEvent>, Failed> {
        let sql = format!("{WHOLE} WHERE {condition}");
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
    let mut event: LocalEvent = serde_json::from_str(doc.as_str().unwrap_or("{}"))?;
    let orphan: bool = row.get(1)?;
    if !orphan {
        let above: Option<String> = row.get(2)?;
        let above = event.parent_id.take().or(above);
        event.parent_id = Some(above.unwrap_or_else(|| event.session_id.clone()));
    }
    Ok(event)
}
