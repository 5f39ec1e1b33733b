//! The plain values know nothing of tracing: ids, objects, limits, JSON, times, words.

pub(crate) mod causes;
pub(crate) mod finite;
pub(crate) mod flatten;
pub(crate) mod id;
pub(crate) mod id_text;
pub(crate) mod json;
pub(crate) mod limits;
pub(crate) mod milliseconds;
pub(crate) mod no_value;
pub(crate) mod number;
pub(crate) mod object;
pub(crate) mod rfc3339;
pub(crate) mod text;
#[cfg(feature = "testing")]
pub(crate) mod unflatten;
pub(crate) mod words;
