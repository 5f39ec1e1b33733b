//! The spool keeps records on disk, in the order in which they came. It knows files and records; the contents of a
//! record, and when one is written or read, are the delivery engine's affair.

#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "nothing is said"))]
mod answers;
#[cfg(feature = "spool")]
mod folder;
#[cfg(feature = "spool")]
mod handles;
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "nothing is added"))]
#[cfg(any(test, feature = "spool"))]
mod held;
#[cfg(not(any(test, feature = "spool")))]
mod none;
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "nothing is read"))]
mod note;
#[cfg(feature = "spool")]
mod record;
#[cfg(feature = "spool")]
mod segment;
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "nothing is added"))]
#[cfg(any(test, feature = "spool"))]
mod shelf;
#[cfg(feature = "spool")]
mod store;

pub(crate) use crate::settings::Spool;
#[cfg(feature = "spool")]
pub(crate) use answers::Next;
#[cfg(any(test, feature = "spool"))]
pub(crate) use answers::Place;
pub(crate) use answers::{Found, Lost, Refused, Ticket};
#[cfg(not(any(test, feature = "spool")))]
pub(crate) use none::{Place, Shelf};
pub(crate) use note::Kind;
#[cfg(feature = "spool")]
pub(crate) use note::Note;
#[cfg(any(test, feature = "spool"))]
pub(crate) use shelf::Shelf;
#[cfg(feature = "spool")]
pub(crate) use store::Store;

#[cfg(test)]
#[cfg(feature = "spool")]
mod sharing;
#[cfg(test)]
#[cfg(feature = "spool")]
mod tests;
