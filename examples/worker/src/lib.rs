//! Nobody waits for this work: a batch, and a worker that takes messages from a queue.
//!
//! A unit of work is a session. The batch is one, and each message of the worker is.

mod batch;
mod queue;

pub use batch::batch;
pub use queue::{Message, Tally, work};
