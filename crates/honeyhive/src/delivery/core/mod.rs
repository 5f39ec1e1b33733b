//! [`Core`] decides everything about delivery without I/O: `step(event, now)` gives effects, and the driver sees to
//! them.

mod answers;
mod commands;
mod cut_off;
mod disk_side;
mod ending;
mod intake;
mod moves;
mod outcomes;
#[cfg(test)]
mod random;
mod recall;
mod relief;
mod room;
mod sampled;
mod sealing;
mod sending;
mod spool;
mod state;
#[cfg(test)]
mod steps;
mod stop;
mod under_way;

pub(super) use self::state::{Core, Effect, Event};
