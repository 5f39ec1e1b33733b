//! The log lines of the core. The log is one for all of these tests, so they take turns.

mod compression;
mod logs;
#[path = "../sdk/support.rs"]
mod support;
