//! The programs of the guide: `honeyhive-guide <name>` runs one; without a name, or with another, it lists them.
//!
//! They are taken from the pages when this is built, and the tests run them; see `build.rs`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::env;
use std::process::ExitCode;

/// The programs stand here as they stand in the pages.
#[allow(
    unused_variables,
    clippy::needless_pass_by_value,
    clippy::print_stderr,
    clippy::unit_arg,
    reason = "pages show the shortest program that is right, and any kind of `main`"
)]
mod pages {
    use std::process::ExitCode;

    type Run = fn() -> ExitCode;

    include!(concat!(env!("OUT_DIR"), "/programs.rs"));
}

fn main() -> ExitCode {
    let names = || pages::PROGRAMS.iter().map(|(name, _)| *name);
    let Some(wanted) = env::args().nth(1) else {
        names().for_each(|name| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    if let Some((_, run)) = pages::PROGRAMS.iter().find(|(name, _)| *name == wanted) {
        return run();
    }
    eprintln!("there is no program {wanted:?}; there are:");
    names().for_each(|name| eprintln!("  {name}"));
    ExitCode::FAILURE
}
