//! Runs every program of the guide against a HoneyHive in this process, and compares what arrives with what
//! the page says.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests may"
)]

mod arrived;
mod console;
mod ids;
mod links;
mod program;

use honeyhive_local::LocalServer;

use crate::ids::Ids;
use crate::program::Program;

mod pages {
    include!(concat!(env!("OUT_DIR"), "/tests.rs"));
}

/// Runs a program to its end, as its page says, and looks at what it has delivered by then.
#[track_caller]
fn check(name: &str, console: Option<&str>, arrives: &str) {
    let honeyhive = LocalServer::builder().start_blocking().unwrap();
    let mut program = Program::start(name, &honeyhive.url());
    let mut ids = Ids::default();
    if let Some(console) = console {
        console::play(console, &mut program, &mut ids);
    }
    program.end_well();
    arrived::compare(&honeyhive, &ids.translate(arrives));
}
