//! An experiment's run has sessions and events.

use super::Reading;
use crate::model::{LocalEvent, LocalSession};
use crate::store::failed::Failed;

impl Reading<'_> {
    /// Returns the sessions that name a run, and those that the run names, in the order they came, each with its
    /// events.
    pub(crate) fn run_sessions(
        &self,
        run_id: &str,
        named: &[String],
    ) -> Result<Vec<(LocalSession, Vec<LocalEvent>)>, Failed> {
        let sql = "SELECT id FROM session WHERE run_id = ?1 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids = statement.query_map([run_id], |row| row.get::<_, String>(0))?;
        let mut ids: Vec<String> = ids.collect::<Result<_, _>>()?;
        let more: Vec<&String> = named.iter().filter(|id| !ids.contains(id)).collect();
        let more: Vec<String> = more.into_iter().cloned().collect();
        ids.extend(more);
        let mut sessions = Vec::new();
        for id in ids {
            if let Some(session) = self.session(&id)? {
                sessions.push((session, self.events(&id)?));
            }
        }
        Ok(sessions)
    }

    /// Returns the names of the metrics on a run's sessions and events.
    pub(crate) fn metric_names(&self, run_id: &str) -> Result<Vec<String>, Failed> {
        let sql = "SELECT key FROM session, json_each(doc, '$.metrics') WHERE run_id = ?1 \
                   UNION SELECT key FROM event, json_each(event.doc, '$.metrics') WHERE run_id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let names = statement.query_map([run_id], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Returns the names and types of events, of one run or of all, started within a time.
    pub(crate) fn event_names(
        &self,
        run_id: Option<&str>,
        from: f64,
        to: f64,
    ) -> Result<Vec<(String, String)>, Failed> {
        let sql = "SELECT DISTINCT name, type FROM event \
                   WHERE (?1 IS NULL OR run_id = ?1) AND start_ms BETWEEN ?2 AND ?3 \
                   UNION SELECT DISTINCT coalesce(name, 'unknown'), 'session' FROM session \
                   WHERE (?1 IS NULL OR run_id = ?1) AND start_ms BETWEEN ?2 AND ?3 LIMIT 1000";
        let mut statement = self.connection.prepare_cached(sql)?;
        let names = statement.query_map(rusqlite::params![run_id, from, to], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Returns the fields in the buckets of the newest events of each name: `inputs.question`, …, with name and type.
    pub(crate) fn event_fields(&self, name: &str, kind: &str) -> Result<Vec<String>, Failed> {
        let newest = match kind {
            "session" => {
                "SELECT doc FROM session WHERE coalesce(name, 'unknown') = ?1 ORDER BY seq DESC LIMIT 5"
            }
            _ => "SELECT doc FROM event WHERE name = ?1 AND type = ?2 ORDER BY seq DESC LIMIT 5",
        };
        let buckets =
            "('inputs', 'outputs', 'metadata', 'metrics', 'feedback', 'config', 'user_properties')";
        let sql = format!(
            "SELECT DISTINCT b.key || '.' || f.key FROM ({newest}) d, json_each(d.doc) b, json_each(b.value) f \
             WHERE b.key IN {buckets} AND b.type = 'object' AND ?2 = ?2"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let fields = statement.query_map([name, kind], |row| row.get(0))?;
        Ok(fields.collect::<Result<_, _>>()?)
    }
}
