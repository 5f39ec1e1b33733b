//! Runs every program of the guide against a HoneyHive in this process, and compares what arrives with what
//! the page says.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests may"
)]

mod arrived;
mod collector;
mod commands;
mod console;
mod files;
mod function;
mod ids;
mod links;
mod program;
mod python;
mod readmes;

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
    let mut ids = Ids::default();
    match console {
        Some(console) if console.contains(function::INVOCATIONS) => {
            function::play(name, console, &honeyhive, &mut ids);
        }
        Some(console) if console.contains(console::STOP) => {
            let mut program = Program::start(name, &honeyhive.url());
            console::play(console, &mut program, &mut ids);
            // The program is stopped, and killed when it is dropped, so nothing more can arrive.
            return arrived::compare(&honeyhive, &ids.translate(arrives));
        }
        _ => run(name, console, &honeyhive, &mut ids),
    }
    arrived::compare(&honeyhive, &ids.translate(arrives));
}

fn run(name: &str, console: Option<&str>, honeyhive: &LocalServer, ids: &mut Ids) {
    let mut program = Program::start(name, &honeyhive.url());
    if let Some(console) = console {
        console::play(console, &mut program, ids);
    }
    program.end_well();
}

#[test]
fn a_program_that_there_is_none_of_is_answered_with_those_that_there_are() {
    let (status, said) = Program::start("workers_scoped", "").end();
    assert_eq!(status.code(), Some(1), "{said}");
    let mut lines = said.lines();
    let first = lines.next().unwrap();
    assert!(first.contains(r#""workers_scoped""#), "{said}");
    assert!(
        lines.any(|line| line.trim() == "workers_scoped_sessions"),
        "{said}"
    );
}
