//! The scan of an event tells whether it is JSON, and which session it names.
//!
//! The event is scanned without being built. The scan accepts the same texts as `serde_json::Value`, down to the depth
//! of nesting, so an accepted event can be made into a value when it is delivered.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::model::id_text;

const SESSION_ID: &str = "session_id";

/// An event names its session in the member `session_id`.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) enum SessionIdField<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    /// The member is no text, or there are several of them.
    Unusable,
}

/// Returns the session that an event names; `None` where the event is no JSON.
pub(super) fn read(event: &[u8]) -> Option<SessionIdField<'_>> {
    match serde_json::from_slice(event).ok()? {
        Piece::Object(field) => Some(field),
        Piece::Null | Piece::Text(_) | Piece::Other => Some(SessionIdField::Absent),
    }
}

/// The scan tells values apart as far as it needs to.
enum Piece<'a> {
    Null,
    Text(Cow<'a, str>),
    Object(SessionIdField<'a>),
    /// The value is of another kind, or a text that is too long.
    Other,
}

impl<'a> SessionIdField<'a> {
    fn see(&mut self, value: Piece<'a>) {
        *self = match (&self, value) {
            (Self::Absent, Piece::Null) => Self::Absent,
            (Self::Absent, Piece::Text(text)) => Self::Text(text),
            _ => Self::Unusable,
        };
    }
}

impl<'de> Deserialize<'de> for Piece<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PieceVisitor)
    }
}

struct PieceVisitor;

impl<'de> Visitor<'de> for PieceVisitor {
    type Value = Piece<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Piece::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Piece::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Piece::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Piece::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Piece::Null)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Piece::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        // The text was written with escapes, so it cannot be borrowed; one too long for an id is not copied.
        Ok(if text.len() <= id_text::LONGEST {
            Piece::Text(text.to_owned().into())
        } else {
            Piece::Other
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<Piece<'de>>()?.is_some() {}
        Ok(Piece::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut field = SessionIdField::Absent;
        while let Some((key, value)) = entries.next_entry::<Piece<'de>, Piece<'de>>()? {
            if matches!(key, Piece::Text(key) if key == SESSION_ID) {
                field.see(value);
            }
        }
        Ok(Piece::Object(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<SessionIdField<'_>> {
        Some(SessionIdField::Text(text.into()))
    }

    #[test]
    fn a_session_is_named_by_a_text_at_the_top_and_nowhere_else() {
        assert_eq!(read(br#"{"a":[1,{}],"session_id":"s"}"#), text("s"));
        assert_eq!(read(br#"{"session\u005fid":"\u0073"}"#), text("s"));
        for event in [
            r#"{"body":{"session_id":"s"}}"#,
            r#"[{"session_id":"s"}]"#,
            r#"{"session_id":null}"#,
            r#""session_id""#,
            "null",
        ] {
            let read = read(event.as_bytes());
            assert_eq!(read, Some(SessionIdField::Absent), "{event}");
        }
    }

    #[test]
    fn what_is_no_text_or_comes_twice_is_unusable() {
        for value in ["1", "true", "1.5", "[]", "{}", r#""a","session_id":"b""#] {
            let event = format!(r#"{{"session_id":{value}}}"#);
            let read = read(event.as_bytes());
            assert_eq!(read, Some(SessionIdField::Unusable), "{event}");
        }
    }

    #[test]
    fn an_event_is_json_just_where_it_can_be_made_into_a_value() {
        let deep = |depth| "[".repeat(depth) + &"]".repeat(depth);
        let events = [
            String::new(),
            "{".to_owned(),
            "{} {}".to_owned(),
            "1e999".to_owned(),
            r#""\ud800""#.to_owned(),
            r#"{1:2}"#.to_owned(),
            deep(100),
            deep(1_000),
        ];
        let events = events.iter().map(String::as_bytes);
        for event in events.chain([b"\"\xff\"".as_slice()]) {
            let value = serde_json::from_slice::<serde_json::Value>(event);
            assert_eq!(read(event).is_some(), value.is_ok(), "{event:?}");
        }
    }
}
