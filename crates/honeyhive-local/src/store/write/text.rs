//! The index takes the words of sessions and events.

use rusqlite::params;
use serde_json::Value;

use super::Writing;
use crate::model::{LocalEvent, LocalSession, Object};
use crate::store::failed::Failed;

/// A row is searched up to this many bytes.
const MOST: usize = 32 * 1024;

impl Writing<'_> {
    pub(super) fn index(&self, seq: i64, words: &str) -> Result<(), Failed> {
        let sql = "INSERT INTO text (rowid, body) VALUES (?1, ?2)";
        self.connection
            .prepare_cached(sql)?
            .execute(params![seq, words])?;
        Ok(())
    }

    pub(super) fn unindex(&self, seq: i64) -> Result<(), Failed> {
        let sql = "DELETE FROM text WHERE rowid = ?1";
        self.connection.prepare_cached(sql)?.execute([seq])?;
        Ok(())
    }
}

pub(super) fn of_session(session: &LocalSession) -> String {
    let mut words = Words::default();
    words.say(session.name.as_deref().unwrap_or_default());
    words.say(&session.session_id);
    words.say(session.error.as_deref().unwrap_or_default());
    let buckets = [
        &session.inputs,
        &session.outputs,
        &session.metadata,
        &session.user_properties,
        &session.feedback,
    ];
    buckets.into_iter().for_each(|bucket| words.take(bucket));
    words.0
}

pub(super) fn of_event(event: &LocalEvent) -> String {
    let mut words = Words::default();
    words.say(&event.event_name);
    words.say(event.error.as_deref().unwrap_or_default());
    let buckets = [
        &event.inputs,
        &event.outputs,
        &event.config,
        &event.metadata,
        &event.feedback,
    ];
    buckets.into_iter().for_each(|bucket| words.take(bucket));
    words.0
}

/// `Words` is a text, up to a limit.
#[derive(Default)]
struct Words(String);

impl Words {
    fn say(&mut self, text: &str) {
        let left = MOST.saturating_sub(self.0.len());
        let mut cut = left.min(text.len());
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        self.0.push_str(&text[..cut]);
        self.0.push(' ');
    }

    fn take(&mut self, object: &Object) {
        object.values().for_each(|value| self.take_value(value));
    }

    fn take_value(&mut self, value: &Value) {
        if self.0.len() >= MOST {
            return;
        }
        match value {
            Value::String(text) => self.say(text),
            Value::Number(number) => self.say(&number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.take_value(item)),
            Value::Object(object) => self.take(object),
            Value::Null | Value::Bool(_) => {}
        }
    }
}
