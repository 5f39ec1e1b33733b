//! [`again`] runs a test as a program of its own.

use std::process::Command;

/// Returns a command that runs one test of this binary alone: `again(module_path!(), "the_name_of_the_test")`.
///
/// # Panics
///
/// Where the system does not tell which binary this is.
#[must_use]
pub fn again(module: &str, test: &str) -> Command {
    let binary = std::env::current_exe().expect("the path of this binary");
    let mut program = Command::new(binary);
    // The binary's own name is no part of the names of its tests.
    let within = module.split_once("::").map(|(_, within)| within);
    let name = within.map_or_else(|| test.to_owned(), |within| format!("{within}::{test}"));
    program.args(["--exact", &name]);
    program
}
