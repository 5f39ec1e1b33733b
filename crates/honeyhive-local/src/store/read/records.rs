//! Records are datasets, datapoints, runs and the like.

use rusqlite::OptionalExtension;
use serde_json::Value;

use super::Reading;
use crate::store::failed::Failed;

impl Reading<'_> {
    pub(crate) fn record(&self, kind: &str, id: &str) -> Result<Option<Value>, Failed> {
        let sql = "SELECT doc FROM record WHERE kind = ?1 AND id = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let doc = statement.query_row([kind, id], |row| row.get::<_, String>(0));
        let doc = doc.optional()?;
        Ok(doc.map(|doc| serde_json::from_str(&doc)).transpose()?)
    }

    /// Returns all records of a kind, oldest first.
    pub(crate) fn records(&self, kind: &str) -> Result<Vec<Value>, Failed> {
        self.docs(
            "SELECT doc FROM record WHERE kind = ?1 ORDER BY seq",
            &[&kind],
        )
    }

    /// Returns the records of a kind below another, oldest first.
    pub(crate) fn records_of(&self, kind: &str, parent: &str) -> Result<Vec<Value>, Failed> {
        let sql = "SELECT doc FROM record WHERE kind = ?1 AND parent = ?2 ORDER BY seq";
        self.docs(sql, &[&kind, &parent])
    }

    /// Returns the records of a kind and name, oldest first.
    pub(crate) fn records_named(&self, kind: &str, name: &str) -> Result<Vec<Value>, Failed> {
        let sql = "SELECT doc FROM record WHERE kind = ?1 AND name = ?2 ORDER BY seq";
        self.docs(sql, &[&kind, &name])
    }

    fn docs(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Value>, Failed> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        let mut docs = Vec::new();
        while let Some(row) = rows.next()? {
            docs.push(serde_json::from_str(
                row.get_ref(0)?.as_str().unwrap_or("null"),
            )?);
        }
        Ok(docs)
    }
}
