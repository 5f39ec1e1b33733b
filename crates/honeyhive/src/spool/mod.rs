//! The spool: records on disk, in the order in which they came. It knows files and records; what is in a
//! record, and when one is written or read, is the delivery engine's affair.

mod folder;
mod held;
mod record;
mod segment;
mod store;

pub(crate) use crate::settings::Spool;
pub(crate) use record::{Kind, Note};
pub(crate) use store::{Found, Next, Place, Refused, Store, Ticket};

#[cfg(test)]
mod tests;
