//! [`SessionId`] and [`EventId`] are the UUIDs that name a session and one event of it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use opentelemetry::trace::SpanContext;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::causes::debug_as_text;
use super::id_text;
use crate::context;

/// The id of a session is always a well-formed UUID.
///
/// HoneyHive silently replaces an id that is no UUID by one of its own, which would tear a conversation apart. So an id
/// of another shape is mapped, the same way in every service, by [`from_correlation_id`](Self::from_correlation_id).
///
/// # What is no id
///
/// A placeholder names no session, or all callers that send it would share one:
///
/// * a blank text, one of more than 256 bytes, and one with control characters;
/// * the usual words for a missing id: `undefined`, `null`, `None`, `nil`, `NaN`, `[object Object]`, `false`, `n/a`,
///   `unknown`, `undefined-undefined`;
/// * a template that nobody has filled in: `{{conversation_id}}`, `{id}`, `<id>`;
/// * the UUIDs of zeros and of ones, in any form.
///
/// Wherever an id can be given (headers, baggage, [`NewSession::id`](crate::NewSession::id),
/// [`Session::link_to`](crate::Session::link_to), …) such a text counts as absent, which is logged once and counted in
/// [`DeliveryStats::ignored_session_ids`](crate::DeliveryStats::ignored_session_ids).
///
/// ```
/// use honeyhive::SessionId;
///
/// let strict: SessionId = "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11".parse()?;
/// assert_eq!(strict.to_string(), "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11");
/// assert!("thread_42".parse::<SessionId>().is_err());
///
/// let mapped = SessionId::from_correlation_id("thread_42");
/// assert_eq!(mapped, SessionId::from_correlation_id("thread_42"));
/// # Ok::<(), honeyhive::InvalidSessionId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(Uuid);

impl Hash for SessionId {
    /// Hashes the bytes in one write: hashing a list of bytes would hash its length first.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.0.as_u128());
    }
}

impl SessionId {
    /// Returns a new random id (UUID version 4), made from a thread-local generator.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a random value is no default")]
    #[inline]
    pub fn new() -> Self {
        Self(random())
    }

    /// Returns the id that stands for `raw`: `raw` itself when it is a UUID, else `uuid5(NAMESPACE_URL, raw)`.
    ///
    /// The same text gives the same id on every service and in every language, so a conversation that is known by, say,
    /// `thread_42` stays one session. A [placeholder](Self#what-is-no-id) gives [`NONE`](Self::NONE).
    #[must_use]
    pub fn from_correlation_id(raw: &str) -> Self {
        Self::checked_from_correlation_id(raw).unwrap_or(Self::NONE)
    }

    /// Does the same as [`from_correlation_id`](Self::from_correlation_id), with `None` for a
    /// [placeholder](Self#what-is-no-id).
    #[must_use]
    pub fn checked_from_correlation_id(raw: &str) -> Option<Self> {
        let id = match parse(raw) {
            Some(uuid) => Self(uuid),
            None if id_text::says_something(raw) => {
                Self(Uuid::new_v5(&Uuid::NAMESPACE_URL, raw.as_bytes()))
            }
            None => return None,
        };
        (!id.is_none()).then_some(id)
    }

    /// The UUID of zeros counts as absent wherever an id can be given.
    pub const NONE: Self = Self(Uuid::nil());

    /// Returns true for the UUIDs that stand for none: all zeros, all ones.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0.is_nil() || self.0.is_max()
    }

    /// Writes the 36 characters of the id into `buffer`, without an allocation.
    pub fn encode<'b>(&self, buffer: &'b mut [u8; Self::LENGTH]) -> &'b str {
        self.0.hyphenated().encode_lower(buffer)
    }

    /// Returns the UUID as a number: `Uuid::from_u128(id.as_u128())` is its value in the crate `uuid`, whatever the
    /// version.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0.as_u128()
    }

    /// Returns the id that is this UUID.
    #[must_use]
    pub const fn from_u128(uuid: u128) -> Self {
        Self(Uuid::from_u128(uuid))
    }

    /// Returns the bytes of the UUID, as `Uuid::into_bytes` does.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        *self.0.as_bytes()
    }

    /// Returns the id that is the UUID of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// An id as text has this many characters.
    pub const LENGTH: usize = uuid::fmt::Hyphenated::LENGTH;
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    /// Parses the hyphenated form only (36 characters, either case).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map(Self).ok_or(InvalidSessionId(()))
    }
}

/// Returns a UUID version 4. Clients see these ids and may send them back, so the generator's next value must not be
/// predictable from earlier ones.
#[inline]
fn random() -> Uuid {
    let bytes = if context::is_open() {
        rand::random::<u128>().to_ne_bytes()
    } else {
        // The thread is ending, and its generator is gone.
        let mut bytes = [0; 16];
        // A system without random numbers has no ids either.
        let _ = OsRng.try_fill_bytes(&mut bytes);
        bytes
    };
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

fn parse(text: &str) -> Option<Uuid> {
    if text.len() != SessionId::LENGTH {
        return None;
    }
    Uuid::try_parse(text).ok()
}

/// Converts as [`SessionId::from_correlation_id`] does.
impl From<&str> for SessionId {
    fn from(raw: &str) -> Self {
        Self::from_correlation_id(raw)
    }
}

/// Converts as [`SessionId::from_correlation_id`] does.
impl From<String> for SessionId {
    fn from(raw: String) -> Self {
        Self::from_correlation_id(&raw)
    }
}

/// Converts as [`SessionId::from_correlation_id`] does, so that `link_to(&body.conversation)` takes a field.
impl From<&String> for SessionId {
    fn from(raw: &String) -> Self {
        Self::from_correlation_id(raw)
    }
}

/// Converts the bytes of a UUID: `uuid.into_bytes()`.
impl From<[u8; 16]> for SessionId {
    fn from(bytes: [u8; 16]) -> Self {
        Self::from_bytes(bytes)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), formatter)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SessionId({self})")
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

fn from_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// The text is no UUID in its hyphenated form.
///
/// Use [`SessionId::from_correlation_id`] to map an id of another shape. The error does not repeat the text, which may
/// come from outside.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a hyphenated UUID; map ids of another shape with `SessionId::from_correlation_id`")]
pub struct InvalidSessionId(());

/// The id of one event of a session is always a well-formed UUID.
///
/// HoneyHive gives an event an id of its own unless the span names one. A span names one if the program has asked for
/// its id ([`Span::event_id`](crate::Span::event_id),
/// [`HoneyHiveTracer::current_event_id`](crate::HoneyHiveTracer::current_event_id)). Pass the id to the code that may
/// have something to add later: see [`HoneyHiveTracer::enrich_event`](crate::HoneyHiveTracer::enrich_event).
///
/// ```
/// use honeyhive::EventId;
///
/// let id: EventId = "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11".parse()?;
/// assert_eq!(id.to_string(), "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11");
/// # Ok::<(), honeyhive::InvalidEventId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(Uuid);

impl EventId {
    /// Returns the id of the event that a span becomes: the same on every call.
    pub(crate) fn of_span(span: &SpanContext) -> Self {
        if !span.is_valid() {
            // The id becomes no event, and should not be taken for another.
            return Self(random());
        }
        let mut bytes = span.trace_id().to_bytes();
        // The result is random, as both ids are, and every span of a trace has another.
        for (byte, more) in bytes[8..].iter_mut().zip(span.span_id().to_bytes()) {
            *byte ^= more;
        }
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Returns the UUID as a number: `Uuid::from_u128(id.as_u128())` is its value in the crate `uuid`, whatever the
    /// version.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0.as_u128()
    }

    /// Returns the bytes of the UUID, as `Uuid::into_bytes` does.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        *self.0.as_bytes()
    }

    /// Returns the id as a session's: a session is an event, too, and deliveries are kept by the one kind of id.
    pub(crate) const fn as_session(self) -> SessionId {
        SessionId(self.0)
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    /// Parses the hyphenated form only (36 characters, either case).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map(Self).ok_or(InvalidEventId(()))
    }
}

/// Converts the bytes of a UUID: `uuid.into_bytes()`.
impl From<[u8; 16]> for EventId {
    fn from(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

/// Converts the id of a session, which is an event.
impl From<SessionId> for EventId {
    fn from(id: SessionId) -> Self {
        Self(id.0)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), formatter)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EventId({self})")
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

/// The text is no UUID in its hyphenated form, so it is not the id of an event.
///
/// The error does not repeat the text, which may come from outside.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a hyphenated UUID, which the id of an event is: take it from `Span::event_id` or from HoneyHive"
)]
pub struct InvalidEventId(());

debug_as_text!(InvalidSessionId, InvalidEventId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correlation_id_maps_as_the_official_sdk_documents_it() {
        // Python gives this for uuid.uuid5(uuid.NAMESPACE_URL, "thread_42").
        assert_eq!(
            SessionId::from_correlation_id("thread_42"),
            SessionId(Uuid::new_v5(&Uuid::NAMESPACE_URL, b"thread_42"))
        );
        assert_eq!(
            SessionId::from_correlation_id("https://example.com").to_string(),
            "4fd35a71-71ef-5a55-a9d9-aa75c889a6d0"
        );
    }

    #[test]
    fn a_field_of_a_body_is_an_id_by_reference() {
        let conversation = String::from("thread_42");
        assert_eq!(
            SessionId::from(&conversation),
            SessionId::from_correlation_id("thread_42")
        );
    }

    #[test]
    fn an_upper_case_uuid_is_the_same_id() {
        let lower = "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11";
        assert_eq!(
            lower.to_uppercase().parse::<SessionId>(),
            lower.parse::<SessionId>()
        );
    }

    #[test]
    fn other_uuid_notations_are_not_taken_as_ids() {
        for text in [
            "",
            "9f3b8f6e6f0a4d3b9a570d3f0d3c9b11",
            "{9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11}",
            "urn:uuid:9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11",
            "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b1g",
        ] {
            assert!(text.parse::<SessionId>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_says_nothing_names_no_session_and_everything_else_one() {
        let long = "a".repeat(id_text::LONGEST);
        for nothing in [
            "00000000-0000-0000-0000-000000000000",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
            "",
            "undefined",
            &(long.clone() + "a"),
        ] {
            assert_eq!(SessionId::checked_from_correlation_id(nothing), None);
            assert!(SessionId::from(nothing).is_none(), "{nothing:?}");
        }
        for something in ["0", "größe", &long] {
            let id = SessionId::from_correlation_id(something);
            assert_eq!(SessionId::checked_from_correlation_id(something), Some(id));
            assert!(!id.is_none(), "{something:?}");
        }
    }

    #[test]
    fn an_id_is_the_uuid_of_its_bytes_and_of_its_number() {
        let uuid = Uuid::from_u128(0x9f3b_8f6e_6f0a_4d3b_9a57_0d3f_0d3c_9b11);
        let id = SessionId::from(uuid.into_bytes());
        assert_eq!(id, SessionId::from_u128(uuid.as_u128()));
        assert_eq!(id.to_bytes(), uuid.into_bytes());
        assert_eq!(EventId::from(id).as_u128(), uuid.as_u128());
        assert_eq!(id.to_string(), uuid.to_string());
    }

    #[test]
    fn an_id_goes_through_json_as_text() {
        let id = SessionId::new();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<SessionId>(&json).unwrap(), id);
    }
}
