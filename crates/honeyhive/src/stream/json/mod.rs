//! [`Index`] tells where the values of one JSON text are.
//!
//! A stream of a model has an event for each token, and each is read on the task that waits for the next one. So an
//! event is indexed, not parsed: no value is copied, nothing is allocated once the index has grown, fields may stand in
//! any order and have any type. `serde_json` would own every text with an escape in it, and every list.

mod index;
mod node;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub(crate) use index::Index;
pub(super) use text::Text;
pub(super) use value::Json;
