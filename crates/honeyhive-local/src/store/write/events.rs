//! Events arrive as spans, are posted, and are updated.

use rusqlite::{OptionalExtension, params};

use super::{Writing, text};
use crate::config::UnknownUpdates;
use crate::model::{Arrival, EventFacts, LocalEvent, Tokens, canonical_id};
use crate::rest::Update;
use crate::store::failed::Failed;
use crate::store::feed::Kind;

/// A row costs this many bytes besides its JSON and its words.
const ROW: u64 = 700;

/// A `Share` is the part that an event adds to the sums of its session.
#[derive(Debug, Clone, PartialEq, Default)]
struct Share {
    events: i64,
    errors: i64,
    tokens: Tokens,
    cost: f64,
    model: Option<String>,
}

/// `Found` is an event that is known already.
struct Found {
    seq: i64,
    event: LocalEvent,
    orphan: bool,
    bytes: u64,
}

impl Writing<'_> {
    /// Takes an event: into its session, into the session it asks for, or among the orphans. A span that comes again
    /// takes the place of the first.
    pub(crate) fn arrive(&mut self, arrival: Arrival) -> Result<(), Failed> {
        let Arrival {
            mut event,
            auto_create,
        } = arrival;
        if let Some(session) = auto_create {
            self.create_unless_known(session)?;
        }
        let known = self.find_same(&event)?;
        if let Some(earlier) = &known {
            event.duplicates = earlier.event.duplicates + 1;
        }
        self.put_event(event, known)
    }

    /// Keeps an event as it was shown, in the place of the same one.
    pub(crate) fn restore_event(&mut self, event: LocalEvent) -> Result<(), Failed> {
        let known = self.find_same(&event)?;
        self.put_event(event, known)
    }

    /// Puts an event in the place of the one that is known, or behind all others.
    fn put_event(&mut self, mut event: LocalEvent, known: Option<Found>) -> Result<(), Failed> {
        let orphan = !self.knows_session(&event.session_id)?;
        if let Some(earlier) = &known {
            self.remove_event(earlier)?;
        }
        for update in self.take_pending(&event.event_id)? {
            update.apply_to_event(&mut event);
        }
        let seq = known.map(|earlier| earlier.seq);
        let seq = seq.unwrap_or_else(|| self.totals.take_seq());
        self.insert_event(seq, &event, orphan)
    }

    /// Updates the session or event of this id; returns whether the update is taken.
    pub(crate) fn update(
        &mut self,
        id: &str,
        update: Update,
        policy: UnknownUpdates,
    ) -> Result<bool, Failed> {
        let id = canonical_id(id);
        let Some(update) = self.update_session(&id, update)? else {
            return Ok(true);
        };
        if let Some(mut found) = self.find_event(&id)? {
            let before = EventFacts::of(&found.event);
            update.apply_to_event(&mut found.event);
            self.save_event(&found, &before)?;
            return Ok(true);
        }
        if policy == UnknownUpdates::Keep {
            self.keep_pending(&id, &update)?;
        }
        Ok(policy != UnknownUpdates::Refuse)
    }

    fn insert_event(&mut self, seq: i64, event: &LocalEvent, orphan: bool) -> Result<(), Failed> {
        let doc = serde_json::to_string(event)?;
        let words = text::of_event(event);
        let facts = EventFacts::of(event);
        let bytes = ROW + doc.len() as u64 + words.len() as u64;
        let sql = "INSERT INTO event (seq, event_id, session_id, parent_id, trace_id, span_id, parent_span_id, type, \
                   name, source, start_ms, end_ms, duration, error, model, provider, tokens, cost, first_token_ms, \
                   input, output, run_id, datapoint_id, orphan, bytes, doc, input_tokens, output_tokens) VALUES \
                   (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26,\
                   ?27,?28)";
        self.connection.prepare_cached(sql)?.execute(params![
            seq,
            event.event_id,
            event.session_id,
            event.parent_id,
            event.trace_id,
            event.span_id,
            event.parent_span_id,
            event.event_type,
            event.event_name,
            event.source,
            event.start_time_ms,
            event.end_time_ms,
            event.duration,
            event.error,
            facts.model,
            facts.provider,
            facts.tokens.total,
            facts.cost,
            facts.first_token_ms,
            facts.input,
            facts.output,
            facts.run_id,
            facts.datapoint_id,
            orphan,
            bytes,
            doc,
            facts.tokens.input,
            facts.tokens.output,
        ])?;
        self.index(seq, &words)?;
        self.totals.events += 1;
        self.totals.bytes += bytes;
        self.totals.orphans += usize::from(orphan);
        if orphan {
            self.changed(Kind::Orphan, &event.session_id, true);
            return Ok(());
        }
        self.add_to_session(&event.session_id, &share(event, &facts), 1.0)?;
        self.changed(Kind::Event, &event.session_id, true);
        Ok(())
    }

    fn save_event(&mut self, found: &Found, before: &EventFacts) -> Result<(), Failed> {
        let Found {
            seq,
            event,
            orphan,
            bytes: bytes_before,
        } = found;
        let doc = serde_json::to_string(event)?;
        let words = text::of_event(event);
        let facts = EventFacts::of(event);
        let bytes = ROW + doc.len() as u64 + words.len() as u64;
        let sql = "UPDATE event SET end_ms=?2, duration=?3, model=?4, provider=?5, tokens=?6, cost=?7, \
                   first_token_ms=?8, output=?9, run_id=?10, datapoint_id=?11, bytes=?12, doc=?13, \
                   input_tokens=?14, output_tokens=?15 WHERE seq=?1";
        self.connection.prepare_cached(sql)?.execute(params![
            seq,
            event.end_time_ms,
            event.duration,
            facts.model,
            facts.provider,
            facts.tokens.total,
            facts.cost,
            facts.first_token_ms,
            facts.output,
            facts.run_id,
            facts.datapoint_id,
            bytes,
            doc,
            facts.tokens.input,
            facts.tokens.output,
        ])?;
        self.unindex(*seq)?;
        self.index(*seq, &words)?;
        self.totals.bytes = self.totals.bytes.saturating_sub(*bytes_before) + bytes;
        if !orphan {
            self.add_to_session(&event.session_id, &share(event, before), -1.0)?;
            self.add_to_session(&event.session_id, &share(event, &facts), 1.0)?;
        }
        self.changed(Kind::Event, &event.session_id, false);
        Ok(())
    }

    /// Takes an event out, as if it had never come.
    fn remove_event(&mut self, found: &Found) -> Result<(), Failed> {
        let sql = "DELETE FROM event WHERE seq = ?1";
        self.connection.prepare_cached(sql)?.execute([found.seq])?;
        self.unindex(found.seq)?;
        self.totals.events -= 1;
        self.totals.orphans -= usize::from(found.orphan);
        self.totals.bytes = self.totals.bytes.saturating_sub(found.bytes);
        if found.orphan {
            return Ok(());
        }
        let share = share(&found.event, &EventFacts::of(&found.event));
        self.add_to_session(&found.event.session_id, &share, -1.0)
    }

    /// Removes the event in this row and counts it as dropped.
    pub(super) fn drop_event(&mut self, seq: i64) -> Result<(), Failed> {
        let Some(found) = self.find_by("seq = ?1", &[&seq])? else {
            return Ok(());
        };
        self.totals.dropped_events += 1;
        self.remove_event(&found)
    }

    fn add_to_session(&self, id: &str, share: &Share, sign: f64) -> Result<(), Failed> {
        let whole = sign as i64;
        let sql = "UPDATE session SET events = events + ?2, errors = errors + ?3, tokens = tokens + ?4, \
                   cost = cost + ?5, model = coalesce(?6, model), input_tokens = input_tokens + ?7, \
                   output_tokens = output_tokens + ?8 WHERE id = ?1";
        self.connection.prepare_cached(sql)?.execute(params![
            id,
            whole * share.events,
            whole * share.errors,
            whole * share.tokens.total,
            sign * share.cost,
            share.model,
            whole * share.tokens.input,
            whole * share.tokens.output,
        ])?;
        Ok(())
    }

    /// Finds the event of the same span, or where an event is no span, the one of the same id.
    fn find_same(&self, event: &LocalEvent) -> Result<Option<Found>, Failed> {
        if event.span_id.is_empty() {
            return self.find_by("event_id = ?1 AND span_id = ''", &[&event.event_id]);
        }
        self.find_by(
            "trace_id = ?1 AND span_id = ?2 AND span_id <> ''",
            &[&event.trace_id, &event.span_id],
        )
    }

    /// Finds the event of this id; where two spans claim the id, the later.
    fn find_event(&self, event_id: &str) -> Result<Option<Found>, Failed> {
        self.find_by("event_id = ?1 ORDER BY seq DESC", &[&event_id])
    }

    fn find_by(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Option<Found>, Failed> {
        let sql = format!("SELECT seq, orphan, bytes, doc FROM event WHERE {condition} LIMIT 1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_row(values, |row| {
            let doc: String = row.get(3)?;
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, doc))
        });
        let Some((seq, orphan, bytes, doc)) = found.optional()? else {
            return Ok(None);
        };
        Ok(Some(Found {
            seq,
            event: serde_json::from_str(&doc)?,
            orphan,
            bytes,
        }))
    }
}

fn share(event: &LocalEvent, facts: &EventFacts) -> Share {
    Share {
        events: 1,
        errors: i64::from(event.error.is_some()),
        tokens: facts.tokens,
        cost: facts.cost,
        model: facts.model.clone(),
    }
}
