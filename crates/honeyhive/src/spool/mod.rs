//! The spool: records on disk, in the order in which they came. It knows files and records; what is in a
//! record, and when one is written or read, is the delivery engine's affair.

#[cfg(not(feature = "spool"))]
mod absent;
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "nothing is said"))]
mod answers;
#[cfg(feature = "spool")]
mod folder;
#[cfg(feature = "spool")]
mod handles;
#[cfg(feature = "spool")]
mod held;
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "nothing is read"))]
mod note;
#[cfg(feature = "spool")]
mod record;
#[cfg(feature = "spool")]
mod segment;
#[cfg(feature = "spool")]
mod store;

pub(crate) use crate::settings::Spool;
#[cfg(not(feature = "spool"))]
pub(crate) use absent::Store;
pub(crate) use answers::{Found, Next, Place, Refused, Ticket};
pub(crate) use note::{Kind, Note};
#[cfg(feature = "spool")]
pub(crate) use store::Store;

#[cfg(test)]
#[cfg(feature = "spool")]
mod sharing;
#[cfg(test)]
#[cfg(feature = "spool")]
mod tests;
