//! Sessions, events and records have one form, in which the server holds them and hands them out.

mod arrival;
mod bucket;
mod event;
mod facts;
mod id;
mod merge;
mod nested;
mod request;
mod run;
mod session;
mod stats;
mod time;

pub use event::{LocalEvent, LocalSpanEvent, LocalSpanLink, LocalStatus};
pub use request::RecordedRequest;
pub use run::LocalRun;
pub use session::LocalSession;
pub use stats::LocalStats;

pub(crate) use arrival::Arrival;
pub(crate) use bucket::{Bucket, Buckets};
pub(crate) use facts::{EventFacts, SessionFacts, Tokens};
pub(crate) use id::{canonical_id, named_id, parse_uuid};
pub(crate) use merge::merge;
pub(crate) use nested::nested;
pub(crate) use time::{iso, milliseconds, now, parse_iso};

/// An `Object` is a JSON object, as every bucket of a session or an event is one.
pub(crate) type Object = serde_json::Map<String, serde_json::Value>;
