//! A span has one form, whichever encoding it came in.

use serde_json::{Number, Value};

use crate::model::{LocalSpanEvent, LocalSpanLink, LocalStatus, Object};

/// A `Span` has its own fields, and those that it shares with others of its resource and scope.
#[derive(Debug, Clone, Default)]
pub(crate) struct Span {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) parent_span_id: Option<String>,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) start_nanos: u64,
    pub(super) end_nanos: u64,
    pub(super) attributes: Object,
    pub(super) status: LocalStatus,
    pub(super) events: Vec<LocalSpanEvent>,
    pub(super) links: Vec<LocalSpanLink>,
    pub(super) resource: Object,
    pub(super) scope_name: String,
}

const KINDS: [&str; 6] = [
    "unspecified",
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
];

const STATUS_CODES: [&str; 3] = ["unset", "ok", "error"];

/// Returns the kind of this number in the protocol.
pub(super) fn kind_of(number: i64) -> String {
    nth(&KINDS, number)
}

/// Returns the kind of this name in the protocol, such as `SPAN_KIND_SERVER`.
pub(super) fn kind_named(name: &str) -> String {
    named(&KINDS, name.strip_prefix("SPAN_KIND_"))
}

/// Returns the status code of this number in the protocol.
pub(super) fn status_of(number: i64) -> String {
    nth(&STATUS_CODES, number)
}

/// Returns the status code of this name in the protocol, such as `STATUS_CODE_ERROR`.
pub(super) fn status_named(name: &str) -> String {
    named(&STATUS_CODES, name.strip_prefix("STATUS_CODE_"))
}

/// Returns nanoseconds as milliseconds.
pub(super) fn milliseconds(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

/// Returns a double; one that JSON has no number for becomes text, as in OTLP/JSON.
pub(super) fn double(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| Value::String(number.to_string()), Value::Number)
}

fn nth(names: &[&str], number: i64) -> String {
    let index = usize::try_from(number).unwrap_or(0);
    let name = names.get(index).unwrap_or(&names[0]);
    (*name).to_owned()
}

fn named(names: &[&str], name: Option<&str>) -> String {
    let name = name.unwrap_or("").to_ascii_lowercase();
    let known = names.contains(&name.as_str());
    if known { name } else { names[0].to_owned() }
}
