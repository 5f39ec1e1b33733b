//! Some updates come before their target.

use rusqlite::params;

use super::Writing;
use crate::model::now;
use crate::rest::Update;
use crate::store::failed::Failed;

/// A target that has not come within this time, in milliseconds, will not come.
const PATIENCE: f64 = 3_600_000.0;

/// The most updates that wait for their event.
const MOST: usize = 10_000;

/// A row costs this many bytes besides its JSON.
const ROW: u64 = 100;

impl Writing<'_> {
    pub(super) fn keep_pending(&mut self, id: &str, update: &Update) -> Result<(), Failed> {
        let doc = update.to_json().to_string();
        let bytes = ROW + doc.len() as u64;
        let seq = self.totals.take_seq();
        let sql =
            "INSERT INTO pending_update (seq, id, until, bytes, doc) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![seq, id, now() + PATIENCE, bytes, doc];
        self.connection.prepare_cached(sql)?.execute(values)?;
        self.totals.pending_updates += 1;
        self.totals.bytes += bytes;
        self.drop_overdue()
    }

    /// Takes the updates of `id`, in the order they came; they wait no more.
    pub(super) fn take_pending(&mut self, id: &str) -> Result<Vec<Update>, Failed> {
        if self.totals.pending_updates == 0 {
            return Ok(Vec::new());
        }
        let sql = "SELECT bytes, doc FROM pending_update WHERE id = ?1 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([id], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        let rows: Vec<(u64, String)> = rows.collect::<Result<_, _>>()?;
        drop(statement);
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "DELETE FROM pending_update WHERE id = ?1";
        self.connection.prepare_cached(sql)?.execute([id])?;
        self.totals.pending_updates -= rows.len();
        let bytes: u64 = rows.iter().map(|(bytes, _)| bytes).sum();
        self.totals.bytes = self.totals.bytes.saturating_sub(bytes);
        let updates = rows.iter().map(|(_, doc)| {
            let body = serde_json::from_str(doc)?;
            Update::parse(&body).map_err(|invalid| Failed::Broken(invalid.0))
        });
        updates.collect()
    }

    fn drop_overdue(&mut self) -> Result<(), Failed> {
        let most = i64::try_from(MOST).unwrap_or(i64::MAX);
        let oldest_kept = "SELECT seq FROM pending_update ORDER BY seq DESC LIMIT 1 OFFSET ?2";
        let sql = format!(
            "DELETE FROM pending_update WHERE seq <= coalesce(({oldest_kept}), 0) \
             OR (until < ?1 AND seq < (SELECT min(seq) + 100 FROM pending_update)) RETURNING bytes"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![now(), most], |row| row.get::<_, u64>(0))?;
        let dropped: Vec<u64> = rows.collect::<Result<_, _>>()?;
        drop(statement);
        self.totals.pending_updates -= dropped.len();
        self.totals.dropped_updates += dropped.len() as u64;
        self.totals.bytes = self.totals.bytes.saturating_sub(dropped.iter().sum());
        Ok(())
    }
}
