//! Sessions are posted, made by a span, and updated.

use rusqlite::{OptionalExtension, params};

use super::{Writing, text};
use crate::model::{LocalSession, SessionFacts, canonical_id, merge};
use crate::rest::Update;
use crate::store::failed::Failed;
use crate::store::feed::Kind;

/// A row costs this many bytes besides its JSON and its words.
const ROW: u64 = 400;

/// The statement leaves out the sums of the events: only the events change them.
const PUT: &str = "INSERT INTO session (seq, id, name, source, start_ms, end_ms, duration, error, status, outcome, \
     user_id, input, output, run_id, datapoint_id, bytes, doc) \
     VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17) \
     ON CONFLICT (seq) DO UPDATE SET name = excluded.name, source = excluded.source, start_ms = excluded.start_ms, \
     end_ms = excluded.end_ms, duration = excluded.duration, error = excluded.error, status = excluded.status, \
     outcome = excluded.outcome, user_id = excluded.user_id, input = excluded.input, output = excluded.output, \
     run_id = excluded.run_id, datapoint_id = excluded.datapoint_id, bytes = excluded.bytes, doc = excluded.doc";

impl Writing<'_> {
    /// Keeps a new session as posted; of a known one, only metadata and user properties are taken, even if a span
    /// created it. Returns the session as it is now.
    pub(crate) fn post(&mut self, posted: LocalSession) -> Result<LocalSession, Failed> {
        let Some((seq, mut known)) = self.find_session(&posted.session_id)? else {
            return self.create_session(posted);
        };
        known.posts += 1;
        merge(&mut known.metadata, posted.metadata);
        merge(&mut known.user_properties, posted.user_properties);
        if known.raw.is_null() {
            known.raw = posted.raw;
        }
        self.save_session(seq, &known)?;
        Ok(known)
    }

    /// Keeps a session as it was shown, in the place of the one that has its id.
    pub(crate) fn restore_session(&mut self, session: LocalSession) -> Result<(), Failed> {
        match self.find_session(&session.session_id)? {
            Some((seq, _)) => self.save_session(seq, &session),
            None => self.create_session(session).map(drop),
        }
    }

    pub(super) fn create_unless_known(&mut self, session: LocalSession) -> Result<(), Failed> {
        if !self.knows_session(&session.session_id)? {
            self.create_session(session)?;
        }
        Ok(())
    }

    pub(super) fn knows_session(&self, id: &str) -> Result<bool, Failed> {
        let sql = "SELECT 1 FROM session WHERE id = ?1";
        Ok(self.connection.prepare_cached(sql)?.exists([id])?)
    }

    /// Updates the session of this id; returns the update where there is none.
    pub(super) fn update_session(
        &mut self,
        id: &str,
        update: Update,
    ) -> Result<Option<Update>, Failed> {
        let Some((seq, mut session)) = self.find_session(id)? else {
            return Ok(Some(update));
        };
        update.apply_to_session(&mut session);
        self.save_session(seq, &session)?;
        Ok(None)
    }

    fn create_session(&mut self, mut session: LocalSession) -> Result<LocalSession, Failed> {
        for update in self.take_pending(&session.session_id)? {
            update.apply_to_session(&mut session);
        }
        let seq = self.totals.take_seq();
        let bytes = self.put_session(seq, &session)?;
        self.totals.sessions += 1;
        self.totals.bytes += bytes;
        self.changed(Kind::Session, &session.session_id, true);
        Ok(session)
    }

    fn save_session(&mut self, seq: i64, session: &LocalSession) -> Result<(), Failed> {
        let before = self.bytes_of("session", seq)?;
        self.unindex(seq)?;
        let bytes = self.put_session(seq, session)?;
        self.totals.bytes = self.totals.bytes.saturating_sub(before) + bytes;
        self.changed(Kind::Session, &session.session_id, false);
        Ok(())
    }

    /// Writes the row of a session, new or known, and its words; returns the bytes that both take.
    fn put_session(&self, seq: i64, session: &LocalSession) -> Result<u64, Failed> {
        let doc = serde_json::to_string(session)?;
        let words = text::of_session(session);
        let facts = SessionFacts::of(session);
        let bytes = ROW + doc.len() as u64 + words.len() as u64;
        self.connection.prepare_cached(PUT)?.execute(params![
            seq,
            session.session_id,
            session.name,
            session.source,
            session.start_time,
            session.end_time,
            session.duration,
            facts.error,
            facts.status,
            facts.outcome,
            facts.user_id,
            facts.input,
            facts.output,
            facts.run_id,
            facts.datapoint_id,
            bytes,
            doc,
        ])?;
        self.index(seq, &words)?;
        Ok(bytes)
    }

    fn find_session(&self, id: &str) -> Result<Option<(i64, LocalSession)>, Failed> {
        let sql = "SELECT seq, doc FROM session WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([canonical_id(id)], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?))
        });
        let Some((seq, doc)) = found.optional()? else {
            return Ok(None);
        };
        Ok(Some((seq, serde_json::from_str(&doc)?)))
    }

    pub(super) fn bytes_of(&self, table: &str, seq: i64) -> Result<u64, Failed> {
        let sql = format!("SELECT bytes FROM {table} WHERE seq = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([seq], |row| row.get(0))?)
    }
}
