//! Lists show sessions and events as rows.

use rusqlite::Row;
use serde::Serialize;

/// A `SessionRow` is a session in a list.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct SessionRow {
    /// The order of arrival, and the place to go on from.
    pub(crate) seq: i64,
    pub(crate) session_id: String,
    pub(crate) name: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) start_time: f64,
    pub(crate) end_time: Option<f64>,
    pub(crate) duration: Option<f64>,
    pub(crate) error: Option<String>,
    /// The status of the HTTP answer, where there was one.
    pub(crate) status: Option<i64>,
    /// The outcome as the client said it: `complete`, `error`, `client_disconnected`, …
    pub(crate) outcome: Option<String>,
    pub(crate) user_id: Option<String>,
    /// The first question and the last answer: at most 200 characters.
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) run_id: Option<String>,
    pub(crate) datapoint_id: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) events: i64,
    /// The number of failed events.
    pub(crate) errors: i64,
    pub(crate) tokens: i64,
    /// The parts of the tokens, as far as they were told apart.
    pub(crate) input_tokens: i64,
    pub(crate) output_tokens: i64,
    /// The cost in US dollars; 0 where none was stated.
    pub(crate) cost: f64,
}

/// [`SessionRow::read`] takes these columns of a table named `s`. A client may have put any text anywhere, and a list
/// shows the beginning of it.
pub(super) const SESSION_COLUMNS: &str = "s.seq, s.id, substr(s.name, 1, 300), substr(s.source, 1, 300), s.start_ms, s.end_ms, \
     s.duration, substr(s.error, 1, 2000), s.status, substr(s.outcome, 1, 300), substr(s.user_id, 1, 300), \
     coalesce(s.input, (SELECT input FROM event WHERE session_id = s.id AND type = 'model' ORDER BY start_ms LIMIT 1)), \
     coalesce(s.output, (SELECT output FROM event WHERE session_id = s.id AND type = 'model' ORDER BY start_ms DESC LIMIT 1)), \
     s.run_id, s.datapoint_id, substr(s.model, 1, 300), s.events, s.errors, s.tokens, s.cost, \
     s.input_tokens, s.output_tokens";

impl SessionRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            session_id: row.get(1)?,
            name: row.get(2)?,
            source: row.get(3)?,
            start_time: row.get(4)?,
            end_time: row.get(5)?,
            duration: row.get(6)?,
            error: row.get(7)?,
            status: row.get(8)?,
            outcome: row.get(9)?,
            user_id: row.get(10)?,
            input: row.get(11)?,
            output: row.get(12)?,
            run_id: row.get(13)?,
            datapoint_id: row.get(14)?,
            model: row.get(15)?,
            events: row.get(16)?,
            errors: row.get(17)?,
            tokens: row.get(18)?,
            cost: row.get(19)?,
            input_tokens: row.get(20)?,
            output_tokens: row.get(21)?,
        })
    }
}

/// An `EventRow` is an event in a list or a tree; the whole of it is read by its id.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct EventRow {
    pub(crate) seq: i64,
    pub(crate) event_id: String,
    pub(crate) session_id: String,
    /// The event that was named as the parent, which need not be here.
    pub(crate) parent_id: Option<String>,
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) parent_span_id: Option<String>,
    #[serde(rename = "event_type")]
    pub(crate) kind: String,
    #[serde(rename = "event_name")]
    pub(crate) name: String,
    pub(crate) start_time: f64,
    pub(crate) end_time: f64,
    pub(crate) duration: f64,
    pub(crate) error: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) tokens: i64,
    pub(crate) cost: f64,
    /// The time from the start to the first token, in milliseconds.
    pub(crate) first_token_ms: Option<f64>,
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
}

pub(super) const EVENT_COLUMNS: &str = "e.seq, e.event_id, e.session_id, e.parent_id, e.trace_id, e.span_id, \
     e.parent_span_id, substr(e.type, 1, 300), substr(e.name, 1, 300), e.start_ms, e.end_ms, e.duration, \
     substr(e.error, 1, 2000), substr(e.model, 1, 300), substr(e.provider, 1, 300), e.tokens, \
     e.cost, e.first_token_ms, e.input, e.output";

impl EventRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            event_id: row.get(1)?,
            session_id: row.get(2)?,
            parent_id: row.get(3)?,
            trace_id: row.get(4)?,
            span_id: row.get(5)?,
            parent_span_id: row.get(6)?,
            kind: row.get(7)?,
            name: row.get(8)?,
            start_time: row.get(9)?,
            end_time: row.get(10)?,
            duration: row.get(11)?,
            error: row.get(12)?,
            model: row.get(13)?,
            provider: row.get(14)?,
            tokens: row.get(15)?,
            cost: row.get(16)?,
            first_token_ms: row.get(17)?,
            input: row.get(18)?,
            output: row.get(19)?,
        })
    }
}
