//! Records are datasets, datapoints, runs, metrics, configurations, queues and charts.

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use super::Writing;
use crate::store::failed::Failed;
use crate::store::feed::Kind;

/// A row costs this many bytes besides its JSON.
const ROW: u64 = 200;

impl Writing<'_> {
    /// Keeps a record, in place of one of the same kind and id.
    pub(crate) fn put_record(
        &mut self,
        kind: &'static str,
        id: &str,
        parent: Option<&str>,
        doc: &Value,
    ) -> Result<(), Failed> {
        let known = self.record_seq(kind, id)?;
        self.remove_record(kind, id)?;
        let seq = known.unwrap_or_else(|| self.totals.take_seq());
        let name = doc.get("name").and_then(Value::as_str);
        let text = doc.to_string();
        let bytes = ROW + text.len() as u64;
        let sql = "INSERT INTO record (seq, kind, id, name, parent, bytes, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![seq, kind, id, name, parent, bytes, text];
        self.connection.prepare_cached(sql)?.execute(values)?;
        self.totals.bytes += bytes;
        self.changed(Kind::Record, &format!("{kind}/{id}"), known.is_none());
        Ok(())
    }

    pub(crate) fn record(&self, kind: &'static str, id: &str) -> Result<Option<Value>, Failed> {
        let sql = "SELECT doc FROM record WHERE kind = ?1 AND id = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let doc = statement.query_row([kind, id], |row| row.get::<_, String>(0));
        let doc = doc.optional()?;
        Ok(doc.map(|doc| serde_json::from_str(&doc)).transpose()?)
    }

    /// Returns the records of a kind below another, oldest first.
    pub(crate) fn records_of(
        &self,
        kind: &'static str,
        parent: &str,
    ) -> Result<Vec<Value>, Failed> {
        let sql = "SELECT doc FROM record WHERE kind = ?1 AND parent = ?2 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let docs = statement.query_map([kind, parent], |row| row.get::<_, String>(0))?;
        let docs: Vec<String> = docs.collect::<Result<_, _>>()?;
        let docs = docs.iter().map(|doc| Ok(serde_json::from_str(doc)?));
        docs.collect()
    }

    /// Removes a record; returns whether there was one.
    pub(crate) fn delete_record(&mut self, kind: &'static str, id: &str) -> Result<bool, Failed> {
        let removed = self.remove_record(kind, id)?;
        if removed {
            self.changed(Kind::Record, &format!("{kind}/{id}"), false);
        }
        Ok(removed)
    }

    fn remove_record(&mut self, kind: &str, id: &str) -> Result<bool, Failed> {
        let sql = "DELETE FROM record WHERE kind = ?1 AND id = ?2 RETURNING bytes";
        let mut statement = self.connection.prepare_cached(sql)?;
        let bytes = statement.query_row([kind, id], |row| row.get::<_, u64>(0));
        let bytes = bytes.optional()?;
        self.totals.bytes = self.totals.bytes.saturating_sub(bytes.unwrap_or(0));
        Ok(bytes.is_some())
    }

    fn record_seq(&self, kind: &str, id: &str) -> Result<Option<i64>, Failed> {
        let sql = "SELECT seq FROM record WHERE kind = ?1 AND id = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let seq = statement.query_row([kind, id], |row| row.get(0));
        Ok(seq.optional()?)
    }
}
