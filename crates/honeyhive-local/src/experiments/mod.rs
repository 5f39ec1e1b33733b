//! The outcome of a run is computed by pure functions over its sessions and events in the store.

mod aggregate;
mod compare;
mod paired;
mod rows;
mod statistics;
mod summary;
mod trial;

pub(crate) use aggregate::Aggregate;
pub(crate) use compare::{Side, compare, pairs};
pub(crate) use paired::{Change, DURATION, Verdict, changes};
pub(crate) use rows::RunRow;
pub(crate) use summary::summary;
pub(crate) use trial::trial;
