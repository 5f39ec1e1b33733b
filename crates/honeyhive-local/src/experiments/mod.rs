//! The outcome of an experiment's run: pure functions over what the store holds of it.

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
