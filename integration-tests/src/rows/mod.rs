//! Each row is a function over any adapter. [`table`](crate::table) says which apply where.

pub mod baggage;
pub mod budgets;
pub mod disconnects;
pub mod endings;
pub mod feedback;
pub mod holding;
pub mod ids;
pub mod isolation;
pub mod moves;
pub mod outages;
pub mod panics;
pub mod sessions;
pub mod settings;
pub mod streaming;
pub mod tracers;
pub mod websocket;
