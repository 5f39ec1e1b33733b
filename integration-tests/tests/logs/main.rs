//! What the core tells the log of the process. The log is one for all of these tests, so they take turns.

mod compression;
mod logs;
#[path = "../sdk/support.rs"]
mod support;
