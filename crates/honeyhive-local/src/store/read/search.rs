//! A search finds the sessions and events that conditions hold for, as HoneyHive's does.

use rusqlite::types::Value as Sql;
use rusqlite::{Row, params_from_iter};
use serde_json::Value;

use super::Reading;
use super::events::{PARENT, placed};
use super::sessions::counted;
use crate::model::{LocalEvent, LocalSession};
use crate::rest::{Filter, Operator, Search};
use crate::store::failed::Failed;

/// A `Found` is a session or an event; to a search a session is an event, too.
#[derive(Debug)]
pub(crate) enum Found {
    Session(Box<LocalSession>),
    Event(Box<LocalEvent>),
}

/// A `Table` is searched, and has columns for the fields of an event.
struct Table {
    from: &'static str,
    columns: &'static [(&'static str, &'static str)],
    /// The columns of an answer: kind, start, seq, doc, orphan, events, parent.
    picks: &'static str,
}

const SESSIONS: Table = Table {
    from: "session x",
    columns: &[
        ("event_id", "x.id"),
        ("session_id", "x.id"),
        ("event_type", "'session'"),
        ("event_name", "x.name"),
        ("source", "x.source"),
        ("error", "x.error"),
        ("parent_id", "NULL"),
        ("start_time", "x.start_ms"),
        ("end_time", "x.end_ms"),
        ("duration", "x.duration"),
        ("metadata.run_id", "x.run_id"),
        ("metadata.datapoint_id", "x.datapoint_id"),
    ],
    picks: "0, x.start_ms AS start, x.seq AS seq, x.doc, 0, x.events, NULL",
};

const EVENTS: Table = Table {
    from: "event x",
    columns: &[
        ("event_id", "x.event_id"),
        ("session_id", "x.session_id"),
        ("event_type", "x.type"),
        ("event_name", "x.name"),
        ("source", "x.source"),
        ("error", "x.error"),
        ("parent_id", "coalesce(x.parent_id, x.session_id)"),
        ("start_time", "x.start_ms"),
        ("end_time", "x.end_ms"),
        ("duration", "x.duration"),
        ("metadata.run_id", "x.run_id"),
        ("metadata.datapoint_id", "x.datapoint_id"),
    ],
    picks: "1, x.start_ms AS start, x.seq AS seq, x.doc, x.orphan, 0, ",
};

impl Reading<'_> {
    /// Returns a page of what is found, the latest start first, and how much there is on all pages.
    pub(crate) fn search(&self, search: &Search) -> Result<(Vec<Found>, u64), Failed> {
        let mut sessions = Query::of(&SESSIONS, search)?;
        let events = Query::of(&EVENTS, search)?;
        let total = self.matches(&sessions)? + self.matches(&events)?;
        let sql = format!(
            "SELECT {} FROM {} WHERE {} UNION ALL SELECT {}{PARENT} FROM {} WHERE {} \
             ORDER BY start DESC, seq DESC LIMIT ? OFFSET ?",
            SESSIONS.picks,
            SESSIONS.from,
            sessions.conditions(),
            EVENTS.picks,
            EVENTS.from,
            events.conditions(),
        );
        sessions.values.extend(events.values);
        let skipped = (search.page.max(1) - 1).saturating_mul(search.limit);
        for number in [search.limit, skipped] {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            sessions.values.push(Sql::Integer(number));
        }
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(sessions.values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok((found, total))
    }

    fn matches(&self, query: &Query) -> Result<u64, Failed> {
        let sql = format!(
            "SELECT count(*) FROM {} WHERE {}",
            query.table.from,
            query.conditions()
        );
        let values = params_from_iter(query.values.iter());
        Ok(self.connection.query_row(&sql, values, |row| row.get(0))?)
    }
}

fn read(row: &Row<'_>) -> Result<Found, Failed> {
    let doc = row.get_ref(3)?;
    let doc = doc.as_str().unwrap_or("{}");
    if row.get::<_, i64>(0)? == 0 {
        return Ok(Found::Session(Box::new(counted(doc, row.get(5)?)?)));
    }
    let event = placed(serde_json::from_str(doc)?, row.get(4)?, row.get(6)?);
    Ok(Found::Event(Box::new(event)))
}

/// A `Query` has conditions on one table, with their values in order.
struct Query {
    table: &'static Table,
    parts: Vec<String>,
    values: Vec<Sql>,
}

impl Query {
    fn of(table: &'static Table, search: &Search) -> Result<Self, Failed> {
        let mut query = Self {
            table,
            parts: vec!["1".to_owned()],
            values: Vec::new(),
        };
        if let Some(from) = search.from {
            query.add("x.start_ms >= ?", Sql::Real(from));
        }
        if let Some(to) = search.to {
            query.add("x.start_ms <= ?", Sql::Real(to));
        }
        if let Some(run) = &search.run_id {
            query.add("x.run_id = ?", Sql::Text(run.clone()));
        }
        for filter in &search.filters {
            query.filter(filter)?;
        }
        Ok(query)
    }

    fn conditions(&self) -> String {
        self.parts.join(" AND ")
    }

    fn add(&mut self, sql: &str, value: Sql) {
        self.parts.push(sql.to_owned());
        self.values.push(value);
    }

    fn filter(&mut self, filter: &Filter) -> Result<(), Failed> {
        let field = self.field(&filter.path)?;
        let text = format!("CAST({field} AS TEXT)");
        let sql = |template: &str| template.replace("{field}", &field).replace("{text}", &text);
        match filter.operator {
            Operator::Exists => self.parts.push(sql("{field} IS NOT NULL")),
            Operator::NotExists => self.parts.push(sql("{field} IS NULL")),
            Operator::Is => self.add(&sql("{field} IS ?"), value(&filter.value)),
            Operator::IsNot => self.add(&sql("{field} IS NOT ?"), value(&filter.value)),
            Operator::Contains => {
                self.add(
                    &sql("instr(lower({text}), lower(?)) > 0"),
                    words(&filter.value),
                );
            }
            Operator::NotContains => self.add(
                &sql("ifnull(instr(lower({text}), lower(?)), 0) = 0"),
                words(&filter.value),
            ),
            Operator::Above => self.add(&sql("{field} > ?"), value(&filter.value)),
            Operator::Below => self.add(&sql("{field} < ?"), value(&filter.value)),
        }
        Ok(())
    }

    /// Returns a field in SQL: a column, or a path into the document.
    fn field(&self, path: &[String]) -> Result<String, Failed> {
        let name = path.join(".");
        let mut columns = self.table.columns.iter();
        if let Some((_, column)) = columns.find(|(field, _)| *field == name) {
            return Ok((*column).to_owned());
        }
        if name.contains(['"', '\'', '\0']) {
            return Err(Failed::Refused(format!("`{name}` is no field")));
        }
        let nested: Vec<String> = path.iter().map(|part| format!("\"{part}\"")).collect();
        let nested = format!("json_extract(x.doc, '$.{}')", nested.join("."));
        let [bucket, rest @ ..] = path else {
            return Ok(nested);
        };
        if rest.len() < 2 {
            return Ok(nested);
        }
        // The field may be a key with dots in it, or an object in an object.
        let flat = rest.join(".");
        Ok(format!(
            "coalesce({nested}, json_extract(x.doc, '$.\"{bucket}\".\"{flat}\"'))"
        ))
    }
}

fn value(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Bool(flag) => Sql::Integer(i64::from(*flag)),
        Value::Number(number) => number.as_i64().map_or_else(
            || Sql::Real(number.as_f64().unwrap_or(f64::NAN)),
            Sql::Integer,
        ),
        other => words(other),
    }
}

fn words(value: &Value) -> Sql {
    Sql::Text(match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}
