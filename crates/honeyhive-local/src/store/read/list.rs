//! Lists of sessions have filters and pages, newest first.

use rusqlite::{ToSql, params};
use serde::Serialize;
use serde_json::Value as Json;

use super::rows::{SESSION_COLUMNS, SessionRow};
use super::{Reading, words};
use crate::model::{canonical_id, now};
use crate::store::failed::Failed;

/// A page of a list has at most this many rows.
const MOST: usize = 200;
const USUAL: usize = 50;

/// A search for words looks at the newest sessions and events that hold them, up to this many: a word that is in all of
/// 250,000 events is answered as fast as a rare one.
pub(crate) const MOST_FOUND: i64 = 5000;

/// The condition finds sessions that failed, or of which an event did. The index `session_that_failed` has these words,
/// too: the database uses it where they are the same.
const FAILED: &str = "(s.error IS NOT NULL OR s.errors > 0 OR s.status >= 500 \
     OR (s.outcome IS NOT NULL AND s.outcome <> 'complete'))";

/// A `SessionFilter` is the filter of a list of sessions. All conditions must hold; its fields are the names in a URL's
/// query.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SessionFilter {
    /// The words in the session or in any of its events, of which the newest [`MOST_FOUND`] with these words are looked
    /// at.
    pub(crate) q: Option<String>,
    /// A part of the name.
    pub(crate) name: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) model: Option<String>,
    /// The outcome: `complete`, `error`, …
    pub(crate) outcome: Option<String>,
    /// The status such as `404`, or a class such as `4xx`.
    pub(crate) status: Option<String>,
    /// Whether only sessions are listed that failed, or of which an event did.
    pub(crate) errors: Option<bool>,
    pub(crate) run_id: Option<String>,
    pub(crate) datapoint_id: Option<String>,
    /// The bounds of the start, in Unix milliseconds: at or after `from`, and before `to`.
    pub(crate) from: Option<f64>,
    pub(crate) to: Option<f64>,
    /// The least duration, in milliseconds.
    pub(crate) slower: Option<f64>,
    /// The ids of the sessions to list.
    pub(crate) ids: Vec<String>,
    /// The beginning of the ids.
    pub(crate) begins: Option<String>,
    /// The `seq` of the session before which, or after which, those in the list arrived.
    pub(crate) before: Option<i64>,
    pub(crate) after: Option<i64>,
    /// The number of rows: 50 by default, 200 at most.
    pub(crate) limit: Option<usize>,
}

/// A `Listed` is a page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct Listed<T> {
    pub(crate) rows: Vec<T>,
    /// The number of rows on all pages.
    pub(crate) total: u64,
    /// The `before` of the next page, where there is one.
    pub(crate) next: Option<i64>,
    /// Whether more sessions held the words than a search looks at, so that older ones may be missing.
    pub(crate) partial: bool,
}

impl SessionFilter {
    /// Reads the query of a URL; an empty, unknown or senseless value is no condition.
    pub(crate) fn from_query(query: &str) -> Self {
        let mut filter = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if !value.trim().is_empty() {
                filter.set(&key, value.trim());
            }
        }
        filter
    }

    fn set(&mut self, key: &str, value: &str) {
        let text = || Some(value.to_owned());
        match key {
            "q" => self.q = text(),
            "name" => self.name = text(),
            "source" => self.source = text(),
            "user" => self.user = text(),
            "model" => self.model = text(),
            "outcome" => self.outcome = text(),
            "status" => self.status = text(),
            "errors" => self.errors = Some(matches!(value, "1" | "true" | "on" | "yes")),
            "run_id" => self.run_id = text(),
            "datapoint_id" => self.datapoint_id = text(),
            "from" => self.from = value.parse().ok(),
            "to" => self.to = value.parse().ok(),
            "since" => self.from = started_since(value),
            "slower" => self.slower = value.parse().ok(),
            "id" => self.ids.push(canonical_id(value)),
            "begins" => self.begins = Some(value.to_lowercase()),
            "before" => self.before = value.parse().ok(),
            "after" => self.after = value.parse().ok(),
            "limit" => self.limit = value.parse().ok(),
            _ => {}
        }
    }
}

/// Returns the moment that is `15m`, `1h` or `7d` ago.
fn started_since(ago: &str) -> Option<f64> {
    let (number, unit) = ago.split_at_checked(ago.len().checked_sub(1)?)?;
    let minutes = match unit {
        "m" => 1.0,
        "h" => 60.0,
        "d" => 24.0 * 60.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    Some(now() - number * minutes * 60_000.0)
}

impl Reading<'_> {
    /// Returns the sessions that a filter lets through, those that arrived last first.
    pub(crate) fn list(&self, filter: &SessionFilter) -> Result<Listed<SessionRow>, Failed> {
        let limit = filter.limit.unwrap_or(USUAL).clamp(1, MOST);
        let (holding, partial) = self.holding(filter.q.as_deref())?;
        let everywhere = Conditions::of(filter, holding);
        let mut conditions = everywhere.clone();
        conditions.page(filter);
        let sql = format!(
            "SELECT {SESSION_COLUMNS} FROM session s WHERE {} ORDER BY s.seq DESC LIMIT {}",
            conditions.sql(),
            limit + 1
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(&*conditions.values(), SessionRow::read)?;
        let mut rows: Vec<SessionRow> = rows.collect::<Result<_, _>>()?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Listed {
            next: rows.last().filter(|_| more).map(|row| row.seq),
            total: self.count(&everywhere)?,
            partial,
            rows,
        })
    }

    /// Returns the sessions that hold these words themselves or in an event, and whether more held them than were
    /// looked at. Words that are common as they are need not be looked for as beginnings of others.
    fn holding(&self, words: Option<&str>) -> Result<(Option<Vec<i64>>, bool), Failed> {
        let queries = words.map(words::queries).unwrap_or_default();
        let mut found = None;
        for query in &queries {
            let sessions = self.sessions_with(query)?;
            let partial = sessions.len() as i64 > MOST_FOUND;
            found = Some((sessions, partial));
            if partial {
                break;
            }
        }
        let Some((mut sessions, partial)) = found else {
            return Ok((None, false));
        };
        sessions.sort_unstable();
        sessions.dedup();
        Ok((Some(sessions), partial))
    }

    /// Returns the session of each of the newest rows that a query finds, one row more than are looked at.
    fn sessions_with(&self, query: &str) -> Result<Vec<i64>, Failed> {
        let sql = "WITH found AS MATERIALIZED \
                   (SELECT rowid FROM text WHERE text MATCH ?1 ORDER BY rowid DESC LIMIT ?2) \
                   SELECT coalesce(held.seq, found.rowid) FROM found LEFT JOIN event e ON e.seq = found.rowid \
                   LEFT JOIN session held ON held.id = e.session_id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_map(params![query, MOST_FOUND + 1], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn count(&self, conditions: &Conditions) -> Result<u64, Failed> {
        let sql = format!("SELECT count(*) FROM session s WHERE {}", conditions.sql());
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row(&*conditions.values(), |row| row.get(0))?)
    }
}

/// A `Value` stands in a condition.
#[derive(Clone)]
enum Value {
    Text(String),
    Integer(i64),
    Real(f64),
}

/// `Conditions` has conditions in SQL, with their values in order.
#[derive(Clone, Default)]
struct Conditions {
    parts: Vec<&'static str>,
    values: Vec<Value>,
}

impl Conditions {
    fn of(filter: &SessionFilter, holding: Option<Vec<i64>>) -> Self {
        let mut all = Self::default();
        if let Some(seqs) = holding {
            all.parts.push("s.seq IN (SELECT value FROM json_each(?))");
            all.values.push(Value::Text(Json::from(seqs).to_string()));
        }
        all.text("instr(lower(s.name), lower(?)) > 0", &filter.name);
        all.text("s.source = ?", &filter.source);
        all.text("s.user_id = ?", &filter.user);
        all.text("s.model = ?", &filter.model);
        all.text("s.outcome = ?", &filter.outcome);
        all.text("s.run_id = ?", &filter.run_id);
        all.text("s.datapoint_id = ?", &filter.datapoint_id);
        all.status(filter.status.as_deref().unwrap_or_default());
        if filter.errors == Some(true) {
            all.parts.push(FAILED);
        }
        all.text("instr(s.id, ?) = 1", &filter.begins);
        all.real("s.start_ms >= ?", filter.from);
        all.real("s.start_ms < ?", filter.to);
        all.real("s.duration >= ?", filter.slower);
        if !filter.ids.is_empty() {
            let ids = Json::from(filter.ids.as_slice()).to_string();
            all.parts.push("s.id IN (SELECT value FROM json_each(?))");
            all.values.push(Value::Text(ids));
        }
        all
    }

    fn page(&mut self, filter: &SessionFilter) {
        self.integer("s.seq < ?", filter.before);
        self.integer("s.seq > ?", filter.after);
    }

    fn status(&mut self, status: &str) {
        let class = status
            .strip_suffix("xx")
            .and_then(|class| class.parse::<u8>().ok());
        match class.map(i64::from) {
            Some(class) => {
                self.integer("s.status >= ?", Some(class * 100));
                self.integer("s.status < ?", Some(class * 100 + 100));
            }
            None => self.integer("s.status = ?", status.parse().ok()),
        }
    }

    #[allow(clippy::ref_option, reason = "a filter's fields are options")]
    fn text(&mut self, sql: &'static str, value: &Option<String>) {
        let value = value.as_ref().filter(|text| !text.is_empty());
        self.add(sql, value.cloned().map(Value::Text));
    }

    fn integer(&mut self, sql: &'static str, value: Option<i64>) {
        self.add(sql, value.map(Value::Integer));
    }

    fn real(&mut self, sql: &'static str, value: Option<f64>) {
        self.add(sql, value.map(Value::Real));
    }

    fn add(&mut self, sql: &'static str, value: Option<Value>) {
        if let Some(value) = value {
            self.parts.push(sql);
            self.values.push(value);
        }
    }

    fn sql(&self) -> String {
        if self.parts.is_empty() {
            return "1".to_owned();
        }
        self.parts.join(" AND ")
    }

    fn values(&self) -> Vec<&dyn ToSql> {
        let values = self.values.iter().map(|value| match value {
            Value::Text(text) => text as &dyn ToSql,
            Value::Integer(number) => number,
            Value::Real(number) => number,
        });
        values.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Conditions, SessionFilter};
    use crate::config::Limits;
    use crate::store::{Feed, Store};

    #[test]
    fn a_list_of_errors_and_its_count_look_at_no_session_that_went_well() {
        let store = Store::open(None, Limits::default(), Arc::new(Feed::default()));
        let conditions = Conditions::of(&SessionFilter::from_query("errors=1"), None);
        let plans = store.expect("a store").read(|reading| {
            let list = "SELECT s.id FROM session s WHERE {} ORDER BY s.seq DESC LIMIT 51";
            let count = "SELECT count(*) FROM session s WHERE {}";
            let plan = |sql: &str| {
                let sql = format!(
                    "EXPLAIN QUERY PLAN {}",
                    sql.replace("{}", &conditions.sql())
                );
                reading.connection.query_row(&sql, [], |row| row.get(3))
            };
            Ok([plan(list)?, plan(count)?])
        });
        let plans: [String; 2] = plans.expect("the plans");
        for plan in plans {
            assert!(plan.contains("session_that_failed"), "{plan}");
        }
    }
}
