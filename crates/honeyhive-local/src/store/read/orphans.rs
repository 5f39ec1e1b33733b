//! Orphans are events that belong to no session; each has a reason.

use serde::Serialize;

use super::rows::{EVENT_COLUMNS, EventRow};
use super::{Listed, Reading};
use crate::store::failed::Failed;

const PAGE: usize = 200;

/// An `Orphan` is an event without a session.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Orphan {
    #[serde(flatten)]
    pub(crate) event: EventRow,
    pub(crate) reason: OrphanReason,
}

/// The reason says why an event belongs to no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OrphanReason {
    /// The span names no session: no `honeyhive.session_id`.
    NoSessionId,
    /// The session that the span names was never started, and the span does not ask to make it.
    UnknownSession,
    /// The session was started only after the span had come.
    SessionCameLater,
}

impl OrphanReason {
    /// Returns the reason in words, with what to do about it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::NoSessionId => {
                "The span names no session. Open it inside a session, or set `honeyhive.session_id` on it."
            }
            Self::UnknownSession => {
                "The session that the span names was never started here. Start it with `POST /v1/sessions` first, or \
                 set `honeyhive.session_auto_create` on the span."
            }
            Self::SessionCameLater => {
                "The session was started only after the span had come. Start it first, or set \
                 `honeyhive.session_auto_create` on the span."
            }
        }
    }
}

impl Reading<'_> {
    /// Returns the orphans that arrived before `before`, newest first.
    pub(crate) fn orphans(&self, before: Option<i64>) -> Result<Listed<Orphan>, Failed> {
        let sql = format!(
            "SELECT {EVENT_COLUMNS}, EXISTS (SELECT 1 FROM session WHERE id = e.session_id) FROM event e \
             WHERE e.orphan = 1 AND e.seq < ?1 ORDER BY e.seq DESC LIMIT {}",
            PAGE + 1
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([before.unwrap_or(i64::MAX)], |row| {
            let event = EventRow::read(row)?;
            let known: bool = row.get(20)?;
            let reason = match (event.session_id.is_empty(), known) {
                (true, _) => OrphanReason::NoSessionId,
                (false, true) => OrphanReason::SessionCameLater,
                (false, false) => OrphanReason::UnknownSession,
            };
            Ok(Orphan { event, reason })
        })?;
        let mut rows: Vec<Orphan> = rows.collect::<Result<_, _>>()?;
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let sql = "SELECT count(*) FROM event WHERE orphan = 1";
        let total = self.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(Listed {
            next: rows.last().filter(|_| more).map(|row| row.event.seq),
            total,
            partial: false,
            rows,
        })
    }
}
