//! The core writes log lines. All of these tests share one log, so they take turns.

mod compression;
mod logs;
#[path = "../sdk/support.rs"]
mod support;
